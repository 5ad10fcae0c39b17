use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::ExitRequested,
    state::{Exchange, Phase, User},
};

#[derive(Accounts)]
pub struct RequestExit<'info> {
    pub owner: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        mut, seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump,
        has_one = owner @ DexError::NotOwner
    )]
    pub user: Box<Account<'info, User>>,
}

/// From now on the engine may close the account's positions, and must pay it out in time.
pub(crate) fn handle(ctx: Context<RequestExit>) -> Result<()> {
    ctx.accounts.exchange.require_phase(&[Phase::Live])?;
    let user = &mut ctx.accounts.user;
    user.settle(&ctx.accounts.exchange)?;
    require!(!user.exit_is_open(), DexError::AlreadyDone);
    require!(user.is_owed()?, DexError::ZeroAmount);
    user.exit_requested_at = Clock::get()?.unix_timestamp;
    user.exit_paid = false;
    let number = ctx.accounts.exchange.count_event()?;
    emit!(ExitRequested { number, user: user.key(), requested_at: user.exit_requested_at });
    user.invariant()
}
