use crate::{ceil_div, floor_div, MathError, E8, PPM, QUOTE_ATOMS};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub $inner);

        impl $name {
            pub fn checked_add(self, other: Self) -> Result<Self, MathError> {
                self.0.checked_add(other.0).map(Self).ok_or(MathError::Overflow)
            }

            pub fn checked_sub(self, other: Self) -> Result<Self, MathError> {
                self.0.checked_sub(other.0).map(Self).ok_or(MathError::Overflow)
            }
        }
    };
}

unit!(
    /// A price in steps of its market.
    PriceTicks(u64)
);
unit!(
    /// A size in steps of its market; longs are positive, shorts negative.
    SizeLots(i64)
);
unit!(
    /// Money: 1 USDC is 1,000,000 atoms.
    QuoteAtoms(i128)
);
unit!(
    /// A price in units of 1e-8 USD.
    PriceE8(u64)
);

const E16: i128 = 10_000_000_000_000_000;

/// Return the quote atoms in one tick times one lot; refuse what is not a positive whole number.
pub fn tick_lot_atoms(tick_e8: u64, lot_e8: u64) -> Result<u64, MathError> {
    let product = u128::from(tick_e8)
        .checked_mul(u128::from(lot_e8))
        .and_then(|value| value.checked_mul(u128::from(QUOTE_ATOMS)))
        .ok_or(MathError::Overflow)?;
    let unit = E16.unsigned_abs();
    if product == 0 || product.checked_rem(unit) != Some(0) {
        return Err(MathError::NotWhole);
    }
    let atoms = product.checked_div(unit).ok_or(MathError::DivisionByZero)?;
    u64::try_from(atoms).map_err(|_| MathError::Overflow)
}

/// Return the exact value of a size at a price.
pub fn trade_value(size: SizeLots, price: PriceTicks, tick_lot_atoms: u64) -> Result<QuoteAtoms, MathError> {
    i128::from(size.0)
        .checked_mul(i128::from(price.0))
        .and_then(|value| value.checked_mul(i128::from(tick_lot_atoms)))
        .map(QuoteAtoms)
        .ok_or(MathError::Overflow)
}

/// Return the value of a size at a 1e-8 price, rounded towards minus infinity: against the owner.
pub fn value_at_price_e8(size: SizeLots, price: PriceE8, lot_e8: u64) -> Result<QuoteAtoms, MathError> {
    // 1e6 atoms a dollar over 1e16: the common factor is cancelled, so that large positions fit.
    let product = i128::from(size.0)
        .checked_mul(i128::from(lot_e8))
        .and_then(|value| value.checked_mul(i128::from(price.0)))
        .ok_or(MathError::Overflow)?;
    floor_div(product, 10_000_000_000).map(QuoteAtoms)
}

/// Return amount x rate rounded towards plus infinity: what a user pays (a rebate is negative and shrinks).
pub fn charge(amount: QuoteAtoms, rate_ppm: i64) -> Result<QuoteAtoms, MathError> {
    let product = amount.0.checked_mul(i128::from(rate_ppm)).ok_or(MathError::Overflow)?;
    ceil_div(product, i128::from(PPM)).map(QuoteAtoms)
}

/// Round a 1e-8 price to the nearest tick, halves up.
pub fn ticks_from_e8(price: PriceE8, tick_e8: u64) -> Result<PriceTicks, MathError> {
    let tick = u128::from(tick_e8);
    let doubled = u128::from(price.0).checked_mul(2).and_then(|value| value.checked_add(tick)).ok_or(MathError::Overflow)?;
    let divisor = tick.checked_mul(2).ok_or(MathError::Overflow)?;
    let ticks = doubled.checked_div(divisor).ok_or(MathError::DivisionByZero)?;
    u64::try_from(ticks).map(PriceTicks).map_err(|_| MathError::Overflow)
}

const _: () = assert!(E8 as i128 * E8 as i128 == E16);
