use anchor_lang::prelude::*;
use fixed_point::{PriceE8, QuoteAtoms};
use margin::{asset_value, cautious_price, initial_price, weighted_value, Haircut as Slice};
use oracle::{allows, Action, Feed};

use crate::error::RiskError;

pub const MAX_WEIGHTS: usize = 6;
const PPM: u32 = 1_000_000;

/// What the slice of a holding counts for that is worth more than `value_from_atoms`.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Default, Debug, PartialEq, Eq, InitSpace)]
pub struct Weight {
    pub value_from_atoms: u64,
    pub initial_ppm: u32,
    pub maintenance_ppm: u32,
}

/// What an asset beside the quote asset counts for as collateral. Its feed never changes.
#[account]
#[derive(InitSpace)]
pub struct Haircut {
    pub asset: u8,
    pub bump: u8,
    pub decimals: u8,
    pub feed: Pubkey,
    /// None: it counts for nothing.
    #[max_len(MAX_WEIGHTS)]
    pub weights: Vec<Weight>,
    /// Higher weights that wait, and when they begin (0: none wait).
    #[max_len(MAX_WEIGHTS)]
    pub next_weights: Vec<Weight>,
    pub next_at: i64,
}

/// What an amount counts for, in quote atoms.
#[derive(Clone, Copy, Default)]
pub struct Counted {
    pub initial: i128,
    pub maintenance: i128,
}

/// Weights only fall with the value, and what opens positions is never above what keeps them.
pub fn check(weights: &[Weight]) -> Result<()> {
    let begins = weights.first().is_none_or(|first| first.value_from_atoms == 0);
    let bounds = weights.iter().all(|weight| weight.initial_ppm <= weight.maintenance_ppm && weight.maintenance_ppm <= PPM);
    let falls = weights.windows(2).all(|pair| {
        pair[0].value_from_atoms < pair[1].value_from_atoms
            && pair[0].initial_ppm >= pair[1].initial_ppm
            && pair[0].maintenance_ppm >= pair[1].maintenance_ppm
    });
    require!(weights.len() <= MAX_WEIGHTS && begins && bounds && falls, RiskError::BadParameters);
    Ok(())
}

fn at(weights: &[Weight], value: u64) -> Weight {
    weights.iter().rev().find(|weight| weight.value_from_atoms <= value).copied().unwrap_or_default()
}

/// Is no slice of any holding worth more by the first than by the second? Both change only where one of their tiers begins.
fn is_no_looser(wanted: &[Weight], present: &[Weight]) -> bool {
    wanted.iter().chain(present).map(|weight| weight.value_from_atoms).all(|value| {
        let (new, old) = (at(wanted, value), at(present, value));
        new.initial_ppm <= old.initial_ppm && new.maintenance_ppm <= old.maintenance_ppm
    })
}

impl Haircut {
    pub fn present(&self, now: i64) -> &[Weight] {
        if self.next_at != 0 && now >= self.next_at {
            &self.next_weights
        } else {
            &self.weights
        }
    }

    /// Lower weights hold at once; what is higher anywhere waits, and what waited before is forgotten.
    pub fn set(&mut self, wanted: Vec<Weight>, now: i64, loosening_s: i64) {
        self.weights = self.present(now).to_vec();
        if loosening_s == 0 || is_no_looser(&wanted, &self.weights) {
            self.weights = wanted;
            self.next_weights = Vec::new();
            self.next_at = 0;
        } else {
            self.next_weights = wanted;
            self.next_at = now.saturating_add(loosening_s);
        }
    }

    /// Count an amount at the price less its confidence; what opens positions at the average where that is lower.
    pub fn count(&self, amount: i64, feed: &Feed, now: i64) -> Result<Counted> {
        require!(allows(feed.state_at(now), Action::Withdraw), RiskError::BadPriceState);
        let slice = |weight: &Weight| Slice {
            value_from_atoms: i128::from(weight.value_from_atoms),
            initial_ppm: weight.initial_ppm,
            maintenance_ppm: weight.maintenance_ppm,
        };
        let slices: Vec<Slice> = self.present(now).iter().map(slice).collect();
        let price = cautious_price(PriceE8(feed.price_e8), PriceE8(feed.confidence_e8), amount >= 0);
        let stable = initial_price(price, PriceE8(feed.average_e8), amount >= 0);
        let count = |price: PriceE8, weight: margin::Weight| -> Result<QuoteAtoms> {
            let value = asset_value(i128::from(amount), price, self.decimals).map_err(RiskError::from)?;
            Ok(weighted_value(value, &slices, weight).map_err(RiskError::from)?)
        };
        Ok(Counted { initial: count(stable, margin::Weight::Initial)?.0, maintenance: count(price, margin::Weight::Maintenance)?.0 })
    }
}
