//! What an account is worth, and what it needs.

use anchor_lang::prelude::*;
use fixed_point::QuoteAtoms;
use margin::{initial_margin, maintenance_margin};

use crate::{
    error::DexError,
    state::{Holdings, Market, User, QUOTE},
};

/// Equity at strict prices, and what the positions need; all in quote atoms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    pub equity: i128,
    pub initial: i128,
    pub maintenance: i128,
}

impl Health {
    /// Value holdings. Every market with a position must be given, with a fresh price.
    pub fn of(holdings: &Holdings, markets: &[Box<Market>], now: i64) -> Result<Self> {
        let mut health = Self { equity: i128::from(holdings.balances[usize::from(QUOTE)]), initial: 0, maintenance: 0 };
        for position in holdings.open_positions() {
            let market = markets.iter().find(|market| market.market_id == position.market_id).ok_or(DexError::WrongAccounts)?;
            require!(market.fresh(now) && market.may_withdraw, DexError::BadPriceState);
            let notional = QuoteAtoms(market.value(position.lots, market.price_e8)?.0.abs());
            let tiers = market.tiers();
            health.add(market.strict_value(position.lots)?, notional, &tiers)?;
        }
        Ok(health)
    }

    pub fn add(&mut self, value: QuoteAtoms, notional: QuoteAtoms, tiers: &[margin::Tier]) -> Result<()> {
        let initial = initial_margin(notional, u32::MAX, tiers).map_err(DexError::from)?;
        let maintenance = maintenance_margin(notional, tiers).map_err(DexError::from)?;
        self.equity = self.equity.checked_add(value.0).ok_or(DexError::Overflow)?;
        self.initial = self.initial.checked_add(initial.0).ok_or(DexError::Overflow)?;
        self.maintenance = self.maintenance.checked_add(maintenance.0).ok_or(DexError::Overflow)?;
        Ok(())
    }

    pub fn free(&self) -> i128 {
        self.equity.saturating_sub(self.initial)
    }
}

/// Return the least free collateral over what the account is and what pending batches make of it.
pub fn least_free(user: &User, markets: &[Box<Market>], now: i64) -> Result<i128> {
    let mut least = i128::MAX;
    for outlook in user.outlooks()? {
        least = least.min(Health::of(&outlook, markets, now)?.free());
    }
    Ok(least)
}

/// Return how much of an asset may leave now: final, not claimed by pending batches, and not needed as margin.
pub fn withdrawable(user: &User, asset: u8, markets: &[Box<Market>], now: i64) -> Result<u64> {
    let mut most = i128::from(user.unclaimed(asset)?);
    if asset == QUOTE {
        let outlooks = user.outlooks()?;
        if outlooks.iter().any(|outlook| !outlook.is_flat()) {
            // With open positions the balance holds their cost; margin and principal say what is free.
            most = i128::from(user.principal_atoms).min(least_free(user, markets, now)?);
        }
    }
    Ok(u64::try_from(most.max(0)).unwrap_or(u64::MAX))
}

/// Read the markets among further accounts; anything else is refused.
pub fn markets_of<'info>(accounts: &'info [AccountInfo<'info>]) -> Result<Vec<Box<Market>>> {
    accounts.iter().map(|account| Account::<Market>::try_from(account).map(|market| Box::new(market.into_inner()))).collect()
}
