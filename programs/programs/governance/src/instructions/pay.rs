use anchor_lang::prelude::*;
use anchor_spl::token::{self, Token, TokenAccount, Transfer};

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
    let (mint, bump) = (accounts.treasury.mint, [accounts.treasury.authority_bump]);
    let seeds: &[&[&[u8]]] = &[&[b"treasury_authority", mint.as_ref(), &bump]];
    let transfer = Transfer {
        from: accounts.vault.to_account_info(),
        to: accounts.destination.to_account_info(),
        authority: accounts.treasury_authority.to_account_info(),
    };
    token::transfer(CpiContext::new_with_signer(accounts.token_program.key(), transfer, seeds), amount_atoms)?;
    emit!(Paid { mint, destination: accounts.destination.key(), amount_atoms });
    accounts.treasury.invariant()
}
