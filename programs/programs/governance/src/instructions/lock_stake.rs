use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::tokens::take_in;

use crate::{
    error::GovernanceError,
    event::StakeLocked,
    state::{Governance, Stake},
};

#[derive(Accounts)]
#[instruction(number: u16)]
pub struct LockStake<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,
    #[account(mut, seeds = [b"governance"], bump = governance.bump, has_one = stake_vault @ GovernanceError::WrongTokenAccount)]
    pub governance: Box<Account<'info, Governance>>,
    #[account(mut)]
    pub stake_vault: Box<Account<'info, TokenAccount>>,
    #[account(mut, token::mint = governance.stake_mint, token::authority = owner)]
    pub source: Box<Account<'info, TokenAccount>>,
    #[account(
        init, payer = owner, space = 8 + Stake::INIT_SPACE, seeds = [b"stake", owner.key().as_ref(), number.to_le_bytes().as_ref()], bump
    )]
    pub stake: Account<'info, Stake>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle(ctx: Context<LockStake>, number: u16, amount_atoms: u64) -> Result<()> {
    require!(amount_atoms > 0, GovernanceError::ZeroAmount);
    let accounts = ctx.accounts;
    take_in(&accounts.token_program, &accounts.source, &mut accounts.stake_vault, &accounts.owner, amount_atoms)?;
    let clock = Clock::get()?;
    let (owner, locked_until) = (accounts.owner.key(), clock.unix_timestamp.saturating_add(accounts.governance.parameters.lock_s));
    accounts.governance.add_stake(amount_atoms)?;
    accounts.stake.set_inner(Stake { owner, number, bump: ctx.bumps.stake, amount_atoms, staked_slot: clock.slot, locked_until });
    emit!(StakeLocked { stake: accounts.stake.key(), owner, amount_atoms, locked_until });
    accounts.stake.invariant()?;
    accounts.governance.invariant(accounts.stake_vault.amount)
}
