use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use perp_dex::{cpi::accounts::CreateUser, program::PerpDex, state::Exchange};

use crate::{
    error::JitError,
    event::PoolCreated,
    state::{Pool, Terms, OWNER},
};

#[derive(Accounts)]
pub struct CreatePool<'info> {
    #[account(mut)]
    pub manager: Signer<'info>,
    #[account(seeds = [b"terms"], bump = terms.bump)]
    pub terms: Account<'info, Terms>,
    #[account(address = terms.mint @ JitError::WrongTokenAccount)]
    pub mint: Box<Account<'info, Mint>>,
    #[account(init, payer = manager, space = 8 + Pool::INIT_SPACE, seeds = [b"pool", manager.key().as_ref()], bump)]
    pub pool: Box<Account<'info, Pool>>,
    /// CHECK: an address that only this program signs for; it owns the pool's vault and account.
    #[account(seeds = [OWNER, pool.key().as_ref()], bump)]
    pub pool_owner: UncheckedAccount<'info>,
    #[account(init, payer = manager, seeds = [b"pool_vault", pool.key().as_ref()], bump, token::mint = mint, token::authority = pool_owner)]
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    /// CHECK: the pool's account of the exchange, that `perp_dex` makes.
    #[account(mut, seeds = [b"user", pool_owner.key().as_ref(), [0u8; 2].as_ref()], bump, seeds::program = perp_dex::ID)]
    pub user: UncheckedAccount<'info>,
    pub perp_dex: Program<'info, PerpDex>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

/// Anyone may manage a pool of his own; who joins it trusts him to trade, not to keep.
pub(crate) fn handle(ctx: Context<CreatePool>) -> Result<()> {
    let accounts = ctx.accounts;
    let (manager, user) = (accounts.manager.key(), accounts.user.key());
    accounts.pool.set_inner(Pool {
        manager,
        bump: ctx.bumps.pool,
        owner_bump: ctx.bumps.pool_owner,
        vault: accounts.vault.key(),
        user,
        idle_atoms: 0,
        shares: 0,
        collected: false,
    });
    // Somebody may have made the account already: anyone may pay for anybody's.
    if accounts.user.data_is_empty() {
        let made = CreateUser {
            payer: accounts.manager.to_account_info(),
            exchange: accounts.exchange.to_account_info(),
            user: accounts.user.to_account_info(),
            system_program: accounts.system_program.to_account_info(),
        };
        perp_dex::cpi::create_user(CpiContext::new(accounts.perp_dex.key(), made), accounts.pool_owner.key(), 0)?;
    }
    emit!(PoolCreated { pool: accounts.pool.key(), manager, user });
    accounts.pool.invariant(accounts.vault.amount)
}
