use anchor_lang::prelude::*;

use crate::{Figures, MarketLimits, Weight};

#[event]
pub struct MarginCalled {
    pub user: Pubkey,
    pub figures: Figures,
    pub called_at: i64,
}

#[event]
pub struct MarginCallEnded {
    pub user: Pubkey,
    pub figures: Figures,
    pub ended_at: i64,
}

#[event]
pub struct HaircutSet {
    pub asset: u8,
    pub weights: Vec<Weight>,
    pub next_weights: Vec<Weight>,
    pub next_at: i64,
}

#[event]
pub struct MarketLimitsSet {
    pub market_id: u32,
    pub limits: MarketLimits,
    pub next_limits: MarketLimits,
    pub next_at: i64,
}
