use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::{
    state::{Exchange, User},
    tokens::take_in,
};

use crate::{
    error::JitError,
    event::Joined,
    state::{Member, Pool, Terms},
    worth,
};

/// Further accounts: the markets of the pool's positions.
#[derive(Accounts)]
pub struct Join<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,
    #[account(seeds = [b"terms"], bump = terms.bump)]
    pub terms: Account<'info, Terms>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        mut, seeds = [b"pool", pool.manager.as_ref()], bump = pool.bump, has_one = vault @ JitError::WrongTokenAccount,
        has_one = user @ JitError::WrongAccounts
    )]
    pub pool: Box<Account<'info, Pool>>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    pub user: Box<Account<'info, User>>,
    #[account(
        mut, token::mint = terms.mint, token::authority = owner, constraint = source.key() != vault.key() @ JitError::WrongTokenAccount
    )]
    pub source: Box<Account<'info, TokenAccount>>,
    #[account(
        init_if_needed, payer = owner, space = 8 + Member::INIT_SPACE, seeds = [b"member", pool.key().as_ref(), owner.key().as_ref()], bump
    )]
    pub member: Box<Account<'info, Member>>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

/// Buy shares at the highest that the pool may be worth.
pub(crate) fn handle<'info>(ctx: Context<'info, Join<'info>>, amount: u64) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let accounts = ctx.accounts;
    require!(!accounts.exchange.is_frozen(), JitError::WrongPhase);
    require!(amount >= accounts.terms.parameters.min_join_atoms, JitError::BelowMinimum);
    let (pool, member) = (&mut accounts.pool, &mut accounts.member);
    let mut worth = worth::Account::read(pool, &accounts.exchange, &mut accounts.user, ctx.remaining_accounts, now)?.highest(pool)?;
    require!(!worth.is_used_up().map_err(JitError::from)?, JitError::UsedUp);
    let shares = worth.join(amount).map_err(JitError::from)?;
    pool.shares = worth.shares;
    pool.add_idle(amount)?;
    member.pool = pool.key();
    member.owner = accounts.owner.key();
    member.bump = ctx.bumps.member;
    member.shares = member.shares.checked_add(shares).ok_or(JitError::Overflow)?;
    take_in(&accounts.token_program, &accounts.source, &mut accounts.vault, &accounts.owner, amount)?;
    emit!(Joined { pool: pool.key(), owner: member.owner, amount, shares });
    member.invariant(pool)?;
    pool.invariant(accounts.vault.amount)
}
