use anchor_lang::prelude::*;
use oracle::{allows, Action, Feed};

use crate::{
    error::DexError,
    event::MarketObserved,
    state::{Exchange, Market},
};

/// Anyone may turn this crank; in a frozen exchange prices stand still.
#[derive(Accounts)]
pub struct ObserveMarket<'info> {
    #[account(seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(mut, seeds = [b"market", market.market_id.to_le_bytes().as_ref()], bump = market.bump, has_one = feed @ DexError::WrongAccounts)]
    pub market: Box<Account<'info, Market>>,
    pub feed: Box<Account<'info, Feed>>,
}

pub(crate) fn handle(ctx: Context<ObserveMarket>) -> Result<()> {
    require!(!ctx.accounts.exchange.is_frozen(), DexError::WrongPhase);
    let (feed, market) = (&ctx.accounts.feed, &mut ctx.accounts.market);
    let now = Clock::get()?.unix_timestamp;
    require!(now >= market.opens_at, DexError::TooEarly);
    let state = feed.state_at(now);
    require!(allows(state, Action::Settle), DexError::BadPriceState);
    require!(feed.published_at >= market.published_at, DexError::BadPriceState);
    market.observe(feed.price_e8, feed.average_e8, feed.published_at, allows(state, Action::Withdraw), allows(state, Action::Liquidate));
    emit!(MarketObserved {
        market_id: market.market_id,
        price_e8: market.price_e8,
        low_e8: market.low_e8,
        high_e8: market.high_e8,
        published_at: market.published_at,
    });
    market.invariant()
}
