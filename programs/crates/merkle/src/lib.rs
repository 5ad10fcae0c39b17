//! Merkle-sum trees: every node carries the sum of the changes below it, so that nothing can be added or left out unseen.
//!
//! A batch's tree has one leaf an account, and an account's tree has one leaf a change (a fill, a funding payment, ...). The hash function
//! is handed in: SHA-256 of the concatenated parts, by the runtime on chain and by a library elsewhere.

mod frontier;
mod proof;
mod sums;
mod tree;

pub use frontier::Frontier;
pub use proof::{verify, Climb, Proof};
pub use sums::{position_slot, Change, Sums, POSITION};
pub use tree::{account_leaf, change_leaf, join, AccountLeaf, Node};

/// SHA-256 over the concatenation of the parts.
pub trait Sha256 {
    fn digest(parts: &[&[u8]]) -> [u8; 32];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MerkleError {
    Overflow,
    NotCanonical,
    Empty,
    Shape,
}
