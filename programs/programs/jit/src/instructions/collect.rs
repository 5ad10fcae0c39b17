use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::{
    state::{Exchange, User, QUOTE},
    tokens::pay_out,
};

use crate::{
    error::JitError,
    event::MoneyMoved,
    state::{Pool, OWNER},
};

#[derive(Accounts)]
pub struct Collect<'info> {
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        mut, seeds = [b"pool", pool.manager.as_ref()], bump = pool.bump, has_one = vault @ JitError::WrongTokenAccount,
        has_one = user @ JitError::WrongAccounts
    )]
    pub pool: Box<Account<'info, Pool>>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    /// CHECK: the pool's own address.
    #[account(seeds = [OWNER, pool.key().as_ref()], bump = pool.owner_bump)]
    pub pool_owner: UncheckedAccount<'info>,
    /// Another token account of the pool's address, that somebody had the payment sent to.
    #[account(mut, token::mint = vault.mint, token::authority = pool_owner)]
    pub source: Option<Box<Account<'info, TokenAccount>>>,
    pub user: Box<Account<'info, User>>,
    pub token_program: Program<'info, Token>,
}

/// Count what the exchange's end paid (`perp_dex` escapes to any token account of the owner): from now on all that there is lies in the vault.
pub(crate) fn handle(ctx: Context<Collect>) -> Result<()> {
    let accounts = ctx.accounts;
    let (pool, user) = (&mut accounts.pool, &accounts.user);
    let paid = user.escaped >> QUOTE & 1 == 1;
    require!(accounts.exchange.is_frozen() && paid, JitError::WrongPhase);
    let key = pool.key();
    if let Some(source) = &mut accounts.source {
        let seeds: &[&[u8]] = &[OWNER, key.as_ref(), &[pool.owner_bump]];
        let amount = source.amount;
        pay_out(&accounts.token_program, accounts.pool_owner.to_account_info(), seeds, source, &accounts.vault, amount)?;
        accounts.vault.reload()?;
    }
    pool.collected = true;
    pool.idle_atoms = accounts.vault.amount;
    emit!(MoneyMoved { pool: key, amount: 0, idle_atoms: pool.idle_atoms });
    pool.invariant(accounts.vault.amount)
}
