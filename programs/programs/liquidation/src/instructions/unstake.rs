use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::tokens::pay_out;

use crate::{
    error::LiquidationError,
    event::Unstaked,
    state::{Fund, Stake},
};

#[derive(Accounts)]
pub struct Unstake<'info> {
    pub owner: Signer<'info>,
    #[account(mut, seeds = [b"fund"], bump = fund.bump, has_one = vault @ LiquidationError::WrongTokenAccount)]
    pub fund: Box<Account<'info, Fund>>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(
        mut, token::mint = fund.mint, token::authority = owner,
        constraint = destination.key() != vault.key() @ LiquidationError::WrongTokenAccount
    )]
    pub destination: Box<Account<'info, TokenAccount>>,
    #[account(mut, seeds = [b"stake", stake.owner.as_ref()], bump = stake.bump, has_one = owner @ LiquidationError::NotOwner)]
    pub stake: Box<Account<'info, Stake>>,
    pub token_program: Program<'info, Token>,
}

/// Pay a request: what the shares are worth now or were worth then, the less of both.
pub(crate) fn handle(ctx: Context<Unstake>) -> Result<()> {
    let accounts = ctx.accounts;
    let (fund, stake) = (&mut accounts.fund, &mut accounts.stake);
    stake.require_alive(fund)?;
    require!(stake.requested_at != 0, LiquidationError::WrongRequest);
    let waited_s = Clock::get()?.unix_timestamp.saturating_sub(stake.requested_at).saturating_sub(fund.parameters.cooldown_s);
    require!(waited_s >= 0, LiquidationError::TooEarly);
    require!(waited_s <= fund.parameters.claim_s, LiquidationError::TooLate);
    let shares = stake.requested_shares;
    let mut pool = fund.pool();
    let amount = pool.leave(shares, stake.requested_atoms, fund.reserved_atoms).map_err(LiquidationError::from)?;
    fund.set_pool(pool);
    stake.burn(shares)?;
    stake.clear();
    let seeds: &[&[u8]] = &[b"fund", &[fund.bump]];
    pay_out(&accounts.token_program, fund.to_account_info(), seeds, &mut accounts.vault, &accounts.destination, amount)?;
    emit!(Unstaked { owner: stake.owner, shares, amount, assets_atoms: fund.assets_atoms });
    stake.invariant(fund)?;
    fund.invariant(accounts.vault.amount)
}
