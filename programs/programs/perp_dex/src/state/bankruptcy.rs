use anchor_lang::prelude::*;
use fixed_point::floor_div;

use crate::error::DexError;

/// A position that an account below maintenance gave up at its bankruptcy price, as one of its leaves showed; others must take it over.
/// Stays for ever, so that the same leaf is never shared out twice.
#[account]
#[derive(InitSpace)]
pub struct Bankruptcy {
    pub bump: u8,
    pub market_id: u32,
    /// What the position changed by: towards zero.
    pub lots: i64,
    /// What the account received for it (negative: paid).
    pub quote_atoms: i64,
    /// Lots that no other account was shown to have taken yet.
    pub left_lots: u64,
}

impl Bankruptcy {
    /// Return what an account receives that takes over so many lots: its part of the price, rounded against it.
    pub fn part_atoms(&self, lots: i64) -> Result<i128> {
        let share = i128::from(self.quote_atoms).checked_neg().and_then(|price| price.checked_mul(i128::from(lots.unsigned_abs())));
        let part = floor_div(share.ok_or(DexError::Overflow)?, i128::from(self.lots.unsigned_abs()));
        Ok(part.map_err(DexError::from)?)
    }

    pub fn take(&mut self, lots: i64) -> Result<()> {
        self.left_lots = self.left_lots.checked_sub(lots.unsigned_abs()).ok_or(DexError::FilledTwice)?;
        Ok(())
    }
}
