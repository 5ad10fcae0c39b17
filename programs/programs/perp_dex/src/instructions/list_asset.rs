use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};

use crate::{
    error::DexError,
    event::AssetListed,
    nonce::refuse_durable_nonce,
    state::{Asset, Exchange, Limits, Phase, Window, MAX_ASSETS},
};

/// The first asset is the quote asset. Each mint has its own vault under its own authority, so that no signature reaches two of them.
#[derive(Accounts)]
pub struct ListAsset<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub authority: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump, has_one = authority @ DexError::NotAuthority)]
    pub exchange: Box<Account<'info, Exchange>>,
    pub mint: Box<Account<'info, Mint>>,
    #[account(init, payer = payer, space = 8 + Asset::INIT_SPACE, seeds = [b"asset", mint.key().as_ref()], bump)]
    pub asset: Box<Account<'info, Asset>>,
    /// CHECK: an address that only this program signs for; it holds nothing.
    #[account(seeds = [b"vault_authority", mint.key().as_ref()], bump)]
    pub vault_authority: UncheckedAccount<'info>,
    #[account(
        init, payer = payer, seeds = [b"vault", mint.key().as_ref()], bump, token::mint = mint, token::authority = vault_authority
    )]
    pub vault: Box<Account<'info, TokenAccount>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle(ctx: Context<ListAsset>, limits: Limits) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let exchange = &mut ctx.accounts.exchange;
    exchange.require_phase(&[Phase::Live])?;
    require!(usize::from(exchange.assets) < MAX_ASSETS, DexError::BadParameters);
    let index = exchange.assets;
    exchange.assets = index.checked_add(1).ok_or(DexError::Overflow)?;
    ctx.accounts.asset.set_inner(Asset {
        mint: ctx.accounts.mint.key(),
        vault: ctx.accounts.vault.key(),
        index,
        bump: ctx.bumps.asset,
        vault_bump: ctx.bumps.vault,
        authority_bump: ctx.bumps.vault_authority,
        total_atoms: 0,
        limits,
        next_limits: Limits::default(),
        next_limits_at: 0,
        hour: Window::default(),
        day: Window::default(),
    });
    emit!(AssetListed { asset: index, mint: ctx.accounts.mint.key(), vault: ctx.accounts.vault.key() });
    ctx.accounts.asset.invariant(ctx.accounts.vault.amount)
}
