use anchor_lang::prelude::*;
use perp_dex::{
    health::markets_of,
    state::{Exchange, Market, TradingKey, User},
};

use crate::{
    error::JitError,
    event::BidDefaulted,
    maker::Maker,
    offer::settled_lots,
    state::{Auction, Bid},
};

/// Anyone may show that a maker broke his bid. Further accounts: the markets of all his positions.
#[derive(Accounts)]
pub struct DefaultBid<'info> {
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"market", auction.market_id.to_le_bytes().as_ref()], bump = market.bump, seeds::program = perp_dex::ID
    )]
    pub market: Box<Account<'info, Market>>,
    #[account(mut, seeds = [b"auction", auction.order.as_ref()], bump = auction.bump)]
    pub auction: Box<Account<'info, Auction>>,
    #[account(
        mut, close = bidder, has_one = auction @ JitError::WrongAccounts, has_one = bidder @ JitError::WrongAccounts,
        seeds = [b"bid", auction.key().as_ref(), bid.user.as_ref()], bump = bid.bump
    )]
    pub bid: Box<Account<'info, Bid>>,
    /// CHECK: gets the rent back, not the bond.
    #[account(mut)]
    pub bidder: UncheckedAccount<'info>,
    /// CHECK: the taker's owner gets the bond.
    #[account(mut, address = auction.owner @ JitError::WrongAccounts)]
    pub taker_owner: UncheckedAccount<'info>,
    #[account(address = bid.user @ JitError::WrongAccounts)]
    pub maker: Box<Account<'info, User>>,
    #[account(seeds = [b"key", bid.user.as_ref(), bid.key.as_ref()], bump = maker_key.bump, seeds::program = perp_dex::ID)]
    pub maker_key: Box<Account<'info, TradingKey>>,
    /// CHECK: of the taker's order.
    #[account(seeds = [b"fills", auction.order.as_ref()], bump, seeds::program = perp_dex::ID)]
    pub taker_fills: UncheckedAccount<'info>,
    /// CHECK: of the maker's order.
    #[account(seeds = [b"fills", bid.order.as_ref()], bump, seeds::program = perp_dex::ID)]
    pub maker_fills: UncheckedAccount<'info>,
}

/// Only what the maker did counts: a bid that fails because the taker has no margin keeps its bond.
pub(crate) fn handle<'info>(ctx: Context<'info, DefaultBid<'info>>) -> Result<()> {
    let clock = Clock::get()?;
    let markets = markets_of(ctx.remaining_accounts)?;
    let accounts = ctx.accounts;
    let fills = [&accounts.taker_fills, &accounts.maker_fills];
    let lots = settled_lots(&accounts.exchange, &accounts.auction, &accounts.bid, fills, clock.slot)?;
    let size = i64::try_from(lots).map_err(|_| JitError::Overflow)?;
    let (auction, bid) = (&mut accounts.auction, &mut accounts.bid);
    accounts.maker.settle(&accounts.exchange)?;
    let maker = Maker { user: &accounts.maker, key: &accounts.maker_key, bid };
    let lots = if auction.buys { size.saturating_neg() } else { size };
    require!(maker.is_at_fault(&accounts.market, &markets, lots, clock.unix_timestamp)?, JitError::NotAtFault);
    let (user, bond_lamports) = (bid.user, bid.bond_lamports);
    auction.remove(&user);
    bid.sub_lamports(bond_lamports)?;
    accounts.taker_owner.add_lamports(bond_lamports)?;
    emit!(BidDefaulted { auction: auction.key(), user, bond_lamports });
    auction.invariant()
}
