use fixed_point::{mul_div_ceil, mul_div_floor, MathError, PriceE8, PriceTicks, PPM};

/// No auction takes longer.
pub const MOST_SLOTS: u64 = 180;

/// The taker's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Buy,
    Sell,
}

/// How far from the oracle's price auctions begin and end, and how many slots they take for each percent between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Better than the oracle's price for the taker.
    pub start_ppm: u32,
    /// Worse than it.
    pub end_ppm: u32,
    pub percent_slots: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    pub side: Side,
    pub start: PriceTicks,
    pub end: PriceTicks,
    pub slots: u64,
}

/// Round a rate of a price to ticks, in favour of who buys or sells at it.
fn ticks(side: Side, price: PriceE8, rate_ppm: u64, tick_e8: u64) -> Result<u64, MathError> {
    let unit = u128::from(tick_e8).checked_mul(u128::from(PPM)).ok_or(MathError::Overflow)?;
    let (price, rate) = (u128::from(price.0), u128::from(rate_ppm));
    let ticks = match side {
        Side::Buy => mul_div_floor(price, rate, unit)?,
        Side::Sell => mul_div_ceil(price, rate, unit)?,
    };
    u64::try_from(ticks.max(1)).map_err(|_| MathError::Overflow)
}

impl Path {
    /// Lay the path around the oracle's price, inside the taker's limit.
    pub fn around(side: Side, price: PriceE8, tick_e8: u64, limit: PriceTicks, range: &Range) -> Result<Self, MathError> {
        let below = |ppm: u32| PPM.checked_sub(u64::from(ppm)).ok_or(MathError::Overflow);
        let above = |ppm: u32| PPM.checked_add(u64::from(ppm)).ok_or(MathError::Overflow);
        let (start, end) = match side {
            Side::Buy => {
                let end = ticks(side, price, above(range.end_ppm)?, tick_e8)?.min(limit.0);
                (ticks(side, price, below(range.start_ppm)?, tick_e8)?.min(end), end)
            }
            Side::Sell => {
                let end = ticks(side, price, below(range.end_ppm)?, tick_e8)?.max(limit.0);
                (ticks(side, price, above(range.start_ppm)?, tick_e8)?.max(end), end)
            }
        };
        let reference = ticks(side, price, PPM, tick_e8)?;
        let slots = slots(start.abs_diff(end), reference, range.percent_slots)?;
        Ok(Self { side, start: PriceTicks(start), end: PriceTicks(end), slots })
    }

    /// Return the price after so many slots: the worst that a maker may offer then.
    pub fn price(&self, elapsed_slots: u64) -> Result<PriceTicks, MathError> {
        let elapsed = u128::from(elapsed_slots.min(self.slots));
        let width = u128::from(self.start.0.abs_diff(self.end.0));
        let moved = u64::try_from(mul_div_floor(width, elapsed, u128::from(self.slots))?).map_err(|_| MathError::Overflow)?;
        let price = if self.end >= self.start { self.start.0.checked_add(moved) } else { self.start.0.checked_sub(moved) };
        price.map(PriceTicks).ok_or(MathError::Overflow)
    }

    /// Is an offer as good for the taker as this price, or better?
    pub fn accepts(&self, offer: PriceTicks, price: PriceTicks) -> bool {
        match self.side {
            Side::Buy => offer <= price && offer.0 > 0,
            Side::Sell => offer >= price,
        }
    }
}

/// Return how many slots a width takes, of a percent of the reference so many: rounded up, one at least.
fn slots(width_ticks: u64, reference_ticks: u64, percent_slots: u32) -> Result<u64, MathError> {
    let hundredfold = u128::from(percent_slots).checked_mul(100).ok_or(MathError::Overflow)?;
    let slots = mul_div_ceil(u128::from(width_ticks), hundredfold, u128::from(reference_ticks))?;
    u64::try_from(slots.clamp(1, u128::from(MOST_SLOTS))).map_err(|_| MathError::Overflow)
}
