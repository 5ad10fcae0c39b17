//! How much of a position is closed in a liquidation, at which prices, and by whom it is taken over: the twin of `risk/liquidation.py` and
//! `risk/deleveraging.py`.

use fixed_point::{ceil_div, floor_div, trade_value, MathError, PriceTicks, QuoteAtoms, SizeLots, PPM};

const MILLION: i128 = PPM as i128;

/// What one lot's closing frees and costs.
#[derive(Clone, Copy, Debug)]
pub struct Freed {
    pub lot_atoms: i128,
    pub rate_ppm: u32,
    pub fee_ppm: u32,
}

/// Return the fewest lots whose closing frees the shortage, at most the position; all of it where the fee eats what is freed.
pub fn partial_lots(shortage: QuoteAtoms, freed: Freed, position_lots: u64) -> Result<u64, MathError> {
    if shortage.0 <= 0 {
        return Ok(0);
    }
    let rate = i128::from(freed.rate_ppm).checked_sub(i128::from(freed.fee_ppm)).ok_or(MathError::Overflow)?;
    let each = freed.lot_atoms.checked_mul(rate).ok_or(MathError::Overflow)?;
    if each <= 0 {
        return Ok(position_lots);
    }
    let lots = ceil_div(shortage.0.checked_mul(MILLION).ok_or(MathError::Overflow)?, each)?;
    Ok(u64::try_from(lots).unwrap_or(u64::MAX).min(position_lots))
}

/// A position at its mark.
#[derive(Clone, Copy, Debug)]
pub struct Marked {
    pub size: SizeLots,
    pub mark: PriceTicks,
    pub tick_lot_atoms: u64,
}

fn ticks(price: i128) -> Result<PriceTicks, MathError> {
    u64::try_from(price.max(1)).map(PriceTicks).map_err(|_| MathError::Overflow)
}

/// Return the worst price at which the position can be closed so that its part of the equity is not overdrawn; at least one tick.
pub fn bankruptcy_ticks(position: &Marked, equity: QuoteAtoms) -> Result<PriceTicks, MathError> {
    let each = trade_value(position.size, PriceTicks(1), position.tick_lot_atoms)?.0.checked_abs().ok_or(MathError::Overflow)?;
    let distance = floor_div(equity.0, each)?;
    let mark = i128::from(position.mark.0);
    let price = if position.size.0 > 0 { mark.checked_sub(distance) } else { mark.checked_add(distance) };
    ticks(price.ok_or(MathError::Overflow)?)
}

/// Return the price limit of a slice against the book: within the slippage of mark, and never beyond bankruptcy.
pub fn limit_ticks(size: SizeLots, mark: PriceTicks, slippage_ppm: u32, bankrupt: PriceTicks) -> Result<PriceTicks, MathError> {
    let (mark, bankrupt, slippage) = (i128::from(mark.0), i128::from(bankrupt.0), i128::from(slippage_ppm));
    let at = |rate: Option<i128>| rate.and_then(|rate| mark.checked_mul(rate)).ok_or(MathError::Overflow);
    if size.0 > 0 {
        ticks(bankrupt.max(ceil_div(at(MILLION.checked_sub(slippage))?, MILLION)?))
    } else {
        ticks(bankrupt.min(floor_div(at(MILLION.checked_add(slippage))?, MILLION)?))
    }
}

/// Return the price at which the backstop takes a position over: mark less its discount, never beyond bankruptcy.
pub fn discounted_ticks(size: SizeLots, mark: PriceTicks, discount_ppm: u32, bankrupt: PriceTicks) -> Result<PriceTicks, MathError> {
    limit_ticks(size, mark, discount_ppm, bankrupt)
}

/// Divide lots by weights, exactly: parts are rounded down, the first ones take what is left over.
fn split(lots: u64, weights: &[u64]) -> Result<Vec<u64>, MathError> {
    let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let part = |weight: &u64| {
        let product = u128::from(lots).checked_mul(u128::from(*weight)).ok_or(MathError::Overflow)?;
        u64::try_from(product.checked_div(total).ok_or(MathError::DivisionByZero)?).map_err(|_| MathError::Overflow)
    };
    let mut parts = weights.iter().map(part).collect::<Result<Vec<_>, _>>()?;
    let mut missing = lots.checked_sub(parts.iter().sum()).ok_or(MathError::Overflow)?;
    for (part, weight) in parts.iter_mut().zip(weights) {
        if missing > 0 && *weight > 0 {
            *part = part.checked_add(1).ok_or(MathError::Overflow)?;
            missing = missing.saturating_sub(1);
        }
    }
    Ok(parts)
}

/// Divide lots by weights, none above its capacity; what a cap turns away is divided among the others.
pub fn shares(lots: u64, capacities: &[u64], weights: &[u64]) -> Result<Vec<u64>, MathError> {
    let mut parts = vec![0u64; weights.len()];
    let mut missing = lots;
    while missing > 0 {
        let has_room = |((capacity, part), weight): ((&u64, &u64), &u64)| if capacity > part { *weight } else { 0 };
        let room: Vec<u64> = capacities.iter().zip(&parts).zip(weights).map(has_room).collect();
        if room.iter().all(|weight| *weight == 0) {
            break;
        }
        for ((part, capacity), offered) in parts.iter_mut().zip(capacities).zip(split(missing, &room)?) {
            let taken = offered.min(capacity.saturating_sub(*part));
            *part = part.checked_add(taken).ok_or(MathError::Overflow)?;
            missing = missing.saturating_sub(taken);
        }
    }
    Ok(parts)
}

/// Return the part of a deleveraged position's value (negative: it is paid) that falls to so many of its lots, rounded towards minus infinity.
pub fn value_part(value: QuoteAtoms, lots: u64, all_lots: u64) -> Result<QuoteAtoms, MathError> {
    let product = value.0.checked_mul(i128::from(lots)).ok_or(MathError::Overflow)?;
    floor_div(product, i128::from(all_lots)).map(QuoteAtoms)
}

/// Return the share of the next deleveraging on its side that a position would bear, in parts per million.
pub fn queue_ppm(profit: QuoteAtoms, side_profit: QuoteAtoms) -> Result<u32, MathError> {
    if profit.0 <= 0 {
        return Ok(0);
    }
    let share = floor_div(profit.0.checked_mul(MILLION).ok_or(MathError::Overflow)?, side_profit.0)?;
    u32::try_from(share).map_err(|_| MathError::Overflow)
}
