use anchor_lang::prelude::*;
use auction::{Path, Side};
use fixed_point::{PriceE8, PriceTicks};
use perp_dex::state::{Exchange, Market, TradingKey, User};

use crate::{
    error::JitError,
    event::AuctionOpened,
    offer::{filled_lots, in_ms, Desk},
    state::{Auction, Terms},
};

/// Anyone may bring a taker's signed order; the instruction before verifies it.
#[derive(Accounts)]
#[instruction(order: [u8; 32])]
pub struct OpenAuction<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [b"terms"], bump = terms.bump)]
    pub terms: Account<'info, Terms>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(seeds = [b"market", market.market_id.to_le_bytes().as_ref()], bump = market.bump, seeds::program = perp_dex::ID)]
    pub market: Box<Account<'info, Market>>,
    #[account(
        seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump, seeds::program = perp_dex::ID
    )]
    pub user: Box<Account<'info, User>>,
    #[account(
        seeds = [b"key", user.key().as_ref(), trading_key.key.as_ref()], bump = trading_key.bump, seeds::program = perp_dex::ID
    )]
    pub trading_key: Box<Account<'info, TradingKey>>,
    /// CHECK: the order's fills; they may not exist yet.
    #[account(seeds = [b"fills", order.as_ref()], bump, seeds::program = perp_dex::ID)]
    pub fills: UncheckedAccount<'info>,
    #[account(init, payer = payer, space = 8 + Auction::INIT_SPACE, seeds = [b"auction", order.as_ref()], bump)]
    pub auction: Box<Account<'info, Auction>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

/// The path is the program's, around the oracle's price and inside the signed limit: who opens an auction chooses nothing.
pub(crate) fn handle(ctx: Context<OpenAuction>, order: [u8; 32]) -> Result<()> {
    let clock = Clock::get()?;
    let accounts = ctx.accounts;
    let market = &accounts.market;
    let desk = Desk { exchange: &accounts.exchange, market, now: clock.unix_timestamp };
    let until_ms = in_ms(clock.unix_timestamp)?;
    let taken = desk.order(&accounts.instructions, &order, &accounts.trading_key, &accounts.user, until_ms)?;
    let filled = filled_lots(accounts.fills.as_ref())?;
    let size_lots = taken.size_lots.checked_sub(filled).filter(|left| *left > 0).ok_or(JitError::Overfilled)?;
    let buys = taken.side == order::Side::Buy;
    let side = if buys { Side::Buy } else { Side::Sell };
    let limit = PriceTicks(taken.limit_ticks);
    let range = accounts.terms.parameters.range();
    let path = Path::around(side, PriceE8(market.price_e8), market.parameters.tick_e8, limit, &range).map_err(JitError::from)?;
    accounts.auction.set_inner(Auction {
        order,
        bump: ctx.bumps.auction,
        user: accounts.user.key(),
        owner: accounts.user.owner,
        market_id: market.market_id,
        buys,
        order_lots: taken.size_lots,
        size_lots,
        limit_ticks: taken.limit_ticks,
        start_ticks: path.start.0,
        end_ticks: path.end.0,
        begun_slot: clock.slot,
        slots: path.slots,
        settle_slots: accounts.terms.parameters.settle_slots,
        covered_slot: 0,
        settled_lots: 0,
        offers: Vec::new(),
    });
    emit!(AuctionOpened {
        order,
        user: accounts.auction.user,
        market_id: market.market_id,
        buys,
        size_lots,
        start_ticks: path.start.0,
        end_ticks: path.end.0,
        begun_slot: clock.slot,
        slots: path.slots,
    });
    accounts.auction.invariant()
}
