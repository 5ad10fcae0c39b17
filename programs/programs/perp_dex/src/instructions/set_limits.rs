use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::LimitsSet,
    nonce::refuse_durable_nonce,
    state::{Asset, Exchange, Limits},
};

#[derive(Accounts)]
pub struct SetLimits<'info> {
    pub authority: Signer<'info>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, has_one = authority @ DexError::NotAuthority)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(mut, seeds = [b"asset", asset.mint.as_ref()], bump = asset.bump)]
    pub asset: Box<Account<'info, Asset>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
}

/// Lower limits hold at once, higher ones only after longer than an exit takes.
pub(crate) fn handle(ctx: Context<SetLimits>, limits: Limits) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let now = Clock::get()?.unix_timestamp;
    let asset = &mut ctx.accounts.asset;
    asset.set_limits(limits, now, ctx.accounts.exchange.parameters.loosening_s);
    emit!(LimitsSet { asset: asset.index, limits: asset.limits, next_limits: asset.next_limits, next_limits_at: asset.next_limits_at });
    Ok(())
}
