use fixed_point::{charge, trade_value, MathError, PriceTicks, QuoteAtoms, SizeLots};

use crate::{Domain, Order, Side};

/// One side of a match, as somebody claims that a signed order allows it.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    pub domain: Domain,
    pub market_id: u32,
    pub size_lots: u64,
    pub price_ticks: u64,
    pub fee_atoms: i64,
    pub time_ms: u64,
    /// Lots of the order that were filled before this one.
    pub filled_lots: u64,
    /// The account's position before this fill.
    pub position_lots: i64,
}

/// Why a signed order does not allow a fill, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FillError {
    OtherDomain,
    OtherMarket,
    Expired,
    NoSize,
    Overfilled,
    OutsideLimit,
    FeeAboveCap,
    NotReducing,
    Math(MathError),
}

impl From<MathError> for FillError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

impl Order {
    /// Refuse a fill that the owner did not sign for.
    pub fn allow(&self, fill: &Fill, tick_lot_atoms: u64) -> Result<(), FillError> {
        if self.domain != fill.domain {
            return Err(FillError::OtherDomain);
        }
        if self.market_id != fill.market_id {
            return Err(FillError::OtherMarket);
        }
        if fill.time_ms >= self.expiry_ms {
            return Err(FillError::Expired);
        }
        if fill.size_lots == 0 {
            return Err(FillError::NoSize);
        }
        if fill.filled_lots.checked_add(fill.size_lots).is_none_or(|filled| filled > self.size_lots) {
            return Err(FillError::Overfilled);
        }
        let inside = match self.side {
            Side::Buy => fill.price_ticks <= self.limit_ticks,
            Side::Sell => fill.price_ticks >= self.limit_ticks,
        };
        if !inside || fill.price_ticks == 0 {
            return Err(FillError::OutsideLimit);
        }
        self.allow_fee(fill, tick_lot_atoms)?;
        self.allow_direction(fill)
    }

    fn allow_fee(&self, fill: &Fill, tick_lot_atoms: u64) -> Result<(), FillError> {
        let size = SizeLots(i64::try_from(fill.size_lots).map_err(|_| MathError::Overflow)?);
        let value = trade_value(size, PriceTicks(fill.price_ticks), tick_lot_atoms)?;
        let cap = charge(value, i64::from(self.fee_cap_ppm))?;
        if QuoteAtoms(i128::from(fill.fee_atoms)) > cap {
            return Err(FillError::FeeAboveCap);
        }
        Ok(())
    }

    fn allow_direction(&self, fill: &Fill) -> Result<(), FillError> {
        let opposite = match self.side {
            Side::Buy => fill.position_lots < 0,
            Side::Sell => fill.position_lots > 0,
        };
        if self.reduce_only && !(opposite && fill.size_lots <= fill.position_lots.unsigned_abs()) {
            return Err(FillError::NotReducing);
        }
        Ok(())
    }

    /// Return the change of position that a size of this order makes: longs are positive.
    pub fn signed_lots(&self, size_lots: u64) -> Result<i64, MathError> {
        let size = i64::try_from(size_lots).map_err(|_| MathError::Overflow)?;
        match self.side {
            Side::Buy => Ok(size),
            Side::Sell => size.checked_neg().ok_or(MathError::Overflow),
        }
    }
}
