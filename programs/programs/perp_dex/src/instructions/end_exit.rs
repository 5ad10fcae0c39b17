use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::ExitEnded,
    state::{Exchange, Phase, User},
};

/// Anyone may end the exit of an account that has nothing left, however it went.
#[derive(Accounts)]
pub struct EndExit<'info> {
    #[account(seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        mut, seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump,
        constraint = user.exit_is_open() @ DexError::AlreadyDone
    )]
    pub user: Box<Account<'info, User>>,
}

pub(crate) fn handle(ctx: Context<EndExit>) -> Result<()> {
    let (exchange, user) = (&ctx.accounts.exchange, &mut ctx.accounts.user);
    exchange.require_phase(&[Phase::Live, Phase::Fallback])?;
    user.settle(exchange)?;
    require!(user.exit_paid, DexError::TooEarly);
    emit!(ExitEnded { user: user.key() });
    user.invariant()
}
