use fixed_point::{ceil_div, trade_value, MathError, PriceTicks, QuoteAtoms, SizeLots, PPM};

pub const MAX_PRICE_TICKS: u64 = 1 << 52;

/// Maintenance = notional x rate - deduction from `notional_from_atoms` on; continuous at the edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    pub notional_from_atoms: i128,
    pub maintenance_ppm: u32,
    pub deduction_atoms: i128,
    pub max_leverage: u32,
}

/// Return the tier that holds a notional; the first tier starts at 0, the last has no end.
pub fn tier_at(notional: QuoteAtoms, tiers: &[Tier]) -> Result<&Tier, MathError> {
    tiers.iter().rev().find(|tier| tier.notional_from_atoms <= notional.0).ok_or(MathError::Overflow)
}

/// Return notional x rate - deduction, rounded up.
pub fn maintenance_margin(notional: QuoteAtoms, tiers: &[Tier]) -> Result<QuoteAtoms, MathError> {
    let tier = tier_at(notional, tiers)?;
    let product = notional.0.checked_mul(i128::from(tier.maintenance_ppm)).ok_or(MathError::Overflow)?;
    let gross = ceil_div(product, i128::from(PPM))?;
    gross.checked_sub(tier.deduction_atoms).map(QuoteAtoms).ok_or(MathError::Overflow)
}

/// Return what opening a notional needs: its share at the user's leverage, rounded up, or what the tiers ask if that is more.
///
/// Each slice of the notional is charged at 1 / (its tier's maximum leverage), so that the sum is continuous and grows with size.
pub fn initial_margin(notional: QuoteAtoms, leverage: u32, tiers: &[Tier]) -> Result<QuoteAtoms, MathError> {
    let mut tiered: i128 = 0;
    let mut end = notional.0;
    for tier in tiers.iter().rev() {
        if end > tier.notional_from_atoms {
            let slice = end.checked_sub(tier.notional_from_atoms).ok_or(MathError::Overflow)?;
            let share = ceil_div(slice, i128::from(tier.max_leverage))?;
            tiered = tiered.checked_add(share).ok_or(MathError::Overflow)?;
            end = tier.notional_from_atoms;
        }
    }
    Ok(QuoteAtoms(ceil_div(notional.0, i128::from(leverage))?.max(tiered)))
}

/// Return initial margin with an add-on for what the notional has beyond `from`; never more than the notional.
pub fn concentrated_margin(initial: QuoteAtoms, notional: QuoteAtoms, from: QuoteAtoms, rate_ppm: u32) -> Result<QuoteAtoms, MathError> {
    if rate_ppm == 0 || notional <= from {
        return Ok(initial);
    }
    let beyond = notional.checked_sub(from)?;
    let more = ceil_div(beyond.0.checked_mul(i128::from(rate_ppm)).ok_or(MathError::Overflow)?, i128::from(PPM))?;
    Ok(initial.max(notional.min(initial.checked_add(QuoteAtoms(more))?)))
}

/// One market's position in an account whose other markets stand still.
#[derive(Clone, Copy, Debug)]
pub struct Exposure {
    pub size: SizeLots,
    pub mark: PriceTicks,
    pub tick_lot_atoms: u64,
    pub equity: QuoteAtoms,
    pub other_maintenance: QuoteAtoms,
}

impl Exposure {
    fn falls_short(&self, ticks: u64, tiers: &[Tier]) -> Result<bool, MathError> {
        let now = trade_value(self.size, self.mark, self.tick_lot_atoms)?;
        let then = trade_value(self.size, PriceTicks(ticks), self.tick_lot_atoms)?;
        let equity = self.equity.checked_add(then.checked_sub(now)?)?;
        let needed = maintenance_margin(QuoteAtoms(then.0.checked_abs().ok_or(MathError::Overflow)?), tiers)?;
        Ok(equity < self.other_maintenance.checked_add(needed)?)
    }
}

/// Return the first tick, moving from mark against the position, at which equity is below maintenance; 0 if no price is.
pub fn liquidation_ticks(exposure: &Exposure, tiers: &[Tier]) -> Result<PriceTicks, MathError> {
    if exposure.size.0 == 0 {
        return Ok(PriceTicks(0));
    }
    if exposure.falls_short(exposure.mark.0, tiers)? {
        return Ok(exposure.mark);
    }
    let mut safe = exposure.mark.0;
    let mut short = if exposure.size.0 > 0 { 0 } else { MAX_PRICE_TICKS };
    if !exposure.falls_short(short, tiers)? {
        return Ok(PriceTicks(0));
    }
    while safe.abs_diff(short) > 1 {
        let middle = safe.checked_add(short).ok_or(MathError::Overflow)? >> 1;
        if exposure.falls_short(middle, tiers)? {
            short = middle;
        } else {
            safe = middle;
        }
    }
    Ok(PriceTicks(short))
}
