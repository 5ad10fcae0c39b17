use fixed_point::{floor_div, MathError, PriceE8, QuoteAtoms, SizeLots, PPB};

/// What the eight-hour rate is made of beside the premium.
#[derive(Clone, Copy, Debug)]
pub struct Interest {
    pub interest_ppb: i64,
    pub clamp_ppb: i64,
    pub cap_ppb: i64,
}

/// Return (max(0, impact bid - index) - max(0, index - impact ask)) / index, rounded towards zero; a side of 0 adds nothing.
pub fn premium_ppb(impact_bid: PriceE8, impact_ask: PriceE8, index: PriceE8) -> Result<i64, MathError> {
    let above = if impact_bid.0 > 0 { impact_bid.0.saturating_sub(index.0) } else { 0 };
    let below = if impact_ask.0 > 0 { index.0.saturating_sub(impact_ask.0) } else { 0 };
    let product = u128::from(above.abs_diff(below)).checked_mul(u128::from(PPB)).ok_or(MathError::Overflow)?;
    let magnitude = product.checked_div(u128::from(index.0)).ok_or(MathError::DivisionByZero)?;
    let magnitude = i64::try_from(magnitude).map_err(|_| MathError::Overflow)?;
    Ok(if above >= below { magnitude } else { magnitude.saturating_neg() })
}

fn clamp(value: i64, limit: i64) -> i64 {
    value.min(limit).max(limit.saturating_neg())
}

/// Return premium + clamp(interest - premium, +-clamp), within +-cap.
pub fn eight_hour_rate_ppb(premium_ppb: i64, interest: Interest) -> Result<i64, MathError> {
    let difference = interest.interest_ppb.checked_sub(premium_ppb).ok_or(MathError::Overflow)?;
    let rate = premium_ppb.checked_add(clamp(difference, interest.clamp_ppb)).ok_or(MathError::Overflow)?;
    Ok(clamp(rate, interest.cap_ppb))
}

/// Return an eighth, rounded towards zero.
pub fn hourly_rate_ppb(eight_hour_ppb: i64) -> i64 {
    let magnitude = i64::try_from(eight_hour_ppb.unsigned_abs() >> 3).unwrap_or(0);
    if eight_hour_ppb >= 0 {
        magnitude
    } else {
        magnitude.saturating_neg()
    }
}

/// Return what a position receives for one period (negative: pays): -size x index x rate, rounded down, against the user.
pub fn payment_atoms(size: SizeLots, index: PriceE8, lot_e8: u64, rate_ppb: i64) -> Result<QuoteAtoms, MathError> {
    // atoms / (1e8 x 1e8 x 1e9), less the common factor of 1e6.
    let product = i128::from(size.0)
        .checked_neg()
        .and_then(|value| value.checked_mul(i128::from(rate_ppb)))
        .and_then(|value| value.checked_mul(i128::from(index.0)))
        .and_then(|value| value.checked_mul(i128::from(lot_e8)))
        .ok_or(MathError::Overflow)?;
    floor_div(product, 10_000_000_000_000_000_000).map(QuoteAtoms)
}
