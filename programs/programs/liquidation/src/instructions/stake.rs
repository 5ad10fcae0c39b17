use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::tokens::take_in;

use crate::{
    error::LiquidationError,
    event::Staked,
    state::{Fund, Stake},
};

#[derive(Accounts)]
pub struct JoinFund<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,
    #[account(mut, seeds = [b"fund"], bump = fund.bump, has_one = vault @ LiquidationError::WrongTokenAccount)]
    pub fund: Box<Account<'info, Fund>>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(
        mut, token::mint = fund.mint, token::authority = owner, constraint = source.key() != vault.key() @ LiquidationError::WrongTokenAccount
    )]
    pub source: Box<Account<'info, TokenAccount>>,
    #[account(init_if_needed, payer = owner, space = 8 + Stake::INIT_SPACE, seeds = [b"stake", owner.key().as_ref()], bump)]
    pub stake: Box<Account<'info, Stake>>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

/// Buy shares at what they are worth before anything that is reserved: a loss that is on record is not sold to the next one cheaper.
pub(crate) fn handle(ctx: Context<JoinFund>, amount: u64) -> Result<()> {
    let accounts = ctx.accounts;
    require!(amount >= accounts.fund.parameters.min_stake_atoms, LiquidationError::BelowMinimum);
    let mut pool = accounts.fund.pool();
    let shares = pool.join(amount).map_err(LiquidationError::from)?;
    accounts.fund.set_pool(pool);
    let stake = &mut accounts.stake;
    stake.owner = accounts.owner.key();
    stake.bump = ctx.bumps.stake;
    stake.enter(&accounts.fund);
    stake.shares = stake.shares.checked_add(shares).ok_or(LiquidationError::Overflow)?;
    take_in(&accounts.token_program, &accounts.source, &mut accounts.vault, &accounts.owner, amount)?;
    emit!(Staked { owner: stake.owner, amount, shares, assets_atoms: accounts.fund.assets_atoms });
    stake.invariant(&accounts.fund)?;
    accounts.fund.invariant(accounts.vault.amount)
}
