//! What a pool is worth: rounded down for who leaves, up for who joins.

use anchor_lang::prelude::*;
use perp_dex::{
    health::{markets_of, Health},
    state::{Exchange, Holdings, Market, User, QUOTE},
};

use crate::{error::JitError, state::Pool};

/// The account of a pool and the markets of its positions.
pub struct Account<'a> {
    user: &'a User,
    markets: Vec<Box<Market>>,
    now: i64,
    /// The exchange has ended and paid.
    gone: bool,
}

impl<'a> Account<'a> {
    /// Settle the account in memory, and read its markets from the further accounts. In a frozen exchange nothing has a worth until it has paid.
    pub fn read<'info>(
        pool: &Pool,
        exchange: &Exchange,
        user: &'a mut User,
        further: &'info [AccountInfo<'info>],
        now: i64,
    ) -> Result<Self> {
        require!(!exchange.is_frozen() || pool.collected, JitError::WrongPhase);
        user.settle(exchange)?;
        Ok(Self { user, markets: markets_of(further)?, now, gone: pool.collected })
    }

    fn equities(&self, best: bool) -> Result<Vec<i128>> {
        self.user.outlooks()?.iter().map(|outlook| if best { self.best(outlook) } else { self.strict(outlook) }).collect()
    }

    fn strict(&self, outlook: &Holdings) -> Result<i128> {
        Ok(Health::of(outlook, &self.markets, self.now)?.equity)
    }

    /// At the better of price and average for the owner.
    fn best(&self, outlook: &Holdings) -> Result<i128> {
        let mut equity = i128::from(outlook.balances[usize::from(QUOTE)]);
        for position in outlook.open_positions() {
            let market = self.markets.iter().find(|market| market.market_id == position.market_id).ok_or(JitError::WrongAccounts)?;
            require!(market.fresh(self.now) && market.may_withdraw, JitError::BadPriceState);
            let (price, average) = (market.price_e8, market.average_e8);
            let chosen = if position.lots >= 0 { price.max(average) } else { price.min(average) };
            equity = equity.checked_add(market.value(position.lots, chosen)?.0).ok_or(JitError::Overflow)?;
        }
        Ok(equity)
    }

    fn total(&self, pool: &Pool, equity: i128) -> Result<shares::Pool> {
        let equity = if self.gone { 0 } else { equity };
        let worth = equity.checked_add(i128::from(pool.idle_atoms)).ok_or(JitError::Overflow)?.max(0);
        Ok(shares::Pool { assets_atoms: u64::try_from(worth).map_err(|_| JitError::Overflow)?, shares: pool.shares })
    }

    pub fn lowest(&self, pool: &Pool) -> Result<shares::Pool> {
        let least = self.equities(false)?.into_iter().min().unwrap_or(0);
        self.total(pool, least)
    }

    pub fn highest(&self, pool: &Pool) -> Result<shares::Pool> {
        let most = self.equities(true)?.into_iter().max().unwrap_or(0);
        self.total(pool, most)
    }
}
