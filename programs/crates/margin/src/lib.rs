//! Margin and funding of positions: the same numbers as `risk/margin.py` and `risk/funding.py`, vector by vector.

mod funding;
mod tiers;

pub use funding::{eight_hour_rate_ppb, hourly_rate_ppb, payment_atoms, premium_ppb, Interest};
pub use tiers::{initial_margin, liquidation_ticks, maintenance_margin, tier_at, Exposure, Tier, MAX_PRICE_TICKS};
