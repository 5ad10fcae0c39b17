use anchor_lang::prelude::*;
use shares::Pool;

use super::FundParameters;
use crate::error::LiquidationError;

const DAY_S: i64 = 86_400;

/// The insurance fund. What it owns is counted here; a gift to its vault changes nothing.
#[account]
#[derive(InitSpace)]
pub struct Fund {
    pub mint: Pubkey,
    pub vault: Pubkey,
    pub bump: u8,
    pub parameters: FundParameters,
    /// Shares of an older generation are void: a loss used them up.
    pub generation: u64,
    pub assets_atoms: u64,
    pub shares: u128,
    /// Bonds of open disputes lie in the vault, but are not the fund's.
    pub bonds_atoms: u64,
    /// What open recoveries and awards may still take: who leaves now leaves that behind.
    pub reserved_atoms: u64,
    /// What accounts on record are below zero, or were awarded: covered or not, it has a name.
    pub owed_atoms: u64,
    pub day_started_at: i64,
    pub day_used_atoms: u64,
}

fn add(to: &mut u64, amount: u64) -> Result<()> {
    *to = to.checked_add(amount).ok_or(LiquidationError::Overflow)?;
    Ok(())
}

fn take(from: &mut u64, amount: u64) -> Result<()> {
    *from = from.checked_sub(amount).ok_or(LiquidationError::InvariantBroken)?;
    Ok(())
}

impl Fund {
    pub fn pool(&self) -> Pool {
        Pool { assets_atoms: self.assets_atoms, shares: self.shares }
    }

    pub fn set_pool(&mut self, pool: Pool) {
        self.assets_atoms = pool.assets_atoms;
        self.shares = pool.shares;
    }

    /// Return what shares are worth to somebody who leaves: what is reserved stays.
    pub fn value_of(&self, shares: u128) -> Result<u64> {
        let free = Pool { assets_atoms: self.assets_atoms.saturating_sub(self.reserved_atoms), shares: self.shares };
        free.value_of(shares).map_err(|_| LiquidationError::Overflow.into())
    }

    pub fn earn(&mut self, amount: u64) -> Result<()> {
        let mut pool = self.pool();
        pool.earn(amount).map_err(LiquidationError::from)?;
        self.set_pool(pool);
        Ok(())
    }

    /// Return what the day and the fund allow to pay.
    pub fn payable(&mut self, now: i64) -> u64 {
        if now.saturating_sub(self.day_started_at) >= DAY_S {
            self.day_started_at = now;
            self.day_used_atoms = 0;
        }
        self.parameters.day_atoms.saturating_sub(self.day_used_atoms).min(self.assets_atoms)
    }

    /// Pay as much of what is wanted as can be. Shares that this leaves all but worthless are void.
    pub fn pay(&mut self, wanted: u64, now: i64) -> Result<u64> {
        let paid = wanted.min(self.payable(now));
        require!(paid > 0, LiquidationError::OutsideBounds);
        add(&mut self.day_used_atoms, paid)?;
        let mut pool = self.pool();
        pool.lose(paid).map_err(LiquidationError::from)?;
        if pool.is_used_up().map_err(|_| LiquidationError::Overflow)? {
            pool.shares = 0;
            add(&mut self.generation, 1)?;
        }
        self.set_pool(pool);
        Ok(paid)
    }

    /// Replace what one record owes and holds back by what it does now.
    pub fn restate(&mut self, before: Debt, after: Debt) -> Result<()> {
        take(&mut self.owed_atoms, before.owed_atoms)?;
        take(&mut self.reserved_atoms, before.reserved_atoms)?;
        add(&mut self.owed_atoms, after.owed_atoms)?;
        add(&mut self.reserved_atoms, after.reserved_atoms)
    }

    pub fn hold_bond(&mut self, amount: u64) -> Result<()> {
        add(&mut self.bonds_atoms, amount)
    }

    pub fn release_bond(&mut self, amount: u64) -> Result<()> {
        take(&mut self.bonds_atoms, amount)
    }

    /// The vault holds what shares own and every bond; no more is reserved than is owed.
    pub fn invariant(&self, vault_atoms: u64) -> Result<()> {
        let counted = self.assets_atoms.checked_add(self.bonds_atoms).ok_or(LiquidationError::Overflow)?;
        require!(vault_atoms >= counted && self.reserved_atoms <= self.owed_atoms, LiquidationError::InvariantBroken);
        Ok(())
    }
}

/// What a record stands for in the fund's books.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Default, Debug, PartialEq, Eq, InitSpace)]
pub struct Debt {
    pub owed_atoms: u64,
    pub reserved_atoms: u64,
}
