use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use perp_dex::state::{Asset, QUOTE};

use crate::{
    error::LiquidationError,
    event::FundInitialised,
    state::{Fund, FundParameters},
};

#[derive(Accounts)]
pub struct Initialise<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    /// Who deploys holds the program's own key; nobody else can be first.
    #[account(address = crate::ID @ LiquidationError::NotDeployer)]
    pub program: Signer<'info>,
    #[account(
        seeds = [b"asset", asset.mint.as_ref()], bump = asset.bump, seeds::program = perp_dex::ID,
        constraint = asset.index == QUOTE @ LiquidationError::WrongAccounts
    )]
    pub asset: Box<Account<'info, Asset>>,
    #[account(address = asset.mint @ LiquidationError::WrongAccounts)]
    pub mint: Box<Account<'info, Mint>>,
    #[account(init, payer = payer, space = 8 + Fund::INIT_SPACE, seeds = [b"fund"], bump)]
    pub fund: Box<Account<'info, Fund>>,
    #[account(init, payer = payer, seeds = [b"vault"], bump, token::mint = mint, token::authority = fund)]
    pub vault: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle(ctx: Context<Initialise>, parameters: FundParameters) -> Result<()> {
    parameters.check()?;
    let (mint, vault) = (ctx.accounts.mint.key(), ctx.accounts.vault.key());
    ctx.accounts.fund.set_inner(Fund {
        mint,
        vault,
        bump: ctx.bumps.fund,
        parameters,
        generation: 1,
        assets_atoms: 0,
        shares: 0,
        bonds_atoms: 0,
        reserved_atoms: 0,
        owed_atoms: 0,
        day_started_at: 0,
        day_used_atoms: 0,
    });
    emit!(FundInitialised { mint, vault });
    ctx.accounts.fund.invariant(ctx.accounts.vault.amount)
}
