use anchor_lang::prelude::*;
use oracle::{allows, Action, Feed};
use perp_dex::{
    health::{markets_of, Health},
    state::{Market, User},
};

use crate::error::LiquidationError;

/// Markets, each with the oracle's latest price, and their accounts as they were given.
pub struct Prices<'info> {
    pub markets: Vec<Box<Market>>,
    pub accounts: &'info [AccountInfo<'info>],
}

/// Read further accounts: markets, then the feed of each. A market must have observed the latest price of its feed, so that nobody is judged
/// by a price that was kept back.
pub fn latest_prices<'info>(further: &'info [AccountInfo<'info>], now: i64) -> Result<Prices<'info>> {
    require!(further.len() & 1 == 0, LiquidationError::WrongAccounts);
    let (accounts, feeds) = further.split_at(further.len() >> 1);
    let markets = markets_of(accounts)?;
    for (market, account) in markets.iter().zip(feeds) {
        require_keys_eq!(account.key(), market.feed, LiquidationError::WrongAccounts);
        let feed = Box::new(Account::<Feed>::try_from(account)?);
        let latest = feed.published_at == market.published_at && feed.price_e8 == market.price_e8;
        require!(latest && allows(feed.state_at(now), Action::Liquidate), LiquidationError::BadPriceState);
    }
    Ok(Prices { markets, accounts })
}

/// Return the account's health where it is below maintenance as it is and in every state that pending batches may bring, else nothing.
pub fn shortage(user: &User, markets: &[Box<Market>], now: i64) -> Result<Option<Health>> {
    let mut final_health = None;
    for outlook in user.outlooks()? {
        for position in outlook.open_positions() {
            let market = markets.iter().find(|market| market.market_id == position.market_id).ok_or(LiquidationError::WrongAccounts)?;
            require!(market.may_liquidate, LiquidationError::BadPriceState);
        }
        let health = Health::of(&outlook, markets, now)?;
        if outlook.is_flat() || health.equity >= health.maintenance {
            return Ok(None);
        }
        final_health = final_health.or(Some(health));
    }
    Ok(final_health)
}
