use anchor_lang::prelude::*;
use perp_dex::state::{Holdings, MAX_POSITIONS};

use super::FundParameters;
use crate::error::LiquidationError;

/// Numbers an account's liquidations; one is open at a time.
#[account]
#[derive(InitSpace)]
pub struct History {
    pub user: Pubkey,
    pub bump: u8,
    pub liquidations: u64,
    pub open: bool,
    pub begun_slot: u64,
}

/// How much of one position there was at first, and how much was taken of it.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Default, Debug, PartialEq, Eq, InitSpace)]
pub struct Taken {
    pub market_id: u32,
    pub lots: i64,
    pub taken_lots: u64,
}

/// One liquidation, on record for ever.
#[account]
#[derive(InitSpace)]
pub struct Liquidation {
    pub user: Pubkey,
    pub owner: Pubkey,
    pub number: u64,
    pub bump: u8,
    pub begun_slot: u64,
    pub begun_at: i64,
    pub equity_atoms: i64,
    pub maintenance_atoms: i64,
    pub positions: [Taken; MAX_POSITIONS],
    pub steps: u32,
    pub stepped_at: i64,
    /// What liquidators got below the oracle's price.
    pub fees_atoms: u64,
    pub ended: bool,
    pub disputed: bool,
}

impl History {
    /// Is there an open liquidation that is not too old?
    pub fn is_open(&self, parameters: &FundParameters, slot: u64) -> bool {
        self.open && slot.saturating_sub(self.begun_slot) <= parameters.open_slots
    }
}

impl Liquidation {
    pub fn note_positions(&mut self, holdings: &Holdings) {
        for (taken, position) in self.positions.iter_mut().zip(holdings.positions) {
            *taken = Taken { market_id: position.market_id, lots: position.lots, taken_lots: 0 };
        }
    }

    /// Take lots of a position that was there when the liquidation began, as far as its time allows, or whole where it is small.
    pub fn take(&mut self, market_id: u32, lots: u64, takeable: impl Fn(u64) -> u64, is_small: bool) -> Result<()> {
        let noted = self.positions.iter_mut().find(|taken| taken.lots != 0 && taken.market_id == market_id);
        let noted = noted.ok_or(LiquidationError::AboveFraction)?;
        let taken = noted.taken_lots.checked_add(lots).ok_or(LiquidationError::Overflow)?;
        require!(is_small || taken <= takeable(noted.lots.unsigned_abs()), LiquidationError::AboveFraction);
        noted.taken_lots = taken;
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        require!((self.steps == 0) == (self.stepped_at == 0) && (!self.disputed || self.steps > 0), LiquidationError::InvariantBroken);
        Ok(())
    }
}
