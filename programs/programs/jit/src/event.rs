use anchor_lang::prelude::*;

#[event]
pub struct JitInitialised {
    pub mint: Pubkey,
}

#[event]
pub struct AuctionOpened {
    pub order: [u8; 32],
    pub user: Pubkey,
    pub market_id: u32,
    pub buys: bool,
    pub size_lots: u64,
    pub start_ticks: u64,
    pub end_ticks: u64,
    pub begun_slot: u64,
    pub slots: u64,
}

#[event]
pub struct BidPlaced {
    pub auction: Pubkey,
    pub user: Pubkey,
    pub price_ticks: u64,
    pub size_lots: u64,
}

#[event]
pub struct BidSettled {
    pub auction: Pubkey,
    pub user: Pubkey,
    pub price_ticks: u64,
    pub size_lots: u64,
}

#[event]
pub struct BidDefaulted {
    pub auction: Pubkey,
    pub user: Pubkey,
    pub bond_lamports: u64,
}

#[event]
pub struct BidReleased {
    pub auction: Pubkey,
    pub user: Pubkey,
}

#[event]
pub struct PoolCreated {
    pub pool: Pubkey,
    pub manager: Pubkey,
    pub user: Pubkey,
}

#[event]
pub struct Joined {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub amount: u64,
    pub shares: u128,
}

#[event]
pub struct LeaveRequested {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub shares: u128,
    pub value_atoms: u64,
    pub payable_at: i64,
}

#[event]
pub struct LeaveCancelled {
    pub pool: Pubkey,
    pub owner: Pubkey,
}

#[event]
pub struct Left {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub amount: u64,
    pub shares: u128,
}

#[event]
pub struct MoneyMoved {
    pub pool: Pubkey,
    /// Into the exchange; negative: back.
    pub amount: i64,
    pub idle_atoms: u64,
}

#[event]
pub struct PoolKeyChanged {
    pub pool: Pubkey,
    pub key: Pubkey,
    pub revoked: bool,
}
