use anchor_lang::prelude::*;

use crate::Figures;

/// On record while an account is short of initial margin.
#[account]
#[derive(InitSpace)]
pub struct MarginCall {
    pub user: Pubkey,
    /// Who paid for the record, and gets the rent back.
    pub caller: Pubkey,
    pub called_at: i64,
    pub figures: Figures,
    pub bump: u8,
}
