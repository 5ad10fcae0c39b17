use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::tokens::pay_out;

use crate::{
    error::GovernanceError,
    event::Paid,
    state::{Governance, Treasury, AUTHORITY},
};

#[derive(Accounts)]
pub struct Pay<'info> {
    #[account(seeds = [b"governance"], bump = governance.bump)]
    pub governance: Box<Account<'info, Governance>>,
    /// Signs when a proposal is executed, never else.
    #[account(seeds = [AUTHORITY], bump = governance.authority_bump)]
    pub authority: Signer<'info>,
    #[account(
        mut, seeds = [b"treasury", treasury.mint.as_ref()], bump = treasury.bump, has_one = vault @ GovernanceError::WrongTokenAccount
    )]
    pub treasury: Box<Account<'info, Treasury>>,
    /// CHECK: the vault's own authority, an address of this program.
    #[account(seeds = [b"treasury_authority", treasury.mint.as_ref()], bump = treasury.authority_bump)]
    pub treasury_authority: UncheckedAccount<'info>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(mut, token::mint = treasury.mint)]
    pub destination: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
}

pub(crate) fn handle(ctx: Context<Pay>, amount_atoms: u64) -> Result<()> {
    require!(amount_atoms > 0, GovernanceError::ZeroAmount);
    let accounts = ctx.accounts;
    accounts.treasury.take(amount_atoms, Clock::get()?.unix_timestamp)?;
    let mint = accounts.treasury.mint;
    let seeds: &[&[u8]] = &[b"treasury_authority", mint.as_ref(), &[accounts.treasury.authority_bump]];
    pay_out(
        &accounts.token_program,
        accounts.treasury_authority.to_account_info(),
        seeds,
        &mut accounts.vault,
        &accounts.destination,
        amount_atoms,
    )?;
    emit!(Paid { mint, destination: accounts.destination.key(), amount_atoms });
    accounts.treasury.invariant()
}
