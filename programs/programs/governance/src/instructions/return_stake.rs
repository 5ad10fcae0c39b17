use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::tokens::pay_out;

use crate::{
    error::GovernanceError,
    event::StakeReturned,
    state::{Governance, Stake},
};

/// All or nothing, to any token account that the owner names.
#[derive(Accounts)]
pub struct ReturnStake<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,
    #[account(mut, seeds = [b"governance"], bump = governance.bump, has_one = stake_vault @ GovernanceError::WrongTokenAccount)]
    pub governance: Box<Account<'info, Governance>>,
    /// CHECK: the stake vault's own authority, an address of this program.
    #[account(seeds = [b"stake_authority"], bump = governance.stake_authority_bump)]
    pub stake_authority: UncheckedAccount<'info>,
    #[account(mut)]
    pub stake_vault: Box<Account<'info, TokenAccount>>,
    #[account(mut, token::mint = governance.stake_mint)]
    pub destination: Box<Account<'info, TokenAccount>>,
    #[account(
        mut, close = owner, has_one = owner @ GovernanceError::NotOwner,
        seeds = [b"stake", owner.key().as_ref(), stake.number.to_le_bytes().as_ref()], bump = stake.bump
    )]
    pub stake: Account<'info, Stake>,
    pub token_program: Program<'info, Token>,
}

pub(crate) fn handle(ctx: Context<ReturnStake>) -> Result<()> {
    let accounts = ctx.accounts;
    require!(Clock::get()?.unix_timestamp > accounts.stake.locked_until, GovernanceError::StakeLocked);
    let amount_atoms = accounts.stake.amount_atoms;
    accounts.governance.remove_stake(amount_atoms)?;
    let seeds: &[&[u8]] = &[b"stake_authority", &[accounts.governance.stake_authority_bump]];
    pay_out(
        &accounts.token_program,
        accounts.stake_authority.to_account_info(),
        seeds,
        &mut accounts.stake_vault,
        &accounts.destination,
        amount_atoms,
    )?;
    emit!(StakeReturned { stake: accounts.stake.key(), owner: accounts.owner.key(), amount_atoms });
    accounts.governance.invariant(accounts.stake_vault.amount)
}
