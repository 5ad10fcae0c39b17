//! Can a maker keep his bid?

use anchor_lang::prelude::*;
use fixed_point::{trade_value, PriceTicks, SizeLots};
use perp_dex::{
    health::least_free,
    state::{Market, TradingKey, User, QUOTE},
};

use crate::{error::JitError, state::Bid};

/// What the chain knows of a maker when his bid should be settled.
pub struct Maker<'a> {
    pub user: &'a User,
    pub key: &'a TradingKey,
    pub filled_lots: u64,
    pub bid: &'a Bid,
}

impl Maker<'_> {
    /// Is the bid broken by what its maker did: key, nonce, the same order filled elsewhere, or the margin gone?
    pub fn is_at_fault(&self, market: &Market, markets: &[Box<Market>], lots: i64, now: i64) -> Result<bool> {
        let left = self.bid.order_lots.saturating_sub(self.filled_lots);
        let withdrawn = self.key.revoked_ms != 0 || self.user.min_nonce > self.bid.nonce || left < self.bid.size_lots;
        Ok(withdrawn || !self.has_margin(market, markets, lots, now)?)
    }

    /// The same rule as that of a match: enough margin after it, or a reduction that makes nothing worse.
    fn has_margin(&self, market: &Market, markets: &[Box<Market>], lots: i64, now: i64) -> Result<bool> {
        let mut after = Box::new(self.user.clone());
        let value = trade_value(SizeLots(lots), PriceTicks(self.bid.price_ticks), market.tick_lot_atoms).map_err(JitError::from)?;
        let paid = value.0.checked_neg().and_then(|paid| i64::try_from(paid).ok()).ok_or(JitError::Overflow)?;
        let before = after.holdings.lots(market.market_id);
        after.holdings.add_balance(QUOTE, paid)?;
        if after.holdings.add_lots(market.market_id, lots).is_err() {
            return Ok(false);
        }
        let reduces = before.signum() == lots.signum().saturating_neg() && lots.unsigned_abs() <= before.unsigned_abs();
        let free = least_free(&after, markets, now)?;
        Ok(free >= 0 || reduces && free >= least_free(self.user, markets, now)?)
    }
}
