use anchor_lang::prelude::*;
use anchor_spl::token::Mint;
use oracle::Feed;
use perp_dex::{
    nonce::refuse_durable_nonce,
    state::{Asset, Exchange, QUOTE},
};

use crate::{
    error::RiskError,
    event::HaircutSet,
    haircut::{check, Haircut, Weight},
};

#[derive(Accounts)]
pub struct SetHaircut<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub authority: Signer<'info>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID, has_one = authority @ RiskError::NotAuthority)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"asset", mint.key().as_ref()], bump = asset.bump, seeds::program = perp_dex::ID, has_one = mint @ RiskError::WrongAccounts,
        constraint = asset.index != QUOTE @ RiskError::WrongAccounts
    )]
    pub asset: Box<Account<'info, Asset>>,
    pub mint: Box<Account<'info, Mint>>,
    pub feed: Box<Account<'info, Feed>>,
    #[account(init_if_needed, payer = payer, space = 8 + Haircut::INIT_SPACE, seeds = [b"haircut", mint.key().as_ref()], bump)]
    pub haircut: Box<Account<'info, Haircut>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

/// Lower weights hold at once, higher ones after longer than an exit takes; before the first account, all at once.
pub(crate) fn handle(ctx: Context<SetHaircut>, weights: Vec<Weight>) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    check(&weights)?;
    let (exchange, haircut) = (&ctx.accounts.exchange, &mut ctx.accounts.haircut);
    let feed = ctx.accounts.feed.key();
    if haircut.feed == Pubkey::default() {
        haircut.asset = ctx.accounts.asset.index;
        haircut.bump = ctx.bumps.haircut;
        haircut.decimals = ctx.accounts.mint.decimals;
        haircut.feed = feed;
    }
    require_keys_eq!(haircut.feed, feed, RiskError::WrongAccounts);
    let loosening_s = if exchange.users == 0 { 0 } else { exchange.parameters.loosening_s };
    haircut.set(weights, Clock::get()?.unix_timestamp, loosening_s);
    emit!(HaircutSet {
        asset: haircut.asset,
        weights: haircut.weights.clone(),
        next_weights: haircut.next_weights.clone(),
        next_at: haircut.next_at,
    });
    Ok(())
}
