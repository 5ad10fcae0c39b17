use anchor_lang::prelude::*;

use super::{SlotChange, MAX_SLOTS};

/// A demand to show everything that a batch did to one account. Stays for ever: an account of a batch is challenged once.
#[account]
#[derive(InitSpace)]
pub struct Challenge {
    pub seq: u64,
    pub user: Pubkey,
    pub challenger: Pubkey,
    pub bump: u8,
    pub epoch: u64,
    pub bond_lamports: u64,
    pub deadline: i64,
    /// The account's leaf, proven up to here; at the root the challenge begins to count.
    pub place: u32,
    pub width: u32,
    pub hash: [u8; 32],
    #[max_len(MAX_SLOTS)]
    pub hash_sums: Vec<SlotChange>,
    pub proven: bool,
    pub answered: bool,
    pub root: [u8; 32],
    pub changes: u32,
    pub next: u32,
    #[max_len(MAX_SLOTS)]
    pub sums: Vec<SlotChange>,
    /// What the account held after the leaves shown so far.
    #[max_len(MAX_SLOTS)]
    pub running: Vec<SlotChange>,
    /// Markets whose funding was shown: once each. Bit i: the i-th of the batch's terms.
    pub funded: u16,
}
