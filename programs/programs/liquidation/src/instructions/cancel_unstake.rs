use anchor_lang::prelude::*;

use crate::{
    error::LiquidationError,
    event::UnstakeCancelled,
    state::{Fund, Stake},
};

#[derive(Accounts)]
pub struct CancelUnstake<'info> {
    pub owner: Signer<'info>,
    #[account(mut, seeds = [b"fund"], bump = fund.bump)]
    pub fund: Box<Account<'info, Fund>>,
    #[account(mut, seeds = [b"stake", stake.owner.as_ref()], bump = stake.bump, has_one = owner @ LiquidationError::NotOwner)]
    pub stake: Box<Account<'info, Stake>>,
}

/// What the requested shares gained since the request is forfeit: otherwise a standing request would cost nothing.
pub(crate) fn handle(ctx: Context<CancelUnstake>) -> Result<()> {
    let (fund, stake) = (&mut ctx.accounts.fund, &mut ctx.accounts.stake);
    stake.require_alive(fund)?;
    require!(stake.requested_at != 0, LiquidationError::WrongRequest);
    let mut pool = fund.pool();
    let kept = pool.shares_for(stake.requested_atoms).map_err(|_| LiquidationError::Overflow)?;
    let burnt_shares = stake.requested_shares.saturating_sub(kept);
    pool.burn(burnt_shares).map_err(LiquidationError::from)?;
    fund.set_pool(pool);
    stake.burn(burnt_shares)?;
    stake.clear();
    emit!(UnstakeCancelled { owner: stake.owner, burnt_shares });
    stake.invariant(fund)
}
