use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::tokens::take_in;

use crate::{error::LiquidationError, event::Contributed, state::Fund};

#[derive(Accounts)]
pub struct Contribute<'info> {
    pub contributor: Signer<'info>,
    #[account(mut, seeds = [b"fund"], bump = fund.bump, has_one = vault @ LiquidationError::WrongTokenAccount)]
    pub fund: Box<Account<'info, Fund>>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(
        mut, token::mint = fund.mint, token::authority = contributor,
        constraint = source.key() != vault.key() @ LiquidationError::WrongTokenAccount
    )]
    pub source: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
}

/// Fees and gifts: they raise what every share is worth.
pub(crate) fn handle(ctx: Context<Contribute>, amount: u64) -> Result<()> {
    let accounts = ctx.accounts;
    require!(amount > 0, LiquidationError::BelowMinimum);
    accounts.fund.earn(amount)?;
    take_in(&accounts.token_program, &accounts.source, &mut accounts.vault, &accounts.contributor, amount)?;
    emit!(Contributed { by: accounts.contributor.key(), amount, assets_atoms: accounts.fund.assets_atoms });
    accounts.fund.invariant(accounts.vault.amount)
}
