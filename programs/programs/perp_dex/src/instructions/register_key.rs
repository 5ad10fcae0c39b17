use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::KeyRegistered,
    state::{Exchange, Phase, TradingKey, User},
};

#[derive(Accounts)]
#[instruction(key: Pubkey)]
pub struct RegisterKey<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump, has_one = owner @ DexError::NotOwner
    )]
    pub user: Box<Account<'info, User>>,
    #[account(
        init, payer = owner, space = 8 + TradingKey::INIT_SPACE, seeds = [b"key", user.key().as_ref(), key.as_ref()], bump
    )]
    pub trading_key: Account<'info, TradingKey>,
    pub system_program: Program<'info, System>,
}

/// A key is registered once: after it is revoked its address stays taken.
pub(crate) fn handle(
    ctx: Context<RegisterKey>,
    key: Pubkey,
    market_id: u32,
    cap_atoms: u64,
    expires_at: i64,
    custodied: bool,
) -> Result<()> {
    ctx.accounts.exchange.require_phase(&[Phase::Live, Phase::Fallback])?;
    let now = Clock::get()?.unix_timestamp;
    require!(expires_at > now, DexError::TooLate);
    let (created_ms, expires_ms) = (in_ms(now)?, in_ms(expires_at)?);
    let user = ctx.accounts.user.key();
    ctx.accounts.trading_key.set_inner(TradingKey {
        user,
        key,
        bump: ctx.bumps.trading_key,
        market_id,
        cap_atoms,
        created_ms,
        expires_ms,
        revoked_ms: 0,
        custodied,
    });
    let number = ctx.accounts.exchange.count_event()?;
    emit!(KeyRegistered { number, user, key, market_id, cap_atoms, expires_ms, custodied });
    Ok(())
}

pub(crate) fn in_ms(seconds: i64) -> Result<u64> {
    u64::try_from(seconds).ok().and_then(|value| value.checked_mul(1_000)).ok_or_else(|| DexError::Overflow.into())
}
