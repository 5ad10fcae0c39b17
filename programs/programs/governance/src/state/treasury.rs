use anchor_lang::prelude::*;

use crate::error::GovernanceError;

const HOUR_S: u64 = 3_600;
/// The running hour and 24 before it: whatever 24 hours one looks at, they lie in these.
const HOURS: usize = 25;

/// What governance owns of one token. Its own authority signs for its vault, so that nothing that is executed reaches it but `pay`.
#[account]
#[derive(InitSpace)]
pub struct Treasury {
    pub mint: Pubkey,
    pub vault: Pubkey,
    pub bump: u8,
    pub authority_bump: u8,
    pub cap_day_atoms: u64,
    /// A higher cap that waits, and when it begins (0: none waits).
    pub next_cap_atoms: u64,
    pub next_cap_at: i64,
    /// What went out in each of the last hours, by number of the hour.
    pub paid_atoms: [u64; HOURS],
    pub last_hour: u64,
}

impl Treasury {
    /// Lower at once; what is higher waits.
    pub fn set_cap(&mut self, cap_day_atoms: u64, now: i64, wait_s: i64) {
        self.begin_cap(now);
        let waits = cap_day_atoms > self.cap_day_atoms;
        self.cap_day_atoms = self.cap_day_atoms.min(cap_day_atoms);
        self.next_cap_atoms = if waits { cap_day_atoms } else { 0 };
        self.next_cap_at = if waits { now.saturating_add(wait_s) } else { 0 };
    }

    /// Take up a cap whose time has come.
    pub fn begin_cap(&mut self, now: i64) {
        if self.next_cap_at != 0 && now >= self.next_cap_at {
            self.cap_day_atoms = self.next_cap_atoms;
            self.next_cap_atoms = 0;
            self.next_cap_at = 0;
        }
    }

    /// Count a payment; in no 24 hours does more go out than the cap.
    pub fn take(&mut self, amount_atoms: u64, now: i64) -> Result<()> {
        self.begin_cap(now);
        self.turn_hours(u64::try_from(now).map_err(|_| GovernanceError::Overflow)? / HOUR_S);
        let place = Self::place(self.last_hour);
        self.paid_atoms[place] = self.paid_atoms[place].checked_add(amount_atoms).ok_or(GovernanceError::Overflow)?;
        let paid = self.paid_atoms.iter().try_fold(0u64, |sum, hour| sum.checked_add(*hour)).ok_or(GovernanceError::Overflow)?;
        require!(paid <= self.cap_day_atoms, GovernanceError::AboveCap);
        Ok(())
    }

    fn turn_hours(&mut self, hour: u64) {
        let passed = hour.saturating_sub(self.last_hour).min(HOURS as u64);
        for back in 0..passed {
            self.paid_atoms[Self::place(hour.saturating_sub(back))] = 0;
        }
        self.last_hour = self.last_hour.max(hour);
    }

    fn place(hour: u64) -> usize {
        (hour % HOURS as u64) as usize
    }

    pub fn invariant(&self) -> Result<()> {
        let waits = self.next_cap_at != 0;
        require!(waits == (self.next_cap_atoms > self.cap_day_atoms), GovernanceError::InvariantBroken);
        Ok(())
    }
}
