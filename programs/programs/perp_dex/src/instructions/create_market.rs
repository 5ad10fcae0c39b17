use anchor_lang::prelude::*;
use fixed_point::tick_lot_atoms;
use oracle::Feed;

use crate::{
    error::DexError,
    event::MarketCreated,
    nonce::refuse_durable_nonce,
    state::{Exchange, Market, MarketParameters, Phase},
};

#[derive(Accounts)]
#[instruction(market_id: u32)]
pub struct CreateMarket<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub authority: Signer<'info>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, has_one = authority @ DexError::NotAuthority)]
    pub exchange: Box<Account<'info, Exchange>>,
    pub feed: Box<Account<'info, Feed>>,
    #[account(init, payer = payer, space = 8 + Market::INIT_SPACE, seeds = [b"market", market_id.to_le_bytes().as_ref()], bump)]
    pub market: Box<Account<'info, Market>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

/// With users inside, a new market opens only after longer than an exit takes: nobody has to share it.
pub(crate) fn handle(ctx: Context<CreateMarket>, market_id: u32, parameters: MarketParameters) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let exchange = &ctx.accounts.exchange;
    exchange.require_phase(&[Phase::Live])?;
    let waits_s = if exchange.users == 0 { 0 } else { exchange.parameters.loosening_s };
    let opens_at = Clock::get()?.unix_timestamp.saturating_add(waits_s);
    parameters.check()?;
    require!(market_id < merkle::POSITION, DexError::BadParameters);
    let tick_lot_atoms = tick_lot_atoms(parameters.tick_e8, parameters.lot_e8).map_err(|_| DexError::BadParameters)?;
    ctx.accounts.market.set_inner(Market {
        market_id,
        bump: ctx.bumps.market,
        feed: ctx.accounts.feed.key(),
        tick_lot_atoms,
        parameters,
        opens_at,
        price_e8: 0,
        average_e8: 0,
        published_at: 0,
        may_withdraw: false,
        may_liquidate: false,
        low_e8: 0,
        high_e8: 0,
        funding_hour: 0,
        before_low_e8: 0,
        before_high_e8: 0,
    });
    emit!(MarketCreated { market_id, feed: ctx.accounts.feed.key(), opens_at });
    ctx.accounts.market.invariant()
}
