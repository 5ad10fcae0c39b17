//! Integer units of the exchange, and the only place that multiplies them: the Rust twin of `markets/units.py`.
//!
//! Every function names its rounding; nothing overflows silently, and nothing here knows Solana.

mod division;
mod units;

pub use division::{ceil_div, floor_div, mul_div_ceil, mul_div_floor};
pub use units::{charge, tick_lot_atoms, ticks_from_e8, trade_value, value_at_price_e8, PriceE8, PriceTicks, QuoteAtoms, SizeLots};

pub const E8: u64 = 100_000_000;
pub const QUOTE_ATOMS: u64 = 1_000_000;
pub const PPM: u64 = 1_000_000;
pub const PPB: u64 = 1_000_000_000;

/// Why a computation has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MathError {
    Overflow,
    DivisionByZero,
    NotWhole,
}
