use anchor_lang::prelude::*;
use perp_dex::{
    nonce::refuse_durable_nonce,
    state::{Exchange, Market},
};

use crate::{
    error::RiskError,
    event::MarketLimitsSet,
    position_limits::{MarketLimits, PositionLimits},
};

#[derive(Accounts)]
pub struct SetMarketLimits<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub authority: Signer<'info>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID, has_one = authority @ RiskError::NotAuthority)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(seeds = [b"market", market.market_id.to_le_bytes().as_ref()], bump = market.bump, seeds::program = perp_dex::ID)]
    pub market: Box<Account<'info, Market>>,
    #[account(
        init_if_needed, payer = payer, space = 8 + PositionLimits::INIT_SPACE,
        seeds = [b"limits", market.market_id.to_le_bytes().as_ref()], bump
    )]
    pub limits: Box<Account<'info, PositionLimits>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

/// Tighter limits hold at once, looser ones after longer than an exit takes; before the first account, all at once.
pub(crate) fn handle(ctx: Context<SetMarketLimits>, wanted: MarketLimits) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    wanted.check()?;
    let (exchange, limits) = (&ctx.accounts.exchange, &mut ctx.accounts.limits);
    if limits.market_id != ctx.accounts.market.market_id || limits.bump == 0 {
        limits.market_id = ctx.accounts.market.market_id;
        limits.bump = ctx.bumps.limits;
        limits.limits = MarketLimits::default();
        limits.next_limits = MarketLimits::default();
    }
    let loosening_s = if exchange.users == 0 { 0 } else { exchange.parameters.loosening_s };
    limits.set(wanted, Clock::get()?.unix_timestamp, loosening_s);
    emit!(MarketLimitsSet { market_id: limits.market_id, limits: limits.limits, next_limits: limits.next_limits, next_at: limits.next_at });
    Ok(())
}
