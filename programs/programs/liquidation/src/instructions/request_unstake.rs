use anchor_lang::prelude::*;

use crate::{
    error::LiquidationError,
    event::UnstakeRequested,
    state::{Fund, Stake},
};

#[derive(Accounts)]
pub struct RequestUnstake<'info> {
    pub owner: Signer<'info>,
    #[account(seeds = [b"fund"], bump = fund.bump)]
    pub fund: Box<Account<'info, Fund>>,
    #[account(mut, seeds = [b"stake", stake.owner.as_ref()], bump = stake.bump, has_one = owner @ LiquidationError::NotOwner)]
    pub stake: Box<Account<'info, Stake>>,
}

/// What the shares are worth now is the most that is paid for them; until then they bear every loss.
pub(crate) fn handle(ctx: Context<RequestUnstake>, shares: u128) -> Result<()> {
    let (fund, stake) = (&ctx.accounts.fund, &mut ctx.accounts.stake);
    stake.require_alive(fund)?;
    require!(stake.requested_at == 0, LiquidationError::WrongRequest);
    require!(shares <= stake.shares, LiquidationError::TooMuch);
    let value_atoms = fund.value_of(shares)?;
    require!(value_atoms > 0, LiquidationError::WorthNothing);
    let now = Clock::get()?.unix_timestamp;
    stake.requested_shares = shares;
    stake.requested_atoms = value_atoms;
    stake.requested_at = now;
    let payable_at = now.saturating_add(fund.parameters.cooldown_s);
    emit!(UnstakeRequested { owner: stake.owner, shares, value_atoms, payable_at });
    stake.invariant(fund)
}
