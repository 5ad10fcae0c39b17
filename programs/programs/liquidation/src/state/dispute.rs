use anchor_lang::prelude::*;

use super::Debt;
use crate::error::LiquidationError;

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub enum Verdict {
    Open,
    Upheld,
    Rejected,
}

/// What an owner holds against a liquidation, under a bond.
#[account]
#[derive(InitSpace)]
pub struct Dispute {
    pub liquidation: Pubkey,
    pub owner: Pubkey,
    pub bump: u8,
    pub claim_atoms: u64,
    pub bond_atoms: u64,
    pub decide_by: i64,
    pub verdict: Verdict,
    pub debt: Debt,
}

impl Dispute {
    pub fn invariant(&self) -> Result<()> {
        let ok = self.debt.owed_atoms <= self.claim_atoms && (self.verdict == Verdict::Upheld || self.debt == Debt::default());
        require!(ok, LiquidationError::InvariantBroken);
        Ok(())
    }
}
