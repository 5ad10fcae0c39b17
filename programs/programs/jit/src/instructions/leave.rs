use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::{
    state::{Exchange, User},
    tokens::pay_out,
};

use crate::{
    error::JitError,
    event::Left,
    state::{Member, Pool, Terms, OWNER},
    worth,
};

/// Further accounts: the markets of the pool's positions.
#[derive(Accounts)]
pub struct Leave<'info> {
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
    /// CHECK: the pool's own address.
    #[account(seeds = [OWNER, pool.key().as_ref()], bump = pool.owner_bump)]
    pub pool_owner: UncheckedAccount<'info>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    pub user: Box<Account<'info, User>>,
    #[account(
        mut, token::mint = terms.mint, token::authority = owner,
        constraint = destination.key() != vault.key() @ JitError::WrongTokenAccount
    )]
    pub destination: Box<Account<'info, TokenAccount>>,
    #[account(
        mut, seeds = [b"member", pool.key().as_ref(), member.owner.as_ref()], bump = member.bump, has_one = owner @ JitError::NotOwner
    )]
    pub member: Box<Account<'info, Member>>,
    pub token_program: Program<'info, Token>,
}

/// Pay a request from what is idle: the lowest that the shares are worth now, or were worth then, the less of both.
pub(crate) fn handle<'info>(ctx: Context<'info, Leave<'info>>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let accounts = ctx.accounts;
    let parameters = accounts.terms.parameters;
    let (pool, member) = (&mut accounts.pool, &mut accounts.member);
    member.require_due(parameters.leave_s, parameters.claim_s, now)?;
    let shares = member.requested_shares;
    let mut worth = worth::Account::read(pool, &accounts.exchange, &mut accounts.user, ctx.remaining_accounts, now)?.lowest(pool)?;
    let amount = worth.leave(shares, member.requested_atoms, 0).map_err(JitError::from)?;
    pool.shares = worth.shares;
    pool.take_idle(amount)?;
    member.shares = member.shares.checked_sub(shares).ok_or(JitError::InvariantBroken)?;
    member.clear();
    let key = pool.key();
    let seeds: &[&[u8]] = &[OWNER, key.as_ref(), &[pool.owner_bump]];
    pay_out(&accounts.token_program, accounts.pool_owner.to_account_info(), seeds, &mut accounts.vault, &accounts.destination, amount)?;
    emit!(Left { pool: key, owner: member.owner, amount, shares });
    member.invariant(pool)?;
    pool.invariant(accounts.vault.amount)
}
