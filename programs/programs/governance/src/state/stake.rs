use anchor_lang::prelude::*;

use super::Proposal;
use crate::error::GovernanceError;

/// Tokens locked at one moment. It never grows: who locks more later takes another number, so that each has one age.
#[account]
#[derive(InitSpace)]
pub struct Stake {
    pub owner: Pubkey,
    pub number: u16,
    pub bump: u8,
    pub amount_atoms: u64,
    pub staked_slot: u64,
    pub locked_until: i64,
}

/// A vote stays: one for each stake and proposal, whatever becomes of the stake.
#[account]
#[derive(InitSpace)]
pub struct Vote {
    pub proposal: Pubkey,
    pub stake: Pubkey,
    pub approves: bool,
    pub atoms: u64,
    pub bump: u8,
}

impl Stake {
    /// Return what the stake weighs, and lock it: what was borrowed for a vote cannot be given back before the vote's consequences are known.
    pub fn commit(&mut self, proposal: &Proposal) -> Result<u64> {
        require!(self.staked_slot < proposal.begun_slot, GovernanceError::StakedTooLate);
        self.locked_until = self.locked_until.max(proposal.locks_until);
        Ok(self.amount_atoms)
    }

    pub fn invariant(&self) -> Result<()> {
        require!(self.amount_atoms > 0, GovernanceError::InvariantBroken);
        Ok(())
    }
}
