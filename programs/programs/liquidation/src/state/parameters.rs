use anchor_lang::prelude::*;

use crate::error::LiquidationError;

const PPM: u32 = 1_000_000;
const MINUTE_S: i64 = 60;
const QUARTER_S: i64 = 90 * 86_400;

/// Set once: no signature changes what stakers agreed to.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, InitSpace)]
pub struct FundParameters {
    /// A request to unstake waits this long ...
    pub cooldown_s: i64,
    /// ... and is paid in this time after it, or not at all: an old request is no standing right to leave before a loss.
    pub claim_s: i64,
    pub min_stake_atoms: u64,
    /// An account must be below zero for this long before the fund pays: live, the engine makes it whole sooner.
    pub recovery_delay_s: i64,
    /// The fund pays no more than this for one recovery ...
    pub event_atoms: u64,
    /// ... and no more than this in a day, awards included.
    pub day_atoms: u64,
    pub bond_atoms: u64,
    /// The award of one dispute is no more than this.
    pub award_atoms: u64,
    /// A liquidation may be disputed for this long after its last step.
    pub dispute_s: i64,
    /// A dispute is decided in this time, or the bond goes back.
    pub decision_s: i64,
    /// The share of each position that may be taken at once ...
    pub first_ppm: u32,
    /// ... and what is added with each slot.
    pub slot_ppm: u32,
    /// A liquidation that is older must begin again, with a new proof.
    pub open_slots: u64,
    /// A position that is worth no more than this may be taken whole.
    pub small_atoms: u64,
}

impl FundParameters {
    pub fn check(&self) -> Result<()> {
        let times = [self.cooldown_s, self.claim_s, self.recovery_delay_s, self.dispute_s, self.decision_s];
        let ok = times.iter().all(|time| (MINUTE_S..=QUARTER_S).contains(time))
            // Who sees a loss coming cannot leave before it.
            && self.cooldown_s > self.recovery_delay_s
            && self.min_stake_atoms >= 1_000
            && self.bond_atoms >= 1_000
            && (1..=self.day_atoms).contains(&self.event_atoms)
            && self.award_atoms <= self.event_atoms
            && (1..=PPM).contains(&self.first_ppm)
            && (1..=PPM).contains(&self.slot_ppm)
            && (1..=216_000).contains(&self.open_slots);
        require!(ok, LiquidationError::BadParameters);
        Ok(())
    }

    /// Return how much of a position of so many lots may have been taken after so many slots, rounded up: one lot at least.
    pub fn takeable(&self, lots: u64, slots: u64) -> u64 {
        let grown = u128::from(self.slot_ppm).saturating_mul(u128::from(slots)).saturating_add(u128::from(self.first_ppm));
        let part = grown.min(u128::from(PPM)).saturating_mul(u128::from(lots)).div_ceil(u128::from(PPM));
        u64::try_from(part).unwrap_or(lots)
    }
}
