use anchor_lang::prelude::*;
use order::{Fill, Order, Side};

use super::register_key::in_ms;
use crate::{
    ed25519::{verified_before, Signed},
    error::DexError,
    event::OrdersMatched,
    health::{least_free, markets_of},
    judge::{check_owner, domain, value_at_limit},
    state::{Exchange, Market, OrderFills, Phase, Span, TradingKey, User, QUOTE},
};

/// Anyone may match two crossing signed orders while the operator is silent. The instruction before verifies both signatures, the buyer's
/// first. Further accounts: the markets of all positions of both accounts.
#[derive(Accounts)]
#[instruction(size_lots: u64, price_ticks: u64, buy_order: [u8; 32], sell_order: [u8; 32])]
pub struct MatchOrders<'info> {
    #[account(mut)]
    pub matcher: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(seeds = [b"market", market.market_id.to_le_bytes().as_ref()], bump = market.bump)]
    pub market: Box<Account<'info, Market>>,
    #[account(mut, seeds = [b"user", buyer.owner.as_ref(), buyer.sub_account.to_le_bytes().as_ref()], bump = buyer.bump)]
    pub buyer: Box<Account<'info, User>>,
    #[account(
        mut, seeds = [b"user", seller.owner.as_ref(), seller.sub_account.to_le_bytes().as_ref()], bump = seller.bump,
        constraint = seller.key() != buyer.key() @ DexError::OtherAccount
    )]
    pub seller: Box<Account<'info, User>>,
    #[account(seeds = [b"key", buyer.key().as_ref(), buyer_key.key.as_ref()], bump = buyer_key.bump)]
    pub buyer_key: Box<Account<'info, TradingKey>>,
    #[account(seeds = [b"key", seller.key().as_ref(), seller_key.key.as_ref()], bump = seller_key.bump)]
    pub seller_key: Box<Account<'info, TradingKey>>,
    #[account(init_if_needed, payer = matcher, space = 8 + OrderFills::INIT_SPACE, seeds = [b"fills", buy_order.as_ref()], bump)]
    pub buyer_fills: Box<Account<'info, OrderFills>>,
    #[account(init_if_needed, payer = matcher, space = 8 + OrderFills::INIT_SPACE, seeds = [b"fills", sell_order.as_ref()], bump)]
    pub seller_fills: Box<Account<'info, OrderFills>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

impl MatchOrders<'_> {
    /// Count what the custodian's accounts bought or sold.
    fn keep_house(&mut self, size_lots: u64, price_ticks: u64) -> Result<()> {
        let (buys, sells) = (self.buyer.is_custodied(&self.exchange), self.seller.is_custodied(&self.exchange));
        let size = i64::try_from(size_lots).map_err(|_| DexError::Overflow)?;
        let value = fixed_point::trade_value(fixed_point::SizeLots(size), fixed_point::PriceTicks(price_ticks), self.market.tick_lot_atoms)
            .map_err(DexError::from)?;
        let value = i64::try_from(value.0).map_err(|_| DexError::Overflow)?;
        let signed = |amount: i64| if buys { amount } else { amount.saturating_neg() };
        if buys != sells {
            self.exchange.house.add_lots(self.market.market_id, signed(size))?;
            self.exchange.house.add_quote(signed(value.saturating_neg()))?;
            self.exchange.house.revalue(&self.market, self.market.price_e8, self.market.price_e8)?;
        }
        Ok(())
    }
}

/// What both sides of a match share.
struct Match<'a> {
    exchange: &'a Exchange,
    market: &'a Market,
    markets: &'a [Box<Market>],
    size_lots: u64,
    price_ticks: u64,
    now: i64,
}

impl Match<'_> {
    fn order(&self, signed: &Signed, hash: &[u8; 32], side: Side, key: &TradingKey, user: &User) -> Result<Order> {
        require!(solana_sha256_hasher::hash(&signed.message).to_bytes() == *hash, DexError::NoSignature);
        require_keys_eq!(signed.key, key.key, DexError::KeyRefused);
        let order = Order::decode(&signed.message).map_err(|_| DexError::NotAnOrder)?;
        require!(order.side == side, DexError::NotCrossing);
        check_owner(&order, user)?;
        key.allow(order.market_id, value_at_limit(&order, self.market)?, in_ms(self.now)?)?;
        // By convention a nonce is the time in ms: what the engine may have filled before the fallback cannot be filled again.
        require!(order.nonce >= user.min_nonce && order.nonce >= in_ms(self.exchange.phase_at)?, DexError::OldNonce);
        Ok(order)
    }

    fn fill(&self, order: &Order, user: &mut User, fills: &mut OrderFills) -> Result<()> {
        user.settle(self.exchange)?;
        let free_before = least_free(user, self.markets, self.now)?;
        let filled_lots = fills.filled_lots();
        for outlook in user.outlooks()? {
            let fill = Fill {
                domain: domain(self.exchange),
                market_id: self.market.market_id,
                size_lots: self.size_lots,
                price_ticks: self.price_ticks,
                fee_atoms: 0,
                time_ms: in_ms(self.now)?,
                filled_lots,
                position_lots: outlook.lots(self.market.market_id),
            };
            order.allow(&fill, self.market.tick_lot_atoms).map_err(DexError::from)?;
        }
        fills.take(Span { from_lots: filled_lots, to_lots: filled_lots.checked_add(self.size_lots).ok_or(DexError::Overflow)? })?;
        let lots = order.signed_lots(self.size_lots).map_err(DexError::from)?;
        let before = user.holdings.lots(self.market.market_id);
        self.change(user, lots)?;
        let reduces = before.signum() == lots.signum().saturating_neg() && lots.unsigned_abs() <= before.unsigned_abs();
        let free_after = least_free(user, self.markets, self.now)?;
        require!(free_after >= 0 || reduces && free_after >= free_before, DexError::ShortOfMargin);
        Ok(())
    }

    fn change(&self, user: &mut User, lots: i64) -> Result<()> {
        let size = fixed_point::SizeLots(lots);
        let value = fixed_point::trade_value(size, fixed_point::PriceTicks(self.price_ticks), self.market.tick_lot_atoms)
            .map_err(DexError::from)?;
        let paid = i64::try_from(value.0.checked_neg().ok_or(DexError::Overflow)?).map_err(|_| DexError::Overflow)?;
        user.holdings.add_balance(QUOTE, paid)?;
        user.holdings.add_lots(self.market.market_id, lots)?;
        user.note_principal();
        user.invariant()
    }
}

fn begin_fills(fills: &mut OrderFills, order: [u8; 32], bump: u8) {
    fills.order = order;
    fills.bump = bump;
}

pub(crate) fn handle<'info>(
    ctx: Context<'info, MatchOrders<'info>>,
    size_lots: u64,
    price_ticks: u64,
    buy_order: [u8; 32],
    sell_order: [u8; 32],
) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let markets = markets_of(ctx.remaining_accounts)?;
    let accounts = ctx.accounts;
    accounts.exchange.require_phase(&[Phase::Fallback])?;
    require!(!accounts.exchange.batch_open, DexError::WrongBatch);
    let market = &accounts.market;
    require!(market.fresh(now) && market.may_withdraw, DexError::BadPriceState);
    require!(market.in_band(price_ticks, market.price_e8, market.price_e8), DexError::OutsideRange);
    begin_fills(&mut accounts.buyer_fills, buy_order, ctx.bumps.buyer_fills);
    begin_fills(&mut accounts.seller_fills, sell_order, ctx.bumps.seller_fills);
    let signed = verified_before(&accounts.instructions, 2)?;
    let deal = Match { exchange: &accounts.exchange, market, markets: &markets, size_lots, price_ticks, now };
    let buy = deal.order(&signed[0], &buy_order, Side::Buy, &accounts.buyer_key, &accounts.buyer)?;
    let sell = deal.order(&signed[1], &sell_order, Side::Sell, &accounts.seller_key, &accounts.seller)?;
    deal.fill(&buy, &mut accounts.buyer, &mut accounts.buyer_fills)?;
    deal.fill(&sell, &mut accounts.seller, &mut accounts.seller_fills)?;
    accounts.keep_house(size_lots, price_ticks)?;
    let number = accounts.exchange.count_event()?;
    let (buyer, seller) = (accounts.buyer.key(), accounts.seller.key());
    emit!(OrdersMatched { number, market_id: accounts.market.market_id, buyer, seller, size_lots, price_ticks, buy_order, sell_order });
    accounts.exchange.invariant()
}
