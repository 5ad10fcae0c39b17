use anchor_lang::prelude::*;
use perp_dex::state::{Exchange, User};

use crate::{
    error::JitError,
    event::LeaveRequested,
    state::{Member, Pool, Terms},
    worth,
};

/// Further accounts: the markets of the pool's positions.
#[derive(Accounts)]
pub struct RequestLeave<'info> {
    pub owner: Signer<'info>,
    #[account(seeds = [b"terms"], bump = terms.bump)]
    pub terms: Account<'info, Terms>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(seeds = [b"pool", pool.manager.as_ref()], bump = pool.bump, has_one = user @ JitError::WrongAccounts)]
    pub pool: Box<Account<'info, Pool>>,
    pub user: Box<Account<'info, User>>,
    #[account(
        mut, seeds = [b"member", pool.key().as_ref(), member.owner.as_ref()], bump = member.bump, has_one = owner @ JitError::NotOwner
    )]
    pub member: Box<Account<'info, Member>>,
}

/// What the shares are worth now, at the worst, is the most that is paid for them.
pub(crate) fn handle<'info>(ctx: Context<'info, RequestLeave<'info>>, shares: u128) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let accounts = ctx.accounts;
    let (pool, member) = (&accounts.pool, &mut accounts.member);
    require!(member.requested_at == 0, JitError::WrongRequest);
    require!(shares <= member.shares, JitError::TooMuch);
    let worth = worth::Account::read(pool, &accounts.exchange, &mut accounts.user, ctx.remaining_accounts, now)?.lowest(pool)?;
    let value_atoms = worth.value_of(shares).map_err(JitError::from)?;
    require!(value_atoms > 0, JitError::WorthNothing);
    member.requested_shares = shares;
    member.requested_atoms = value_atoms;
    member.requested_at = now;
    let payable_at = now.saturating_add(accounts.terms.parameters.leave_s);
    emit!(LeaveRequested { pool: pool.key(), owner: member.owner, shares, value_atoms, payable_at });
    member.invariant(pool)
}
