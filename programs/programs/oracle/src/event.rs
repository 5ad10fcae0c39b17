use anchor_lang::prelude::*;

use crate::FeedState;

#[event]
pub struct OracleInitialised {
    pub authority: Pubkey,
}

#[event]
pub struct AuthorityOffered {
    pub authority: Pubkey,
    pub offered: Pubkey,
}

#[event]
pub struct AuthorityAccepted {
    pub former: Pubkey,
    pub authority: Pubkey,
}

#[event]
pub struct FeedCreated {
    pub index: u32,
    pub feed: Pubkey,
}

#[event]
pub struct PriceObserved {
    pub index: u32,
    /// Pyth's receiver, or the publisher.
    pub source: Pubkey,
    pub price_e8: u64,
    pub confidence_e8: u64,
    pub published_at: i64,
}

#[event]
pub struct PriceChanged {
    pub index: u32,
    pub price_e8: u64,
    pub average_e8: u64,
    pub state: FeedState,
    pub published_at: i64,
}
