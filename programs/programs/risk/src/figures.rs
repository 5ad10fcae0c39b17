use anchor_lang::prelude::*;
use perp_dex::{
    health::Health,
    state::{Market, User},
};

use crate::error::RiskError;

/// In quote atoms. Equity is at strict prices: of price and average the worse for the owner.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Default, Debug, PartialEq, Eq, InitSpace)]
pub struct Figures {
    pub equity_atoms: i64,
    pub initial_atoms: i64,
    pub maintenance_atoms: i64,
    /// Equity less initial margin.
    pub free_atoms: i64,
}

fn narrow(atoms: i128) -> Result<i64> {
    i64::try_from(atoms).map_err(|_| RiskError::Overflow.into())
}

impl Figures {
    pub fn new(health: &Health, free: i128) -> Result<Self> {
        Ok(Self {
            equity_atoms: narrow(health.equity)?,
            initial_atoms: narrow(health.initial)?,
            maintenance_atoms: narrow(health.maintenance)?,
            free_atoms: narrow(free)?,
        })
    }

    /// Return the figures of the outlook in which the account is closest to its maintenance margin.
    pub fn at_worst(user: &User, markets: &[Box<Market>], now: i64) -> Result<Self> {
        let mut worst: Option<Self> = None;
        for outlook in user.outlooks()? {
            let health = Health::of(&outlook, markets, now)?;
            let figures = Self::new(&health, health.free())?;
            if worst.is_none_or(|known| figures.excess_atoms() < known.excess_atoms()) {
                worst = Some(figures);
            }
        }
        worst.ok_or_else(|| RiskError::WrongAccounts.into())
    }

    /// Equity above maintenance; negative: the account can be liquidated.
    pub fn excess_atoms(&self) -> i128 {
        i128::from(self.equity_atoms).saturating_sub(i128::from(self.maintenance_atoms))
    }

    pub fn checked_add(&self, other: &Self) -> Result<Self> {
        let sum = |first: i64, second: i64| first.checked_add(second).ok_or(RiskError::Overflow);
        Ok(Self {
            equity_atoms: sum(self.equity_atoms, other.equity_atoms)?,
            initial_atoms: sum(self.initial_atoms, other.initial_atoms)?,
            maintenance_atoms: sum(self.maintenance_atoms, other.maintenance_atoms)?,
            free_atoms: sum(self.free_atoms, other.free_atoms)?,
        })
    }
}

/// A margin call needs prices on which an account may be liquidated, for every position.
pub fn require_sure_prices(user: &User, markets: &[Box<Market>]) -> Result<()> {
    for outlook in user.outlooks()? {
        for position in outlook.open_positions() {
            let market = markets.iter().find(|market| market.market_id == position.market_id).ok_or(RiskError::WrongAccounts)?;
            require!(market.may_liquidate, RiskError::BadPriceState);
        }
    }
    Ok(())
}
