use anchor_lang::prelude::*;
use perp_dex::state::{Exchange, User};

use crate::position_limits::PositionLimits;

#[derive(Accounts)]
pub struct PositionRoom<'info> {
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump, seeds::program = perp_dex::ID
    )]
    pub user: Box<Account<'info, User>>,
    #[account(seeds = [b"limits", limits.market_id.to_le_bytes().as_ref()], bump = limits.bump)]
    pub limits: Box<Account<'info, PositionLimits>>,
}

/// The least over what is final and what is pending.
pub(crate) fn handle(ctx: Context<PositionRoom>, buys: bool) -> Result<u64> {
    let accounts = ctx.accounts;
    accounts.user.settle(&accounts.exchange)?;
    let limits = accounts.limits.present(Clock::get()?.unix_timestamp);
    let outlooks = accounts.user.outlooks()?;
    Ok(outlooks.iter().map(|outlook| limits.room(outlook.lots(accounts.limits.market_id), buys)).min().unwrap_or(0))
}
