use anchor_lang::prelude::*;

use crate::error::DexError;

/// Any market.
pub const EVERY_MARKET: u32 = u32::MAX;
/// The engine hears of a revocation, or of cancelled nonces, when it is final. What it matched until then can be proven for so long.
pub const NOTICE_MS: u64 = 120_000;

/// A key that may sign orders of one account; it can never withdraw. Revoked keys stay, so that old fills can still be proven.
#[account]
#[derive(InitSpace)]
pub struct TradingKey {
    pub user: Pubkey,
    pub key: Pubkey,
    pub bump: u8,
    pub market_id: u32,
    /// No single order is worth more than this at its limit.
    pub cap_atoms: u64,
    pub created_ms: u64,
    pub expires_ms: u64,
    /// 0 while it is not revoked.
    pub revoked_ms: u64,
    /// Held by the platform for accounts that do not sign for themselves.
    pub custodied: bool,
}

impl TradingKey {
    /// Refuse what the key may not sign, at the time of a match on chain.
    pub fn allow(&self, market_id: u32, value_atoms: i128, time_ms: u64) -> Result<()> {
        self.allow_until(self.revoked_ms, market_id, value_atoms, time_ms)
    }

    /// Refuse what the key may not sign, at the time of a fill of the engine's.
    pub fn allow_in_batch(&self, market_id: u32, value_atoms: i128, time_ms: u64) -> Result<()> {
        self.allow_until(self.revoked_ms.saturating_add(NOTICE_MS), market_id, value_atoms, time_ms)
    }

    fn allow_until(&self, end_ms: u64, market_id: u32, value_atoms: i128, time_ms: u64) -> Result<()> {
        let scope = self.market_id == EVERY_MARKET || self.market_id == market_id;
        let begun = self.created_ms <= time_ms && time_ms < self.expires_ms;
        let alive = self.revoked_ms == 0 || time_ms < end_ms;
        require!(scope && begun && alive && value_atoms <= i128::from(self.cap_atoms), DexError::KeyRefused);
        Ok(())
    }
}
