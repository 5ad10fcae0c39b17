//! The kinds of change that a batch may hold, and their bytes. What each must keep is in `judge`.

use anchor_lang::prelude::*;

/// One change of one account. Encoded for its hash as: kind u8, then the fields in order, little-endian.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// Money in, from anywhere: fees, funding's remainder. Needs nobody's signature.
    Credit { asset: u8, amount: u64, reference: u64 },
    /// One side of a match, under the owner's signature. `order` is the SHA-256 of the signed bytes.
    Trade { order: [u8; 32], size_lots: u64, price_ticks: u64, fee_atoms: i64, time_ms: u64, filled_lots: u64 },
    /// The market's funding of this batch on what the account held.
    Funding { market_id: u32 },
    /// A reduction without the owner: below maintenance, or because an exit was requested.
    Reduction { market_id: u32, lots: i64, price_ticks: u64, fee_atoms: i64, time_ms: u64 },
    /// A net change of one slot of an account whose key the platform holds.
    House { slot: u32, amount: i64, reference: u64 },
    /// What an account takes over, without its owner, of a position that the leaf `place` of the account `bankrupt` gave up in this batch.
    Deleveraging { market_id: u32, lots: i64, bankrupt: Pubkey, place: u32 },
    /// A position of an account below maintenance that others must take over, at the price at which nothing is left of it.
    Bankruptcy { market_id: u32, lots: i64, quote_atoms: i64, time_ms: u64 },
}

impl Leaf {
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(80);
        self.serialize(&mut bytes)?;
        Ok(bytes)
    }
}

/// Name a leaf of an account in a batch: SHA-256 of the account and the leaf's place.
pub fn leaf_name(user: &Pubkey, place: u32) -> [u8; 32] {
    solana_sha256_hasher::hashv(&[user.as_ref(), &place.to_le_bytes()]).to_bytes()
}
