use anchor_lang::prelude::*;

use crate::Figures;

#[event]
pub struct MarginCalled {
    pub user: Pubkey,
    pub figures: Figures,
    pub called_at: i64,
}

#[event]
pub struct MarginCallEnded {
    pub user: Pubkey,
    pub figures: Figures,
    pub ended_at: i64,
}
