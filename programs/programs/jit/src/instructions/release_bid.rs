use anchor_lang::prelude::*;
use perp_dex::state::Exchange;

use crate::{
    error::JitError,
    event::BidReleased,
    offer::{left_lots, require_fallback},
    state::{Auction, Bid},
};

/// Anyone may give a bond back that binds nobody any more.
#[derive(Accounts)]
pub struct ReleaseBid<'info> {
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(mut, seeds = [b"auction", auction.order.as_ref()], bump = auction.bump)]
    pub auction: Box<Account<'info, Auction>>,
    #[account(
        mut, close = bidder, has_one = auction @ JitError::WrongAccounts, has_one = bidder @ JitError::WrongAccounts,
        seeds = [b"bid", auction.key().as_ref(), bid.user.as_ref()], bump = bid.bump
    )]
    pub bid: Account<'info, Bid>,
    /// CHECK: gets bond and rent back.
    #[account(mut)]
    pub bidder: UncheckedAccount<'info>,
    /// CHECK: of the taker's order.
    #[account(seeds = [b"fills", auction.order.as_ref()], bump, seeds::program = perp_dex::ID)]
    pub taker_fills: UncheckedAccount<'info>,
    /// CHECK: of the maker's order.
    #[account(seeds = [b"fills", bid.order.as_ref()], bump, seeds::program = perp_dex::ID)]
    pub maker_fills: UncheckedAccount<'info>,
}

/// Out of time, an order filled, or the engine back: before that a bid binds, its own maker too.
pub(crate) fn handle(ctx: Context<ReleaseBid>) -> Result<()> {
    let accounts = ctx.accounts;
    let (auction, user) = (&mut accounts.auction, accounts.bid.user);
    let filled = left_lots(auction, &accounts.bid, accounts.taker_fills.as_ref(), accounts.maker_fills.as_ref())? == 0;
    let over = !auction.binds(Clock::get()?.slot);
    let free = over || filled || require_fallback(&accounts.exchange).is_err();
    require!(free, JitError::Binding);
    auction.remove(&user);
    emit!(BidReleased { auction: auction.key(), user });
    auction.invariant()
}
