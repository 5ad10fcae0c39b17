use anchor_lang::prelude::*;
use merkle::{Sums, POSITION};

use super::{Market, QUOTE};
use crate::error::DexError;

pub const MAX_HOUSE_POSITIONS: usize = 16;

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Default, InitSpace)]
pub struct HousePosition {
    pub market_id: u32,
    pub lots: i64,
    /// At the price of the last batch that touched the market, or of the last match in it.
    pub value_atoms: i64,
}

/// All accounts without their owners' keys as if they were one: with everything that is posted, final or not.
///
/// The platform writes what it likes between them, but not into the pockets of the others: together they cannot owe.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Default, InitSpace)]
pub struct House {
    pub quote_atoms: i64,
    #[max_len(MAX_HOUSE_POSITIONS)]
    pub positions: Vec<HousePosition>,
}

impl House {
    pub fn add_quote(&mut self, amount: i64) -> Result<()> {
        self.quote_atoms = self.quote_atoms.checked_add(amount).ok_or(DexError::Overflow)?;
        Ok(())
    }

    pub fn add_lots(&mut self, market_id: u32, lots: i64) -> Result<()> {
        match self.positions.iter_mut().find(|position| position.market_id == market_id) {
            Some(position) => position.lots = position.lots.checked_add(lots).ok_or(DexError::Overflow)?,
            None => {
                require!(self.positions.len() < MAX_HOUSE_POSITIONS, DexError::TooManyPositions);
                self.positions.push(HousePosition { market_id, lots, value_atoms: 0 });
            }
        }
        Ok(())
    }

    pub fn add(&mut self, sums: &Sums) -> Result<()> {
        for change in sums.changes() {
            if change.slot >= POSITION {
                self.add_lots(change.slot & !POSITION, change.amount)?;
            } else if change.slot == u32::from(QUOTE) {
                self.add_quote(change.amount)?;
            }
        }
        Ok(())
    }

    /// Value what is held in one market anew, at the better of two prices.
    pub fn revalue(&mut self, market: &Market, low_e8: u64, high_e8: u64) -> Result<()> {
        if let Some(position) = self.positions.iter_mut().find(|position| position.market_id == market.market_id) {
            let value = market.value(position.lots, if position.lots > 0 { high_e8 } else { low_e8 })?;
            position.value_atoms = i64::try_from(value.0).map_err(|_| DexError::Overflow)?;
        }
        self.positions.retain(|position| position.lots != 0);
        Ok(())
    }

    /// Can all of them together pay?
    pub fn require_solvent(&self) -> Result<()> {
        let value = self.positions.iter().map(|position| i128::from(position.value_atoms)).sum::<i128>();
        require!(i128::from(self.quote_atoms).saturating_add(value) >= 0, DexError::HouseOwes);
        Ok(())
    }
}
