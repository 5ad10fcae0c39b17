use anchor_lang::prelude::*;

use super::register_key::in_ms;
use crate::{
    error::DexError,
    event::KeyRevoked,
    state::{Exchange, TradingKey, User},
};

#[derive(Accounts)]
pub struct RevokeKey<'info> {
    pub owner: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump, has_one = owner @ DexError::NotOwner
    )]
    pub user: Box<Account<'info, User>>,
    #[account(mut, seeds = [b"key", user.key().as_ref(), trading_key.key.as_ref()], bump = trading_key.bump)]
    pub trading_key: Account<'info, TradingKey>,
}

pub(crate) fn handle(ctx: Context<RevokeKey>) -> Result<()> {
    let revoked_ms = in_ms(Clock::get()?.unix_timestamp)?;
    let key = &mut ctx.accounts.trading_key;
    require!(key.revoked_ms == 0, DexError::AlreadyDone);
    key.revoked_ms = revoked_ms;
    let number = ctx.accounts.exchange.count_event()?;
    emit!(KeyRevoked { number, user: key.user, key: key.key, revoked_ms });
    Ok(())
}
