//! Every change is told. `number` counts the events that the engine must journal.

use anchor_lang::prelude::*;

use crate::state::{Limits, Phase};

#[event]
pub struct ExchangeInitialised {
    pub authority: Pubkey,
    pub settler: Pubkey,
    pub custodian: Pubkey,
    pub genesis_hash: [u8; 32],
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
pub struct AssetListed {
    pub asset: u8,
    pub mint: Pubkey,
    pub vault: Pubkey,
}

#[event]
pub struct LimitsSet {
    pub asset: u8,
    pub limits: Limits,
    pub next_limits: Limits,
    pub next_limits_at: i64,
}

#[event]
pub struct MarketCreated {
    pub market_id: u32,
    pub feed: Pubkey,
    pub opens_at: i64,
}

#[event]
pub struct MarketObserved {
    pub market_id: u32,
    pub price_e8: u64,
    pub low_e8: u64,
    pub high_e8: u64,
    pub published_at: i64,
}

#[event]
pub struct UserCreated {
    pub user: Pubkey,
    pub owner: Pubkey,
    pub sub_account: u16,
}

#[event]
pub struct Deposited {
    pub number: u64,
    pub user: Pubkey,
    pub asset: u8,
    pub amount: u64,
    pub deposit: u64,
}

#[event]
pub struct VoucherGranted {
    pub user: Pubkey,
    pub voucher: u64,
    pub asset: u8,
    pub amount: u64,
    pub expires_at: i64,
}

#[event]
pub struct VoucherReturned {
    pub user: Pubkey,
    pub voucher: u64,
    pub asset: u8,
    pub amount: u64,
}

#[event]
pub struct Withdrawn {
    pub number: u64,
    pub user: Pubkey,
    pub asset: u8,
    pub amount: u64,
    /// 0: without a voucher, in fallback.
    pub voucher: u64,
}

#[event]
pub struct KeyRegistered {
    pub number: u64,
    pub user: Pubkey,
    pub key: Pubkey,
    pub market_id: u32,
    pub cap_atoms: u64,
    pub expires_ms: u64,
    pub custodied: bool,
}

#[event]
pub struct KeyRevoked {
    pub number: u64,
    pub user: Pubkey,
    pub key: Pubkey,
    pub revoked_ms: u64,
}

#[event]
pub struct NoncesCancelled {
    pub number: u64,
    pub user: Pubkey,
    pub min_nonce: u64,
}

#[event]
pub struct BatchOpened {
    pub seq: u64,
    pub epoch: u64,
    pub begin_ms: u64,
    pub end_ms: u64,
}

#[event]
pub struct ChangesPosted {
    pub seq: u64,
    pub first: u32,
    pub accounts: u32,
}

#[event]
pub struct BatchClosed {
    pub seq: u64,
    pub hash: [u8; 32],
    pub root: [u8; 32],
    pub accounts: u32,
    pub deadline: i64,
}

#[event]
pub struct EpochFinal {
    pub epoch: u64,
}

#[event]
pub struct Challenged {
    pub seq: u64,
    pub user: Pubkey,
    pub deadline: i64,
}

#[event]
pub struct LeafShown {
    pub seq: u64,
    pub user: Pubkey,
    pub leaf: u32,
}

#[event]
pub struct ChallengeAnswered {
    pub seq: u64,
    pub user: Pubkey,
}

#[event]
pub struct ExitRequested {
    pub number: u64,
    pub user: Pubkey,
    pub requested_at: i64,
}

/// Nothing was left of an account whose owner asked to leave. Of one that was paid out, `Withdrawn` tells.
#[event]
pub struct ExitEnded {
    pub user: Pubkey,
}

#[event]
pub struct PhaseChanged {
    pub phase: Phase,
    pub slot: u64,
    pub final_epoch: u64,
}

#[event]
pub struct OrdersMatched {
    pub number: u64,
    pub market_id: u32,
    pub buyer: Pubkey,
    pub seller: Pubkey,
    pub size_lots: u64,
    pub price_ticks: u64,
    /// SHA-256 of the 148 signed bytes of each.
    pub buy_order: [u8; 32],
    pub sell_order: [u8; 32],
}

#[event]
pub struct PositionLiquidated {
    pub number: u64,
    pub market_id: u32,
    pub user: Pubkey,
    pub liquidator: Pubkey,
    pub lots: i64,
    pub value_atoms: i64,
    pub fee_atoms: i64,
}

#[event]
pub struct UserValued {
    pub user: Pubkey,
    pub equity_atoms: i64,
}

#[event]
pub struct EscapesOpened {
    pub payable_atoms: u64,
    pub claims_atoms: u64,
}

#[event]
pub struct Escaped {
    pub user: Pubkey,
    pub asset: u8,
    pub amount: u64,
}
