//! The price path of an auction, the twin of `risk/jit.py`: it moves by slots from a price that is better for the taker than the oracle's to
//! one that is worse, never past the limit that he signed. Every rounding is in his favour.

mod path;

pub use path::{Path, Range, Side, MOST_SLOTS};
