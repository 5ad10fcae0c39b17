use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::PhaseChanged,
    state::{Exchange, Phase},
};

/// Anyone may freeze an exchange that nobody settled for this long.
#[derive(Accounts)]
pub struct FreezeSilent<'info> {
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
}

pub(crate) fn handle(ctx: Context<FreezeSilent>) -> Result<()> {
    let clock = Clock::get()?;
    let exchange = &mut ctx.accounts.exchange;
    exchange.require_phase(&[Phase::Fallback])?;
    require!(clock.slot.saturating_sub(exchange.phase_slot) >= exchange.parameters.freeze_slots, DexError::TooEarly);
    exchange.enter(Phase::Frozen, &clock);
    emit!(PhaseChanged { phase: Phase::Frozen, slot: clock.slot, final_epoch: exchange.final_epoch });
    exchange.invariant()
}
