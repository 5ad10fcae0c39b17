use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};

use crate::{event::TreasuryCreated, state::Treasury};

/// Anyone may; nothing leaves it before governance has raised its cap, and waited.
#[derive(Accounts)]
pub struct CreateTreasury<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub mint: Box<Account<'info, Mint>>,
    #[account(init, payer = payer, space = 8 + Treasury::INIT_SPACE, seeds = [b"treasury", mint.key().as_ref()], bump)]
    pub treasury: Box<Account<'info, Treasury>>,
    /// CHECK: an address that only this program signs for; it holds nothing.
    #[account(seeds = [b"treasury_authority", mint.key().as_ref()], bump)]
    pub treasury_authority: UncheckedAccount<'info>,
    #[account(
        init, payer = payer, seeds = [b"treasury_vault", mint.key().as_ref()], bump, token::mint = mint,
        token::authority = treasury_authority
    )]
    pub vault: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle(ctx: Context<CreateTreasury>) -> Result<()> {
    let (mint, vault) = (ctx.accounts.mint.key(), ctx.accounts.vault.key());
    ctx.accounts.treasury.set_inner(Treasury {
        mint,
        vault,
        bump: ctx.bumps.treasury,
        authority_bump: ctx.bumps.treasury_authority,
        cap_day_atoms: 0,
        next_cap_atoms: 0,
        next_cap_at: 0,
        paid_atoms: [0; 25],
        last_hour: 0,
    });
    emit!(TreasuryCreated { mint, vault });
    ctx.accounts.treasury.invariant()
}
