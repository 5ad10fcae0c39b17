use anchor_lang::prelude::*;
use anchor_spl::token::TokenAccount;
use perp_dex::state::{Exchange, User, QUOTE};

use crate::{error::JitError, event::MoneyMoved, state::Pool};

#[derive(Accounts)]
pub struct Collect<'info> {
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        mut, seeds = [b"pool", pool.manager.as_ref()], bump = pool.bump, has_one = vault @ JitError::WrongTokenAccount,
        has_one = user @ JitError::WrongAccounts
    )]
    pub pool: Box<Account<'info, Pool>>,
    pub vault: Box<Account<'info, TokenAccount>>,
    pub user: Box<Account<'info, User>>,
}

/// Count what the exchange's end paid into the vault (`perp_dex` escapes to its owner's token account): from now on all that there is lies there.
pub(crate) fn handle(ctx: Context<Collect>) -> Result<()> {
    let (pool, user) = (&mut ctx.accounts.pool, &ctx.accounts.user);
    let paid = user.escaped >> QUOTE & 1 == 1;
    require!(ctx.accounts.exchange.is_frozen() && paid && !pool.collected, JitError::WrongPhase);
    pool.collected = true;
    pool.idle_atoms = ctx.accounts.vault.amount;
    emit!(MoneyMoved { pool: pool.key(), amount: 0, idle_atoms: pool.idle_atoms });
    pool.invariant(ctx.accounts.vault.amount)
}
