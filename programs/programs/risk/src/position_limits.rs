use anchor_lang::prelude::*;
use fixed_point::QuoteAtoms;
use margin::concentrated_margin;

use crate::error::RiskError;

const PPM: u32 = 1_000_000;

/// Nothing is allowed by default.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub struct MarketLimits {
    /// No account should hold more, long or short.
    pub max_position_lots: u64,
    /// What a position has beyond this needs so much more initial margin.
    pub concentration_from_atoms: u64,
    pub concentration_ppm: u32,
}

#[account]
#[derive(InitSpace)]
pub struct PositionLimits {
    pub market_id: u32,
    pub bump: u8,
    pub limits: MarketLimits,
    /// Looser limits that wait, and when they begin (0: none wait).
    pub next_limits: MarketLimits,
    pub next_at: i64,
}

impl Default for MarketLimits {
    fn default() -> Self {
        Self { max_position_lots: 0, concentration_from_atoms: 0, concentration_ppm: PPM }
    }
}

impl MarketLimits {
    pub fn check(&self) -> Result<()> {
        require!(self.concentration_ppm <= PPM, RiskError::BadParameters);
        Ok(())
    }

    fn is_no_looser(&self, present: &Self) -> bool {
        self.max_position_lots <= present.max_position_lots
            && self.concentration_from_atoms <= present.concentration_from_atoms
            && self.concentration_ppm >= present.concentration_ppm
    }

    /// Return what a notional needs beyond its tiers' initial margin.
    pub fn add_on(&self, initial: i128, notional: i128) -> Result<i128> {
        let from = QuoteAtoms(i128::from(self.concentration_from_atoms));
        let all = concentrated_margin(QuoteAtoms(initial), QuoteAtoms(notional), from, self.concentration_ppm).map_err(RiskError::from)?;
        Ok(all.0.saturating_sub(initial))
    }

    /// Return how many lots an account may add in one direction.
    pub fn room(&self, held: i64, buys: bool) -> u64 {
        let signed = i128::from(held);
        let used = if buys { signed } else { signed.saturating_neg() };
        let room = i128::from(self.max_position_lots).saturating_sub(used).max(0);
        u64::try_from(room).unwrap_or(u64::MAX)
    }
}

impl PositionLimits {
    pub fn present(&self, now: i64) -> MarketLimits {
        if self.next_at != 0 && now >= self.next_at {
            self.next_limits
        } else {
            self.limits
        }
    }

    /// Tighter limits hold at once; what is looser anywhere waits, and what waited before is forgotten.
    pub fn set(&mut self, wanted: MarketLimits, now: i64, loosening_s: i64) {
        self.limits = self.present(now);
        if loosening_s == 0 || wanted.is_no_looser(&self.limits) {
            self.limits = wanted;
            self.next_limits = MarketLimits::default();
            self.next_at = 0;
        } else {
            self.next_limits = wanted;
            self.next_at = now.saturating_add(loosening_s);
        }
    }
}
