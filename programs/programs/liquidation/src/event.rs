use anchor_lang::prelude::*;

use crate::state::Verdict;

#[event]
pub struct FundInitialised {
    pub mint: Pubkey,
    pub vault: Pubkey,
}

#[event]
pub struct Staked {
    pub owner: Pubkey,
    pub amount: u64,
    pub shares: u128,
    pub assets_atoms: u64,
}

#[event]
pub struct UnstakeRequested {
    pub owner: Pubkey,
    pub shares: u128,
    pub value_atoms: u64,
    pub payable_at: i64,
}

#[event]
pub struct UnstakeCancelled {
    pub owner: Pubkey,
    pub burnt_shares: u128,
}

#[event]
pub struct Unstaked {
    pub owner: Pubkey,
    pub shares: u128,
    pub amount: u64,
    pub assets_atoms: u64,
}

#[event]
pub struct Contributed {
    pub by: Pubkey,
    pub amount: u64,
    pub assets_atoms: u64,
}

#[event]
pub struct RecoveryOpened {
    pub user: Pubkey,
    pub deficit_atoms: u64,
}

#[event]
pub struct Recovered {
    pub user: Pubkey,
    pub amount: u64,
    pub owed_atoms: u64,
    pub generation: u64,
}

#[event]
pub struct RecoveryClosed {
    pub user: Pubkey,
    pub paid_atoms: u64,
}

#[event]
pub struct LiquidationBegun {
    pub user: Pubkey,
    pub number: u64,
    pub equity_atoms: i64,
    pub maintenance_atoms: i64,
}

#[event]
pub struct LiquidationStepped {
    pub user: Pubkey,
    pub number: u64,
    pub market_id: u32,
    pub liquidator: Pubkey,
    pub lots: i64,
    pub fee_atoms: u64,
}

#[event]
pub struct LiquidationEnded {
    pub user: Pubkey,
    pub number: u64,
}

#[event]
pub struct DisputeOpened {
    pub user: Pubkey,
    pub number: u64,
    pub claim_atoms: u64,
    pub decide_by: i64,
}

#[event]
pub struct DisputeDecided {
    pub liquidation: Pubkey,
    pub verdict: Verdict,
    pub award_atoms: u64,
}

#[event]
pub struct DisputePaid {
    pub liquidation: Pubkey,
    pub bond_atoms: u64,
    pub award_atoms: u64,
    pub owed_atoms: u64,
}
