use anchor_lang::prelude::*;

use super::Fund;
use crate::error::LiquidationError;

/// One person's shares of the fund.
#[account]
#[derive(InitSpace)]
pub struct Stake {
    pub owner: Pubkey,
    pub bump: u8,
    pub generation: u64,
    /// Requested ones included.
    pub shares: u128,
    pub requested_shares: u128,
    /// What they were worth when it was requested: no more is paid.
    pub requested_atoms: u64,
    /// 0: there is no request.
    pub requested_at: i64,
}

impl Stake {
    /// Begin anew where a loss used up the shares.
    pub fn enter(&mut self, fund: &Fund) {
        if self.generation != fund.generation {
            self.generation = fund.generation;
            self.shares = 0;
            self.clear();
        }
    }

    pub fn require_alive(&self, fund: &Fund) -> Result<()> {
        require!(self.generation == fund.generation, LiquidationError::WrittenOff);
        Ok(())
    }

    pub fn clear(&mut self) {
        self.requested_shares = 0;
        self.requested_atoms = 0;
        self.requested_at = 0;
    }

    pub fn burn(&mut self, shares: u128) -> Result<()> {
        self.shares = self.shares.checked_sub(shares).ok_or(LiquidationError::InvariantBroken)?;
        Ok(())
    }

    pub fn invariant(&self, fund: &Fund) -> Result<()> {
        let ok =
            self.requested_shares <= self.shares && self.shares <= fund.shares && (self.requested_at == 0) == (self.requested_shares == 0);
        require!(ok, LiquidationError::InvariantBroken);
        Ok(())
    }
}
