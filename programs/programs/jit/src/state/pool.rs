use anchor_lang::prelude::*;

use crate::error::JitError;

/// Names the address that owns a pool's vault and its account of the exchange.
pub const OWNER: &[u8] = b"pool_owner";

/// One manager's pool. What is idle is counted here; the rest is what its account of the exchange is worth.
#[account]
#[derive(InitSpace)]
pub struct Pool {
    pub manager: Pubkey,
    pub bump: u8,
    /// Owns the vault and the account; holds no data, so that it can pay rent.
    pub owner_bump: u8,
    pub vault: Pubkey,
    pub user: Pubkey,
    pub idle_atoms: u64,
    pub shares: u128,
    /// The exchange has ended and paid the pool's share out.
    pub collected: bool,
}

#[account]
#[derive(InitSpace)]
pub struct Member {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub bump: u8,
    /// Requested ones included.
    pub shares: u128,
    pub requested_shares: u128,
    /// What they were worth when it was requested: no more is paid.
    pub requested_atoms: u64,
    /// 0: there is no request.
    pub requested_at: i64,
}

impl Pool {
    pub fn add_idle(&mut self, amount: u64) -> Result<()> {
        self.idle_atoms = self.idle_atoms.checked_add(amount).ok_or(JitError::Overflow)?;
        Ok(())
    }

    pub fn take_idle(&mut self, amount: u64) -> Result<()> {
        self.idle_atoms = self.idle_atoms.checked_sub(amount).ok_or(JitError::Illiquid)?;
        Ok(())
    }

    pub fn invariant(&self, vault_atoms: u64) -> Result<()> {
        require!(vault_atoms >= self.idle_atoms, JitError::InvariantBroken);
        Ok(())
    }
}

impl Member {
    /// Is there a request whose time has come and is not over?
    pub fn require_due(&self, leave_s: i64, claim_s: i64, now: i64) -> Result<()> {
        require!(self.requested_at != 0, JitError::WrongRequest);
        let waited_s = now.saturating_sub(self.requested_at).saturating_sub(leave_s);
        require!(waited_s >= 0, JitError::TooEarly);
        require!(waited_s <= claim_s, JitError::TooLate);
        Ok(())
    }

    pub fn clear(&mut self) {
        self.requested_shares = 0;
        self.requested_atoms = 0;
        self.requested_at = 0;
    }

    pub fn invariant(&self, pool: &Pool) -> Result<()> {
        let ok =
            self.requested_shares <= self.shares && self.shares <= pool.shares && (self.requested_at == 0) == (self.requested_shares == 0);
        require!(ok, JitError::InvariantBroken);
        Ok(())
    }
}
