//! Who may change what, and how long everybody has to leave before it changes.
//!
//! Stake that was locked before a vote decides; what loosens then waits longer than an exit of the exchange takes, what tightens does not.
//! The guardian tightens and vetoes. One address of this program signs what is executed: other programs know it as their authority.

use anchor_lang::prelude::*;

pub mod error;
pub mod event;
mod instructions;
pub mod nonce;
pub mod rules;
pub mod signing;
pub mod state;

use instructions::*;
use state::{Kind, Parameters, ProposedInstruction};

declare_id!("DRoUgaa2PXZNnbv9bLu3vQWjmKpWkQVHJEcvJxBWs7w2");

#[program]
pub mod governance {
    use super::*;

    pub fn initialise(ctx: Context<Initialise>, guardian: Pubkey, parameters: Parameters) -> Result<()> {
        instructions::initialise::handle(ctx, guardian, parameters)
    }

    pub fn lock_stake(ctx: Context<LockStake>, number: u16, amount_atoms: u64) -> Result<()> {
        instructions::lock_stake::handle(ctx, number, amount_atoms)
    }

    pub fn return_stake(ctx: Context<ReturnStake>) -> Result<()> {
        instructions::return_stake::handle(ctx)
    }

    pub fn propose(ctx: Context<Propose>, kind: Kind) -> Result<()> {
        instructions::propose::handle(ctx, kind)
    }

    pub fn add_instruction<'info>(ctx: Context<'info, AddInstruction<'info>>, instruction: ProposedInstruction) -> Result<()> {
        instructions::add_instruction::handle(ctx, instruction)
    }

    pub fn begin_vote(ctx: Context<BeginVote>) -> Result<()> {
        instructions::begin_vote::handle(ctx)
    }

    pub fn vote(ctx: Context<CastVote>, approves: bool, hash: [u8; 32]) -> Result<()> {
        instructions::vote::handle(ctx, approves, hash)
    }

    pub fn cancel(ctx: Context<Cancel>) -> Result<()> {
        instructions::cancel::handle(ctx)
    }

    pub fn veto(ctx: Context<Veto>) -> Result<()> {
        instructions::veto::handle(ctx)
    }

    pub fn execute<'info>(ctx: Context<'info, Execute<'info>>, index: u8) -> Result<()> {
        instructions::execute::handle(ctx, index)
    }

    pub fn tighten<'info>(ctx: Context<'info, Tighten<'info>>, data: Vec<u8>) -> Result<()> {
        instructions::tighten::handle(ctx, data)
    }

    pub fn create_treasury(ctx: Context<CreateTreasury>) -> Result<()> {
        instructions::create_treasury::handle(ctx)
    }

    pub fn pay(ctx: Context<Pay>, amount_atoms: u64) -> Result<()> {
        instructions::pay::handle(ctx, amount_atoms)
    }

    pub fn set_cap(ctx: Context<SetCap>, cap_day_atoms: u64) -> Result<()> {
        instructions::set_cap::handle(ctx, cap_day_atoms)
    }

    pub fn lower_cap(ctx: Context<LowerCap>, cap_day_atoms: u64) -> Result<()> {
        instructions::lower_cap::handle(ctx, cap_day_atoms)
    }

    pub fn set_parameters(ctx: Context<SetParameters>, parameters: Parameters) -> Result<()> {
        instructions::set_parameters::handle(ctx, parameters)
    }

    pub fn set_guardian(ctx: Context<SetGuardian>, guardian: Pubkey) -> Result<()> {
        instructions::set_guardian::handle(ctx, guardian)
    }

    pub fn accept_authority(ctx: Context<AcceptAuthority>) -> Result<()> {
        instructions::accept_authority::handle(ctx)
    }
}
