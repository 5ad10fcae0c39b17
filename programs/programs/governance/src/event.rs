//! Every change is told.

use anchor_lang::prelude::*;

use crate::state::{Kind, Parameters};

#[event]
pub struct GovernanceInitialised {
    pub guardian: Pubkey,
    pub stake_mint: Pubkey,
    pub parameters: Parameters,
}

#[event]
pub struct StakeLocked {
    pub stake: Pubkey,
    pub owner: Pubkey,
    pub amount_atoms: u64,
    pub locked_until: i64,
}

#[event]
pub struct StakeReturned {
    pub stake: Pubkey,
    pub owner: Pubkey,
    pub amount_atoms: u64,
}

#[event]
pub struct Proposed {
    pub proposal: u64,
    pub proposer: Pubkey,
    pub kind: Kind,
}

#[event]
pub struct InstructionAdded {
    pub proposal: u64,
    pub index: u8,
    pub program_id: Pubkey,
    pub hash: [u8; 32],
}

#[event]
pub struct VoteBegun {
    pub proposal: u64,
    pub hash: [u8; 32],
    pub quorum_atoms: u64,
    pub votes_until: i64,
    pub ready_at: i64,
    pub expires_at: i64,
}

#[event]
pub struct Voted {
    pub proposal: u64,
    pub stake: Pubkey,
    pub approves: bool,
    pub atoms: u64,
}

#[event]
pub struct ProposalCancelled {
    pub proposal: u64,
}

#[event]
pub struct ProposalVetoed {
    pub proposal: u64,
    pub guardian: Pubkey,
}

#[event]
pub struct InstructionExecuted {
    pub proposal: u64,
    pub index: u8,
    pub hash: [u8; 32],
}

#[event]
pub struct Tightened {
    pub guardian: Pubkey,
    pub program_id: Pubkey,
    pub hash: [u8; 32],
}

#[event]
pub struct TreasuryCreated {
    pub mint: Pubkey,
    pub vault: Pubkey,
}

#[event]
pub struct CapSet {
    pub mint: Pubkey,
    pub cap_day_atoms: u64,
    pub next_cap_atoms: u64,
    pub next_cap_at: i64,
}

#[event]
pub struct Paid {
    pub mint: Pubkey,
    pub destination: Pubkey,
    pub amount_atoms: u64,
}

#[event]
pub struct ParametersSet {
    pub epoch: u64,
    pub parameters: Parameters,
}

#[event]
pub struct GuardianSet {
    pub epoch: u64,
    pub guardian: Pubkey,
}

#[event]
pub struct AuthorityAccepted {
    pub program_id: Pubkey,
}
