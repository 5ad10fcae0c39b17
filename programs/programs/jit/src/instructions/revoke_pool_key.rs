use anchor_lang::prelude::*;
use perp_dex::{
    cpi::accounts::RevokeKey,
    program::PerpDex,
    state::{Exchange, TradingKey},
};

use crate::{
    error::JitError,
    event::PoolKeyChanged,
    state::{Pool, OWNER},
};

#[derive(Accounts)]
pub struct RevokePoolKey<'info> {
    pub manager: Signer<'info>,
    #[account(
        seeds = [b"pool", pool.manager.as_ref()], bump = pool.bump, has_one = manager @ JitError::NotManager,
        has_one = user @ JitError::WrongAccounts
    )]
    pub pool: Box<Account<'info, Pool>>,
    /// CHECK: the pool's own address.
    #[account(seeds = [OWNER, pool.key().as_ref()], bump = pool.owner_bump)]
    pub pool_owner: UncheckedAccount<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    /// CHECK: the pool's account.
    pub user: UncheckedAccount<'info>,
    #[account(
        mut, seeds = [b"key", pool.user.as_ref(), trading_key.key.as_ref()], bump = trading_key.bump, seeds::program = perp_dex::ID
    )]
    pub trading_key: Account<'info, TradingKey>,
    pub perp_dex: Program<'info, PerpDex>,
}

pub(crate) fn handle(ctx: Context<RevokePoolKey>) -> Result<()> {
    let accounts = ctx.accounts;
    let pool = accounts.pool.key();
    let seeds: &[&[&[u8]]] = &[&[OWNER, pool.as_ref(), &[accounts.pool.owner_bump]]];
    let revoked = RevokeKey {
        owner: accounts.pool_owner.to_account_info(),
        exchange: accounts.exchange.to_account_info(),
        user: accounts.user.to_account_info(),
        trading_key: accounts.trading_key.to_account_info(),
    };
    perp_dex::cpi::revoke_key(CpiContext::new_with_signer(accounts.perp_dex.key(), revoked, seeds))?;
    emit!(PoolKeyChanged { pool, key: accounts.trading_key.key, revoked: true });
    Ok(())
}
