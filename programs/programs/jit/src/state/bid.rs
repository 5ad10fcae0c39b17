use anchor_lang::prelude::*;

/// A maker's signed order as an answer to an auction, under a bond.
#[account]
#[derive(InitSpace)]
pub struct Bid {
    pub auction: Pubkey,
    pub user: Pubkey,
    /// Who paid the bond, and gets it back.
    pub bidder: Pubkey,
    pub bump: u8,
    pub order: [u8; 32],
    pub key: Pubkey,
    pub nonce: u64,
    pub order_lots: u64,
    pub size_lots: u64,
    pub price_ticks: u64,
    pub bond_lamports: u64,
}
