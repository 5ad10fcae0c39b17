use anchor_lang::prelude::*;
use fixed_point::mul_div_ceil;
use perp_dex::state::Exchange;

use super::{Kind, Parameters, PPM};
use crate::error::GovernanceError;

/// Signs what is executed: the authority of other programs, and the one that may upgrade them.
pub const AUTHORITY: &[u8] = b"authority";

#[account]
#[derive(InitSpace)]
pub struct Governance {
    /// May tighten and veto, never loosen.
    pub guardian: Pubkey,
    pub stake_mint: Pubkey,
    pub stake_vault: Pubkey,
    pub parameters: Parameters,
    /// Raised by every change of parameters or guardian; proposals of an older one are void.
    pub epoch: u64,
    pub proposals: u64,
    /// The sum of all stakes.
    pub staked_atoms: u64,
    pub bump: u8,
    pub authority_bump: u8,
    pub stake_authority_bump: u8,
}

impl Governance {
    /// Return how long after a vote its instructions wait: everybody who asks to leave during the vote or soon after it must be out before.
    pub fn wait_s(&self, kind: Kind, exchange: &Exchange) -> i64 {
        match kind {
            Kind::Tightening => 0,
            Kind::Loosening => self.parameters.loosening_s.max(exchange.parameters.exit_s.saturating_mul(2)),
        }
    }

    /// Return how much must say yes to a vote that begins now.
    pub fn quorum_atoms(&self) -> Result<u64> {
        let share = mul_div_ceil(u128::from(self.staked_atoms), u128::from(self.parameters.quorum_ppm), u128::from(PPM));
        let share = u64::try_from(share.map_err(GovernanceError::from)?).map_err(|_| GovernanceError::Overflow)?;
        Ok(share.max(self.parameters.quorum_atoms))
    }

    pub fn add_stake(&mut self, amount_atoms: u64) -> Result<()> {
        self.staked_atoms = self.staked_atoms.checked_add(amount_atoms).ok_or(GovernanceError::Overflow)?;
        Ok(())
    }

    pub fn remove_stake(&mut self, amount_atoms: u64) -> Result<()> {
        self.staked_atoms = self.staked_atoms.checked_sub(amount_atoms).ok_or(GovernanceError::InvariantBroken)?;
        Ok(())
    }

    /// Number one more proposal.
    pub fn count_proposal(&mut self) -> Result<u64> {
        self.proposals = self.proposals.checked_add(1).ok_or(GovernanceError::Overflow)?;
        Ok(self.proposals)
    }

    pub fn turn_epoch(&mut self) -> Result<()> {
        self.epoch = self.epoch.checked_add(1).ok_or(GovernanceError::Overflow)?;
        Ok(())
    }

    /// The vault never holds less than what is staked; a gift to it changes nothing.
    pub fn invariant(&self, vault_atoms: u64) -> Result<()> {
        require!(vault_atoms >= self.staked_atoms, GovernanceError::InvariantBroken);
        Ok(())
    }
}
