use anchor_lang::{
    prelude::*,
    system_program::{transfer, Transfer},
};
use perp_dex::{
    cpi::accounts::RegisterKey,
    program::PerpDex,
    state::{Exchange, TradingKey},
};

use crate::{
    error::JitError,
    event::PoolKeyChanged,
    state::{Pool, OWNER},
};

#[derive(Accounts)]
pub struct RegisterPoolKey<'info> {
    #[account(mut)]
    pub manager: Signer<'info>,
    #[account(
        seeds = [b"pool", pool.manager.as_ref()], bump = pool.bump, has_one = manager @ JitError::NotManager,
        has_one = user @ JitError::WrongAccounts
    )]
    pub pool: Box<Account<'info, Pool>>,
    /// CHECK: the pool's own address; it pays the rent that the manager gives it.
    #[account(mut, seeds = [OWNER, pool.key().as_ref()], bump = pool.owner_bump)]
    pub pool_owner: UncheckedAccount<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    /// CHECK: the pool's account.
    pub user: UncheckedAccount<'info>,
    /// CHECK: made by `perp_dex`.
    #[account(mut)]
    pub trading_key: UncheckedAccount<'info>,
    pub perp_dex: Program<'info, PerpDex>,
    pub system_program: Program<'info, System>,
}

/// Let a key of the manager sign orders of the pool's account. A trading key can never withdraw.
pub(crate) fn handle(ctx: Context<RegisterPoolKey>, key: Pubkey, market_id: u32, cap_atoms: u64, expires_at: i64) -> Result<()> {
    let accounts = ctx.accounts;
    let space = TradingKey::INIT_SPACE.saturating_add(8);
    let rent = Transfer { from: accounts.manager.to_account_info(), to: accounts.pool_owner.to_account_info() };
    transfer(CpiContext::new(accounts.system_program.key(), rent), Rent::get()?.minimum_balance(space))?;
    let pool = accounts.pool.key();
    let seeds: &[&[&[u8]]] = &[&[OWNER, pool.as_ref(), &[accounts.pool.owner_bump]]];
    let registered = RegisterKey {
        owner: accounts.pool_owner.to_account_info(),
        exchange: accounts.exchange.to_account_info(),
        user: accounts.user.to_account_info(),
        trading_key: accounts.trading_key.to_account_info(),
        system_program: accounts.system_program.to_account_info(),
    };
    let context = CpiContext::new_with_signer(accounts.perp_dex.key(), registered, seeds);
    perp_dex::cpi::register_key(context, key, market_id, cap_atoms, expires_at, false)?;
    emit!(PoolKeyChanged { pool, key, revoked: false });
    Ok(())
}
