//! The canonical bytes of a signed order, and what a fill of it may be.
//!
//! Layout, little-endian, 148 bytes: tag 8, program 32, genesis hash 32, market u32, owner 32, sub-account u16, side u8, size u64, limit
//! u64, fee cap u32, flags u8, expiry u64, nonce u64. Program and genesis hash bind an order to one deployment on one cluster.

mod encoding;
mod fill;

pub use encoding::{Domain, FormatError, Order, Side, ORDER_BYTES, TAG};
pub use fill::{Fill, FillError};
