use anchor_lang::prelude::*;

use super::House;
use crate::error::DexError;

/// Short enough to watch a whole life on a localnet; who holds others' money chooses days.
pub const MIN_WINDOW_S: i64 = 10;

/// Who decides: the engine, the chain, nobody, or everybody for himself.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub enum Phase {
    Live,
    Fallback,
    Frozen,
    Escaping,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, InitSpace)]
pub struct ExchangeParameters {
    /// A batch may be challenged for this long after it closed.
    pub challenge_window_s: i64,
    /// A challenge must be answered in this time.
    pub answer_window_s: i64,
    /// Without a batch for this many slots the exchange falls back.
    pub silent_slots: u64,
    /// An exit must be paid in this time.
    pub exit_s: i64,
    /// After this many slots of fallback the exchange may be frozen.
    pub freeze_slots: u64,
    pub bond_lamports: u64,
    /// A raised limit waits this long; never shorter than an exit.
    pub loosening_s: i64,
}

/// Batches belong to epochs: the open one takes new batches, the closing one waits for its challenges, those up to `final_epoch` are final.
#[account]
#[derive(InitSpace)]
pub struct Exchange {
    pub authority: Pubkey,
    /// Who may accept to be the next authority.
    pub offered_authority: Pubkey,
    /// The first authority: owns the insurance account, whoever the authority is.
    pub insurance_owner: Pubkey,
    pub settler: Pubkey,
    /// Owns the accounts whose owners left their keys to the platform, and the exchange's own: they change without their signatures.
    pub custodian: Pubkey,
    pub genesis_hash: [u8; 32],
    pub parameters: ExchangeParameters,
    pub bump: u8,
    pub phase: Phase,
    pub phase_slot: u64,
    pub phase_at: i64,
    pub last_seq: u64,
    pub last_hash: [u8; 32],
    pub last_end_ms: u64,
    pub last_batch_slot: u64,
    pub batch_open: bool,
    /// Deposits, withdrawals, keys, exits and matches on chain: what the engine must have journalled before it may go on.
    pub chain_events: u64,
    pub final_epoch: u64,
    pub closing_deadline: i64,
    pub open_deadline: i64,
    pub closing_challenges: u32,
    pub open_challenges: u32,
    pub assets: u8,
    pub users: u32,
    pub valued_users: u32,
    /// Claims of all accounts with keys of their own, then the custodian's part.
    pub claims_atoms: u64,
    pub house: House,
    /// In the end: what the custodian's accounts are worth together, and the sum of those above zero.
    pub house_equity_atoms: i128,
    pub house_claims_atoms: u128,
    /// What users share of the vault when escapes open.
    pub payable_atoms: u64,
}

impl ExchangeParameters {
    pub fn check(&self) -> Result<()> {
        let times = [self.challenge_window_s, self.answer_window_s, self.exit_s];
        let ok = times.iter().all(|time| (MIN_WINDOW_S..=2_592_000).contains(time))
            && self.silent_slots >= 100
            && self.freeze_slots >= 100
            && self.bond_lamports >= 1_000_000
            // An exit may have to wait for two epochs to be final.
            && self.exit_s > self.challenge_window_s.saturating_mul(2).saturating_add(self.answer_window_s)
            && self.loosening_s > self.exit_s;
        require!(ok, DexError::BadParameters);
        Ok(())
    }
}

impl Exchange {
    pub fn require_phase(&self, phases: &[Phase]) -> Result<()> {
        require!(phases.contains(&self.phase), DexError::WrongPhase);
        Ok(())
    }

    pub fn is_frozen(&self) -> bool {
        matches!(self.phase, Phase::Frozen | Phase::Escaping)
    }

    pub fn closing_epoch(&self) -> u64 {
        self.final_epoch.saturating_add(1)
    }

    pub fn open_epoch(&self) -> u64 {
        self.final_epoch.saturating_add(2)
    }

    pub fn enter(&mut self, phase: Phase, clock: &Clock) {
        self.phase = phase;
        self.phase_slot = clock.slot;
        self.phase_at = clock.unix_timestamp;
    }

    /// Number one more event of the chain.
    pub fn count_event(&mut self) -> Result<u64> {
        self.chain_events = self.chain_events.checked_add(1).ok_or(DexError::Overflow)?;
        Ok(self.chain_events)
    }

    /// Count a challenge (or its end) in its batch's epoch.
    pub fn count_challenge(&mut self, epoch: u64, opens: bool) -> Result<()> {
        let (closing, open) = (self.closing_epoch(), self.open_epoch());
        let counter = if epoch == closing {
            &mut self.closing_challenges
        } else if epoch == open {
            &mut self.open_challenges
        } else {
            return Err(DexError::TooLate.into());
        };
        *counter = if opens { counter.checked_add(1) } else { counter.checked_sub(1) }.ok_or(DexError::Overflow)?;
        Ok(())
    }

    /// What the custodian's accounts may claim together: no more than they are worth together.
    pub fn house_payable_atoms(&self) -> Result<u64> {
        let worth = u128::try_from(self.house_equity_atoms.max(0)).map_err(|_| DexError::Overflow)?;
        u64::try_from(worth.min(self.house_claims_atoms)).map_err(|_| DexError::Overflow.into())
    }

    /// Make the closing epoch final and let the open one close.
    pub fn turn_epoch(&mut self, now: i64) -> Result<()> {
        require!(now > self.closing_deadline && self.closing_challenges == 0, DexError::TooEarly);
        require!(!self.batch_open, DexError::WrongBatch);
        self.final_epoch = self.closing_epoch();
        self.closing_deadline = self.open_deadline;
        self.closing_challenges = self.open_challenges;
        self.open_deadline = 0;
        self.open_challenges = 0;
        Ok(())
    }

    /// A frozen exchange has an end and no way back.
    pub fn invariant(&self) -> Result<()> {
        let valued = self.valued_users <= self.users && (self.is_frozen() || self.valued_users == 0);
        let epochs = self.open_deadline == 0 || self.open_deadline >= self.closing_deadline;
        require!(valued && epochs, DexError::InvariantBroken);
        Ok(())
    }
}
