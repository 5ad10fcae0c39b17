//! What a signed order must be to be auctioned, or to answer one.

use anchor_lang::prelude::*;
use fixed_point::{trade_value, PriceTicks, SizeLots};
use order::{Domain, Order};
use perp_dex::{
    ed25519::verified_before,
    state::{Exchange, Market, OrderFills, Phase, TradingKey, User},
};

use crate::{
    error::JitError,
    state::{Auction, Bid},
};

/// Everything that a signed order is judged by.
pub struct Desk<'a> {
    pub exchange: &'a Exchange,
    pub market: &'a Market,
    pub now: i64,
}

pub fn in_ms(seconds: i64) -> Result<u64> {
    u64::try_from(seconds).ok().and_then(|value| value.checked_mul(1_000)).ok_or_else(|| JitError::Overflow.into())
}

pub fn require_fallback(exchange: &Exchange) -> Result<()> {
    require!(exchange.phase == Phase::Fallback && !exchange.batch_open, JitError::WrongPhase);
    Ok(())
}

impl Desk<'_> {
    /// Read the order that the instruction before this one verified, and refuse what `perp_dex` would not match until `until_ms`.
    pub fn order(&self, sysvar: &AccountInfo, hash: &[u8; 32], key: &TradingKey, user: &User, until_ms: u64) -> Result<Order> {
        require_fallback(self.exchange)?;
        require!(self.market.fresh(self.now) && self.market.may_withdraw, JitError::BadPriceState);
        let signed = verified_before(sysvar, 1)?.pop().ok_or(JitError::NoSignature)?;
        require!(solana_sha256_hasher::hash(&signed.message).to_bytes() == *hash, JitError::NoSignature);
        require_keys_eq!(signed.key, key.key, JitError::KeyRefused);
        let order = Order::decode(&signed.message).map_err(|_| JitError::NotAnOrder)?;
        let domain = Domain { program: perp_dex::ID.to_bytes(), genesis_hash: self.exchange.genesis_hash };
        let own = order.owner == user.owner.to_bytes() && order.sub_account == user.sub_account;
        require!(order.domain == domain && order.market_id == self.market.market_id && own, JitError::OtherDomain);
        require!(order.expiry_ms > until_ms, JitError::Expired);
        require!(order.nonce >= user.min_nonce && order.nonce >= in_ms(self.exchange.phase_at)?, JitError::OldNonce);
        let size = SizeLots(i64::try_from(order.size_lots).map_err(|_| JitError::Overflow)?);
        let value = trade_value(size, PriceTicks(order.limit_ticks), self.market.tick_lot_atoms).map_err(JitError::from)?;
        key.allow(order.market_id, value.0, in_ms(self.now)?)?;
        require!(key.expires_ms > until_ms, JitError::KeyRefused);
        Ok(order)
    }
}

/// Return how much can still be filled of both orders together.
pub fn left_lots(auction: &Auction, bid: &Bid, taker_fills: &AccountInfo, maker_fills: &AccountInfo) -> Result<u64> {
    let taken = auction.order_lots.saturating_sub(filled_lots(taker_fills)?);
    let made = bid.order_lots.saturating_sub(filled_lots(maker_fills)?);
    Ok(taken.min(made).min(bid.size_lots))
}

/// Return how many lots the best bid of a complete auction is settled with: none while it runs, for another bid, or when it binds no more.
pub fn settled_lots(exchange: &Exchange, auction: &Auction, bid: &Bid, fills: [&UncheckedAccount; 2], slot: u64) -> Result<u64> {
    require_fallback(exchange)?;
    require!(!auction.is_running(slot), JitError::AuctionRuns);
    require!(auction.binds(slot), JitError::TooLate);
    auction.require_best(&bid.user)?;
    let [taker_fills, maker_fills] = fills;
    let lots = left_lots(auction, bid, taker_fills, maker_fills)?;
    require!(lots > 0, JitError::Overfilled);
    Ok(lots)
}

/// Return how much of an order the chain has seen filled; an account that does not exist yet says nothing.
pub fn filled_lots(account: &AccountInfo) -> Result<u64> {
    if account.owner != &perp_dex::ID {
        return Ok(0);
    }
    Ok(OrderFills::try_deserialize(&mut &account.try_borrow_data()?[..])?.filled_lots())
}
