use anchor_lang::prelude::*;
use perp_dex::{
    cpi::accounts::MatchOrders,
    program::PerpDex,
    state::{Exchange, Market, User},
};

use crate::{
    error::JitError,
    event::BidSettled,
    offer::settled_lots,
    state::{Auction, Bid},
};

/// Anyone may settle the best bid of a complete auction. The instruction before verifies both orders, the buyer's first. Further accounts:
/// the markets of all positions of both accounts.
#[derive(Accounts)]
pub struct SettleBid<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
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
    /// CHECK: gets bond and rent back.
    #[account(mut)]
    pub bidder: UncheckedAccount<'info>,
    #[account(mut, address = auction.user @ JitError::WrongAccounts)]
    pub taker: Box<Account<'info, User>>,
    #[account(mut, address = bid.user @ JitError::WrongAccounts)]
    pub maker: Box<Account<'info, User>>,
    /// CHECK: `perp_dex` asks that this key of the taker signed.
    pub taker_key: UncheckedAccount<'info>,
    /// CHECK: `perp_dex` asks that this key of the maker signed.
    pub maker_key: UncheckedAccount<'info>,
    /// CHECK: of the taker's order.
    #[account(mut, seeds = [b"fills", auction.order.as_ref()], bump, seeds::program = perp_dex::ID)]
    pub taker_fills: UncheckedAccount<'info>,
    /// CHECK: of the maker's order.
    #[account(mut, seeds = [b"fills", bid.order.as_ref()], bump, seeds::program = perp_dex::ID)]
    pub maker_fills: UncheckedAccount<'info>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
    pub perp_dex: Program<'info, PerpDex>,
    pub system_program: Program<'info, System>,
}

impl<'info> SettleBid<'info> {
    /// Match both orders at the bid's price: `perp_dex` asks for both signatures, limits, margins, and that no lot is filled twice.
    fn match_orders(&self, size_lots: u64, markets: &'info [AccountInfo<'info>]) -> Result<()> {
        let taker =
            (self.taker.to_account_info(), self.taker_key.to_account_info(), self.taker_fills.to_account_info(), self.auction.order);
        let maker = (self.maker.to_account_info(), self.maker_key.to_account_info(), self.maker_fills.to_account_info(), self.bid.order);
        let (buyer, seller) = if self.auction.buys { (taker, maker) } else { (maker, taker) };
        let accounts = MatchOrders {
            matcher: self.payer.to_account_info(),
            exchange: self.exchange.to_account_info(),
            market: self.market.to_account_info(),
            buyer: buyer.0,
            seller: seller.0,
            buyer_key: buyer.1,
            seller_key: seller.1,
            buyer_fills: buyer.2,
            seller_fills: seller.2,
            instructions: self.instructions.to_account_info(),
            system_program: self.system_program.to_account_info(),
        };
        let context = CpiContext::new(self.perp_dex.key(), accounts).with_remaining_accounts(markets.to_vec());
        perp_dex::cpi::match_orders(context, size_lots, self.bid.price_ticks, buyer.3, seller.3)
    }
}

pub(crate) fn handle<'info>(ctx: Context<'info, SettleBid<'info>>) -> Result<()> {
    let slot = Clock::get()?.slot;
    let accounts = ctx.accounts;
    let fills = [&accounts.taker_fills, &accounts.maker_fills];
    let size_lots = settled_lots(&accounts.exchange, &accounts.auction, &accounts.bid, fills, slot)?;
    accounts.match_orders(size_lots, ctx.remaining_accounts)?;
    let (user, price_ticks) = (accounts.bid.user, accounts.bid.price_ticks);
    let auction = &mut accounts.auction;
    auction.settled_lots = auction.settled_lots.checked_add(size_lots).ok_or(JitError::Overflow)?;
    auction.remove(&user);
    emit!(BidSettled { auction: auction.key(), user, price_ticks, size_lots });
    auction.invariant()
}
