use anchor_lang::prelude::*;
use fixed_point::tick_lot_atoms;
use oracle::Feed;

use crate::{
    error::DexError,
    event::MarketCreated,
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
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle(ctx: Context<CreateMarket>, market_id: u32, parameters: MarketParameters) -> Result<()> {
    ctx.accounts.exchange.require_phase(&[Phase::Live])?;
    parameters.check()?;
    require!(market_id < merkle::POSITION, DexError::BadParameters);
    let tick_lot_atoms = tick_lot_atoms(parameters.tick_e8, parameters.lot_e8).map_err(|_| DexError::BadParameters)?;
    ctx.accounts.market.set_inner(Market {
        market_id,
        bump: ctx.bumps.market,
        feed: ctx.accounts.feed.key(),
        tick_lot_atoms,
        parameters,
        price_e8: 0,
        average_e8: 0,
        published_at: 0,
        may_withdraw: false,
        may_liquidate: false,
        low_e8: 0,
        high_e8: 0,
        funding_hour: 0,
    });
    emit!(MarketCreated { market_id, feed: ctx.accounts.feed.key() });
    ctx.accounts.market.invariant()
}
