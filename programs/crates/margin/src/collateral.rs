//! What an asset counts for as collateral: the twin of `risk/collateral.py`. Values are rounded against the owner.

use fixed_point::{floor_div, MathError, PriceE8, QuoteAtoms, E8, PPM, QUOTE_ATOMS};

/// Weights of the slice of a holding that is worth more than `value_from_atoms`; they only fall from tier to tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Haircut {
    pub value_from_atoms: i128,
    pub initial_ppm: u32,
    pub maintenance_ppm: u32,
}

/// Which of the two weights counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Initial,
    Maintenance,
}

/// Return the price less its confidence for what is owned, plus its confidence for what is owed.
pub fn cautious_price(price: PriceE8, confidence: PriceE8, owned: bool) -> PriceE8 {
    PriceE8(if owned { price.0.saturating_sub(confidence.0) } else { price.0.saturating_add(confidence.0) })
}

/// Return the worse of a price and its stable price for the owner; 0 is no stable price yet.
pub fn initial_price(price: PriceE8, stable: PriceE8, owned: bool) -> PriceE8 {
    match (stable.0, owned) {
        (0, _) => price,
        (_, true) => price.min(stable),
        (_, false) => price.max(stable),
    }
}

/// Return the value of an amount of an asset, rounded towards minus infinity.
pub fn asset_value(amount: i128, price: PriceE8, decimals: u8) -> Result<QuoteAtoms, MathError> {
    let unit = 10i128.checked_pow(u32::from(decimals)).and_then(|unit| unit.checked_mul(i128::from(E8 / QUOTE_ATOMS)));
    let product = amount.checked_mul(i128::from(price.0)).ok_or(MathError::Overflow)?;
    floor_div(product, unit.ok_or(MathError::Overflow)?).map(QuoteAtoms)
}

/// Return what a value counts for: each slice of it at its tier's weight. What is owed counts whole.
pub fn weighted_value(value: QuoteAtoms, haircuts: &[Haircut], weight: Weight) -> Result<QuoteAtoms, MathError> {
    if value.0 <= 0 {
        return Ok(value);
    }
    let (mut total, mut end) = (0i128, value.0);
    for tier in haircuts.iter().rev().filter(|tier| tier.value_from_atoms < value.0) {
        let rate = i128::from(if weight == Weight::Initial { tier.initial_ppm } else { tier.maintenance_ppm });
        let slice = end.checked_sub(tier.value_from_atoms).and_then(|slice| slice.checked_mul(rate)).ok_or(MathError::Overflow)?;
        total = total.checked_add(slice).ok_or(MathError::Overflow)?;
        end = tier.value_from_atoms;
    }
    floor_div(total, i128::from(PPM)).map(QuoteAtoms)
}
