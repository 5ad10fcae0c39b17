use anchor_lang::prelude::*;
use auction::Range;

use crate::error::JitError;

/// Set once.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, InitSpace)]
pub struct JitParameters {
    /// Auctions begin better for the taker than the oracle's price by this ...
    pub start_ppm: u32,
    /// ... and end worse by this, or at his limit.
    pub end_ppm: u32,
    /// Slots for each percent between.
    pub percent_slots: u32,
    /// Bids bind for this long after the auction.
    pub settle_slots: u64,
    pub bond_lamports: u64,
    pub min_join_atoms: u64,
    /// A request to leave a pool waits this long, and is paid in the time after it or not at all.
    pub leave_s: i64,
    pub claim_s: i64,
}

#[account]
#[derive(InitSpace)]
pub struct Terms {
    pub mint: Pubkey,
    pub bump: u8,
    pub parameters: JitParameters,
}

impl JitParameters {
    pub fn check(&self) -> Result<()> {
        let ok = self.start_ppm <= 50_000
            && (1..=50_000).contains(&self.end_ppm)
            && (1..=1_000).contains(&self.percent_slots)
            && (10..=10_000).contains(&self.settle_slots)
            && self.bond_lamports >= 1_000_000
            && self.min_join_atoms >= 1_000
            && [self.leave_s, self.claim_s].iter().all(|time| (60..=7_776_000).contains(time));
        require!(ok, JitError::BadParameters);
        Ok(())
    }

    pub fn range(&self) -> Range {
        Range { start_ppm: self.start_ppm, end_ppm: self.end_ppm, percent_slots: self.percent_slots }
    }
}
