//! Margin, funding, liquidation and collateral: the same numbers as `risk/` in Python, vector by vector.

mod collateral;
mod funding;
mod liquidation;
mod tiers;

pub use collateral::{asset_value, cautious_price, initial_price, weighted_value, Haircut, Weight};
pub use funding::{eight_hour_rate_ppb, hourly_rate_ppb, payment_atoms, premium_ppb, Interest};
pub use liquidation::{bankruptcy_ticks, discounted_ticks, limit_ticks, partial_lots, queue_ppm, shares, value_part, Freed, Marked};
pub use tiers::{concentrated_margin, initial_margin, liquidation_ticks, maintenance_margin, tier_at, Exposure, Tier, MAX_PRICE_TICKS};
