use anchor_lang::prelude::*;

use super::Debt;

/// An account below zero without positions, on record until it is whole.
#[account]
#[derive(InitSpace)]
pub struct Recovery {
    pub user: Pubkey,
    /// Who paid for the record, and gets the rent back.
    pub opener: Pubkey,
    pub bump: u8,
    pub opened_at: i64,
    /// What the account was below zero at first: what it loses later is another event.
    pub first_atoms: u64,
    pub paid_atoms: u64,
    pub debt: Debt,
}

impl Recovery {
    /// Return what the fund may still pay for this event.
    pub fn room(&self, event_atoms: u64) -> u64 {
        event_atoms.min(self.first_atoms).saturating_sub(self.paid_atoms)
    }

    pub fn debt_for(&self, deficit_atoms: u64, event_atoms: u64) -> Debt {
        Debt { owed_atoms: deficit_atoms, reserved_atoms: deficit_atoms.min(self.room(event_atoms)) }
    }
}
