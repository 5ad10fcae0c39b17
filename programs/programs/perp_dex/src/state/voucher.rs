use anchor_lang::prelude::*;

/// The settler's word that the engine has debited a withdrawal.
#[account]
#[derive(InitSpace)]
pub struct Voucher {
    pub user: Pubkey,
    pub number: u64,
    pub asset: u8,
    pub amount: u64,
    pub expires_at: i64,
    pub bump: u8,
}
