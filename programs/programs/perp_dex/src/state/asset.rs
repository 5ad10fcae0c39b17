use anchor_lang::prelude::*;

use crate::error::DexError;

/// The asset that prices, fees and margins are counted in.
pub const QUOTE: u8 = 0;
pub const MAX_ASSETS: usize = 4;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Default, PartialEq, Eq, InitSpace)]
pub struct Limits {
    pub deposit_cap_atoms: u64,
    pub hour_atoms: u64,
    pub day_atoms: u64,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Default, InitSpace)]
pub struct Window {
    pub started_at: i64,
    pub used_atoms: u64,
}

#[account]
#[derive(InitSpace)]
pub struct Asset {
    pub mint: Pubkey,
    pub vault: Pubkey,
    pub index: u8,
    pub bump: u8,
    pub vault_bump: u8,
    pub authority_bump: u8,
    /// The sum of all accounts' final balances; the vault holds exactly this much for them.
    pub total_atoms: u64,
    pub limits: Limits,
    /// Raised limits that wait, and when they begin (0: none wait).
    pub next_limits: Limits,
    pub next_limits_at: i64,
    pub hour: Window,
    pub day: Window,
}

impl Window {
    fn take(&mut self, amount: u64, limit: u64, length_s: i64, now: i64) -> Result<()> {
        if now.saturating_sub(self.started_at) >= length_s {
            *self = Self { started_at: now, used_atoms: 0 };
        }
        let used = self.used_atoms.checked_add(amount).ok_or(DexError::Overflow)?;
        require!(used <= limit, DexError::WithdrawalLimit);
        self.used_atoms = used;
        Ok(())
    }
}

impl Limits {
    fn lowest(self, other: Self) -> Self {
        Self {
            deposit_cap_atoms: self.deposit_cap_atoms.min(other.deposit_cap_atoms),
            hour_atoms: self.hour_atoms.min(other.hour_atoms),
            day_atoms: self.day_atoms.min(other.day_atoms),
        }
    }
}

impl Asset {
    pub fn add(&mut self, amount: u64) -> Result<()> {
        self.total_atoms = self.total_atoms.checked_add(amount).ok_or(DexError::Overflow)?;
        Ok(())
    }

    pub fn remove(&mut self, amount: u64) -> Result<()> {
        self.total_atoms = self.total_atoms.checked_sub(amount).ok_or(DexError::InvariantBroken)?;
        Ok(())
    }

    /// Tighten at once; what is looser waits.
    pub fn set_limits(&mut self, wanted: Limits, now: i64, loosening_s: i64) {
        self.begin_limits(now);
        self.limits = self.limits.lowest(wanted);
        let waits = self.limits != wanted;
        self.next_limits = if waits { wanted } else { Limits::default() };
        self.next_limits_at = if waits { now.saturating_add(loosening_s) } else { 0 };
    }

    /// Take up limits whose time has come.
    pub fn begin_limits(&mut self, now: i64) {
        if self.next_limits_at != 0 && now >= self.next_limits_at {
            self.limits = self.next_limits;
            self.next_limits = Limits::default();
            self.next_limits_at = 0;
        }
    }

    pub fn take_from_limits(&mut self, amount: u64, now: i64) -> Result<()> {
        self.begin_limits(now);
        self.hour.take(amount, self.limits.hour_atoms, HOUR_S, now)?;
        self.day.take(amount, self.limits.day_atoms, DAY_S, now)
    }

    /// The vault never holds less than what accounts own; a gift to it changes nothing.
    pub fn invariant(&self, vault_atoms: u64) -> Result<()> {
        require!(vault_atoms >= self.total_atoms, DexError::InvariantBroken);
        Ok(())
    }
}
