use anchor_lang::prelude::*;

use crate::{
    error::JitError,
    event::LeaveCancelled,
    state::{Member, Pool},
};

#[derive(Accounts)]
pub struct CancelLeave<'info> {
    pub owner: Signer<'info>,
    #[account(seeds = [b"pool", pool.manager.as_ref()], bump = pool.bump)]
    pub pool: Box<Account<'info, Pool>>,
    #[account(
        mut, seeds = [b"member", pool.key().as_ref(), member.owner.as_ref()], bump = member.bump, has_one = owner @ JitError::NotOwner
    )]
    pub member: Box<Account<'info, Member>>,
}

/// The shares never left, so nothing is forfeit; a new request waits anew.
pub(crate) fn handle(ctx: Context<CancelLeave>) -> Result<()> {
    let (pool, member) = (&ctx.accounts.pool, &mut ctx.accounts.member);
    require!(member.requested_at != 0, JitError::WrongRequest);
    member.clear();
    emit!(LeaveCancelled { pool: pool.key(), owner: member.owner });
    member.invariant(pool)
}
