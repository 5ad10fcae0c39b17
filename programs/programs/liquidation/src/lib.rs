//! Losses have an owner, and nobody is liquidated above maintenance.
//!
//! Stakers own the insurance fund by shares. It makes accounts whole that are below zero without positions, inside bounds; what it does not
//! cover is on record. Liquidations begin with a proof and take a share of each position that grows with time; who was liquidated may
//! dispute it with a bond.

use anchor_lang::prelude::*;

pub mod bankruptcy;
pub mod error;
pub mod event;
mod instructions;
pub mod shortage;
pub mod state;

pub use error::LiquidationError;
use instructions::*;
use state::FundParameters;

declare_id!("GEV3RA8xQQGpqCdSMCH1KnJozXsh3qt1vKQwzFkiSrLM");

#[program]
pub mod liquidation {
    use super::*;

    pub fn initialise(ctx: Context<Initialise>, parameters: FundParameters) -> Result<()> {
        instructions::initialise::handle(ctx, parameters)
    }

    pub fn stake(ctx: Context<JoinFund>, amount: u64) -> Result<()> {
        instructions::stake::handle(ctx, amount)
    }

    pub fn request_unstake(ctx: Context<RequestUnstake>, shares: u128) -> Result<()> {
        instructions::request_unstake::handle(ctx, shares)
    }

    pub fn cancel_unstake(ctx: Context<CancelUnstake>) -> Result<()> {
        instructions::cancel_unstake::handle(ctx)
    }

    pub fn unstake(ctx: Context<Unstake>) -> Result<()> {
        instructions::unstake::handle(ctx)
    }

    pub fn contribute(ctx: Context<Contribute>, amount: u64) -> Result<()> {
        instructions::contribute::handle(ctx, amount)
    }

    pub fn open_recovery(ctx: Context<OpenRecovery>) -> Result<()> {
        instructions::open_recovery::handle(ctx)
    }

    pub fn recover(ctx: Context<Recover>) -> Result<()> {
        instructions::recover::handle(ctx)
    }

    pub fn close_recovery(ctx: Context<CloseRecovery>) -> Result<()> {
        instructions::close_recovery::handle(ctx)
    }

    pub fn begin_liquidation<'info>(ctx: Context<'info, BeginLiquidation<'info>>) -> Result<()> {
        instructions::begin_liquidation::handle(ctx)
    }

    pub fn step_liquidation<'info>(ctx: Context<'info, StepLiquidation<'info>>, lots: i64) -> Result<()> {
        instructions::step_liquidation::handle(ctx, lots)
    }

    pub fn end_liquidation<'info>(ctx: Context<'info, EndLiquidation<'info>>) -> Result<()> {
        instructions::end_liquidation::handle(ctx)
    }

    pub fn open_dispute(ctx: Context<OpenDispute>, claim_atoms: u64) -> Result<()> {
        instructions::open_dispute::handle(ctx, claim_atoms)
    }

    pub fn decide_dispute(ctx: Context<DecideDispute>, award_atoms: u64) -> Result<()> {
        instructions::decide_dispute::handle(ctx, award_atoms)
    }

    pub fn close_dispute(ctx: Context<CloseDispute>) -> Result<()> {
        instructions::close_dispute::handle(ctx)
    }
}
