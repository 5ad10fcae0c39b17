use anchor_lang::prelude::*;

use crate::{
    event::EpochFinal,
    state::{Exchange, Phase},
};

/// Anyone may turn this crank.
#[derive(Accounts)]
pub struct TurnEpoch<'info> {
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
}

pub(crate) fn handle(ctx: Context<TurnEpoch>) -> Result<()> {
    let exchange = &mut ctx.accounts.exchange;
    exchange.require_phase(&[Phase::Live, Phase::Fallback])?;
    exchange.turn_epoch(Clock::get()?.unix_timestamp)?;
    emit!(EpochFinal { epoch: exchange.final_epoch });
    exchange.invariant()
}
