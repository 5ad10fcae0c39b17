use anchor_lang::{
    prelude::*,
    system_program::{transfer, Transfer},
};
use perp_dex::state::{Exchange, Market, TradingKey, User};

use crate::{
    error::JitError,
    event::BidPlaced,
    offer::{filled_lots, in_ms, Desk},
    state::{Auction, Bid, Offer, Terms},
};

/// No slot takes longer: an order that answers must not expire before it is settled.
const SLOT_MS: u64 = 1_000;

/// A maker's signed order answers, verified by the instruction before; anyone may bring it and pay the bond.
#[derive(Accounts)]
#[instruction(order: [u8; 32])]
pub struct PlaceBid<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [b"terms"], bump = terms.bump)]
    pub terms: Account<'info, Terms>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"market", auction.market_id.to_le_bytes().as_ref()], bump = market.bump, seeds::program = perp_dex::ID
    )]
    pub market: Box<Account<'info, Market>>,
    #[account(mut, seeds = [b"auction", auction.order.as_ref()], bump = auction.bump)]
    pub auction: Box<Account<'info, Auction>>,
    #[account(
        seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump, seeds::program = perp_dex::ID,
        constraint = user.key() != auction.user @ JitError::BadBid
    )]
    pub user: Box<Account<'info, User>>,
    #[account(
        seeds = [b"key", user.key().as_ref(), trading_key.key.as_ref()], bump = trading_key.bump, seeds::program = perp_dex::ID
    )]
    pub trading_key: Box<Account<'info, TradingKey>>,
    /// CHECK: the order's fills; they may not exist yet.
    #[account(seeds = [b"fills", order.as_ref()], bump, seeds::program = perp_dex::ID)]
    pub fills: UncheckedAccount<'info>,
    #[account(init, payer = payer, space = 8 + Bid::INIT_SPACE, seeds = [b"bid", auction.key().as_ref(), user.key().as_ref()], bump)]
    pub bid: Account<'info, Bid>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle(ctx: Context<PlaceBid>, order: [u8; 32]) -> Result<()> {
    let clock = Clock::get()?;
    let accounts = ctx.accounts;
    let parameters = accounts.terms.parameters;
    let auction = &mut accounts.auction;
    let desk = Desk { exchange: &accounts.exchange, market: &accounts.market, now: clock.unix_timestamp };
    let binding_ms = auction.binding_slots(clock.slot).saturating_mul(SLOT_MS);
    let until_ms = in_ms(clock.unix_timestamp)?.saturating_add(binding_ms);
    let made = desk.order(&accounts.instructions, &order, &accounts.trading_key, &accounts.user, until_ms)?;
    require!((made.side == order::Side::Sell) == auction.buys, JitError::BadBid);
    let filled = filled_lots(accounts.fills.as_ref())?;
    let size_lots = made.size_lots.checked_sub(filled).filter(|left| *left > 0).ok_or(JitError::Overfilled)?;
    let user = accounts.user.key();
    auction.place(Offer { user, price_ticks: made.limit_ticks, size_lots }, clock.slot)?;
    accounts.bid.set_inner(Bid {
        auction: auction.key(),
        user,
        bidder: accounts.payer.key(),
        bump: ctx.bumps.bid,
        order,
        key: accounts.trading_key.key,
        nonce: made.nonce,
        order_lots: made.size_lots,
        size_lots,
        price_ticks: made.limit_ticks,
        bond_lamports: parameters.bond_lamports,
    });
    let bond = Transfer { from: accounts.payer.to_account_info(), to: accounts.bid.to_account_info() };
    transfer(CpiContext::new(accounts.system_program.key(), bond), parameters.bond_lamports)?;
    emit!(BidPlaced { auction: auction.key(), user, price_ticks: made.limit_ticks, size_lots });
    auction.invariant()
}
