use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::PhaseChanged,
    state::{Exchange, Phase, User},
};

/// Anyone may say that the operator is silent, or that an exit is overdue.
#[derive(Accounts)]
pub struct FallBack<'info> {
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    /// The account whose exit is overdue, where that is the reason.
    #[account(mut, seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump)]
    pub user: Option<Box<Account<'info, User>>>,
}

/// A batch that was never finished cannot be told from a wrong one: then nothing after the last final epoch counts.
pub(crate) fn handle(ctx: Context<FallBack>) -> Result<()> {
    let clock = Clock::get()?;
    let exchange = &mut ctx.accounts.exchange;
    exchange.require_phase(&[Phase::Live])?;
    let silent = clock.slot.saturating_sub(exchange.last_batch_slot) >= exchange.parameters.silent_slots;
    let overdue = match &mut ctx.accounts.user {
        Some(user) => is_overdue(user, exchange, clock.unix_timestamp)?,
        None => false,
    };
    require!(silent || overdue && !exchange.batch_open, DexError::TooEarly);
    let phase = if exchange.batch_open { Phase::Frozen } else { Phase::Fallback };
    exchange.enter(phase, &clock);
    emit!(PhaseChanged { phase, slot: clock.slot, final_epoch: exchange.final_epoch });
    exchange.invariant()
}

/// An exit is overdue while there is something to close or to pay.
fn is_overdue(user: &mut User, exchange: &Exchange, now: i64) -> Result<bool> {
    user.settle(exchange)?;
    let age = now.saturating_sub(user.exit_requested_at);
    Ok(user.exit_is_open() && user.is_owed()? && age >= exchange.parameters.exit_s)
}
