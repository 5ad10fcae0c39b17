use anchor_lang::prelude::*;
use fixed_point::{value_at_price_e8, PriceE8, QuoteAtoms, SizeLots};
use margin::Tier;

use crate::error::DexError;

pub const MAX_TIERS: usize = 12;
const PPM: u128 = 1_000_000;

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, InitSpace)]
pub struct MarketTier {
    pub notional_from_atoms: u64,
    pub maintenance_ppm: u32,
    pub deduction_atoms: u64,
    pub max_leverage: u32,
}

/// Set once: no signature changes what an open position is worth.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, InitSpace)]
pub struct MarketParameters {
    pub tick_e8: u64,
    pub lot_e8: u64,
    pub max_price_age_s: u32,
    /// A fill's price stays within this of the oracle's range.
    pub band_ppm: u32,
    /// The engine's mark, which decides who is short, stays within this of the oracle's price.
    pub mark_band_ppm: u32,
    /// Cap of one hour's funding rate.
    pub funding_cap_ppb: u32,
    /// A liquidation's fee is no more than this.
    pub liquidation_fee_ppm: u32,
    #[max_len(MAX_TIERS)]
    pub tiers: Vec<MarketTier>,
}

#[account]
#[derive(InitSpace)]
pub struct Market {
    pub market_id: u32,
    pub bump: u8,
    pub feed: Pubkey,
    pub tick_lot_atoms: u64,
    pub parameters: MarketParameters,
    /// No price before this moment, and so no batch.
    pub opens_at: i64,
    pub price_e8: u64,
    pub average_e8: u64,
    pub published_at: i64,
    /// The last observed price may value accounts that take money out.
    pub may_withdraw: bool,
    /// ... and may decide that an account is liquidated.
    pub may_liquidate: bool,
    /// Lowest and highest price since the last batch closed.
    pub low_e8: u64,
    pub high_e8: u64,
    /// The last hour (since 1970) whose funding was paid.
    pub funding_hour: u32,
    /// The range of the interval before: a fill from just before a batch closed is settled by the next one.
    pub before_low_e8: u64,
    pub before_high_e8: u64,
}

impl MarketParameters {
    pub fn check(&self) -> Result<()> {
        let first = self.tiers.first().is_some_and(|tier| tier.notional_from_atoms == 0 && tier.deduction_atoms == 0);
        let rise = self.tiers.windows(2).all(|pair| {
            pair[0].notional_from_atoms < pair[1].notional_from_atoms
                && pair[0].maintenance_ppm < pair[1].maintenance_ppm
                && pair[0].max_leverage >= pair[1].max_leverage
                && continuous(&pair[0], &pair[1])
        });
        // Maintenance is never above what opening needs.
        let rates = self.tiers.iter().all(|tier| {
            tier.max_leverage >= 1
                && tier.maintenance_ppm >= 1
                && u64::from(tier.maintenance_ppm) * u64::from(tier.max_leverage) <= 1_000_000
        });
        let bounds = (1..=200_000).contains(&self.band_ppm)
            && self.mark_band_ppm <= 100_000
            && self.funding_cap_ppb <= 10_000_000
            && self.liquidation_fee_ppm <= 50_000;
        require!(first && rise && rates && bounds && (1..=3_600).contains(&self.max_price_age_s), DexError::BadParameters);
        Ok(())
    }
}

/// At the edge both tiers ask for the same, to the atom.
fn continuous(below: &MarketTier, above: &MarketTier) -> bool {
    let asked = |tier: &MarketTier| {
        let gross = u128::from(above.notional_from_atoms) * u128::from(tier.maintenance_ppm);
        gross.checked_sub(u128::from(tier.deduction_atoms) * PPM)
    };
    match (asked(below), asked(above)) {
        (Some(first), Some(second)) => first.abs_diff(second) < PPM,
        _ => false,
    }
}

impl Market {
    pub fn tiers(&self) -> Vec<Tier> {
        let tier = |tier: &MarketTier| Tier {
            notional_from_atoms: i128::from(tier.notional_from_atoms),
            maintenance_ppm: tier.maintenance_ppm,
            deduction_atoms: i128::from(tier.deduction_atoms),
            max_leverage: tier.max_leverage,
        };
        self.parameters.tiers.iter().map(tier).collect()
    }

    pub fn fresh(&self, now: i64) -> bool {
        self.price_e8 > 0 && now.saturating_sub(self.published_at) <= i64::from(self.parameters.max_price_age_s)
    }

    /// Return what a position is worth at a price, rounded against its owner.
    pub fn value(&self, lots: i64, price_e8: u64) -> Result<QuoteAtoms> {
        Ok(value_at_price_e8(SizeLots(lots), PriceE8(price_e8), self.parameters.lot_e8).map_err(DexError::from)?)
    }

    /// Return the position's value at the worse of price and average, for its owner.
    pub fn strict_value(&self, lots: i64) -> Result<QuoteAtoms> {
        let price = if lots >= 0 { self.price_e8.min(self.average_e8) } else { self.price_e8.max(self.average_e8) };
        self.value(lots, price)
    }

    /// Is this price within the band around a range of oracle prices?
    pub fn in_band(&self, price_ticks: u64, low_e8: u64, high_e8: u64) -> bool {
        self.near(u128::from(price_ticks) * u128::from(self.parameters.tick_e8), low_e8, high_e8)
    }

    /// The same of a price in 1e-8.
    pub fn near(&self, price_e8: u128, low_e8: u64, high_e8: u64) -> bool {
        let band = u128::from(self.parameters.band_ppm);
        let price = price_e8.saturating_mul(PPM);
        price >= u128::from(low_e8) * (PPM - band) && price <= u128::from(high_e8) * (PPM + band)
    }

    /// Return the lowest mark (for a long; else the highest) that a price of the oracle allows.
    pub fn marked(&self, price_e8: u64, long: bool) -> u64 {
        let band = u128::from(self.parameters.mark_band_ppm);
        let rate = if long { PPM.saturating_sub(band) } else { PPM.saturating_add(band) };
        u64::try_from(u128::from(price_e8).saturating_mul(rate) / PPM).unwrap_or(u64::MAX)
    }

    /// Take a newer price of the feed into the range.
    pub fn observe(&mut self, price_e8: u64, average_e8: u64, published_at: i64, may_withdraw: bool, may_liquidate: bool) {
        self.price_e8 = price_e8;
        self.average_e8 = average_e8;
        self.published_at = published_at;
        self.may_withdraw = may_withdraw;
        self.may_liquidate = may_liquidate;
        self.low_e8 = if self.low_e8 == 0 { price_e8 } else { self.low_e8.min(price_e8) };
        self.high_e8 = self.high_e8.max(price_e8);
    }

    /// Return the lowest and the highest price of this interval and the one before.
    pub fn range(&self) -> (u64, u64) {
        let low = if self.before_low_e8 == 0 { self.low_e8 } else { self.low_e8.min(self.before_low_e8) };
        (low, self.high_e8.max(self.before_high_e8))
    }

    /// Begin the range of the next batch at the price that ends this one.
    pub fn reset_range(&mut self) {
        self.before_low_e8 = self.low_e8;
        self.before_high_e8 = self.high_e8;
        self.low_e8 = self.price_e8;
        self.high_e8 = self.price_e8;
    }

    pub fn invariant(&self) -> Result<()> {
        let in_order = self.low_e8 <= self.price_e8 && self.price_e8 <= self.high_e8;
        require!(in_order && self.tick_lot_atoms > 0, DexError::InvariantBroken);
        Ok(())
    }
}
