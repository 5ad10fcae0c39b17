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
    pub bid: &'a Bid,
}

impl Maker<'_> {
    /// Is the bid broken by what its maker did: the key, the nonce or the margin gone? That its order was filled elsewhere is no fault: anyone
    /// can match an order that is on chain.
    pub fn is_at_fault(&self, market: &Market, markets: &[Box<Market>], lots: i64, now: i64) -> Result<bool> {
        let withdrawn = self.key.revoked_ms != 0 || self.user.min_nonce > self.bid.nonce;
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
