//! The rules that a shown leaf must keep.

use anchor_lang::prelude::*;
use fixed_point::{ceil_div, charge, trade_value, PriceE8, PriceTicks, QuoteAtoms, SizeLots};
use margin::payment_atoms;
use merkle::{position_slot, Change, Sums, POSITION};
use order::{Domain, Fill, Order};

use crate::{
    error::DexError,
    health::Health,
    state::{Bankruptcy, Batch, Exchange, Market, MarketTerms, TradingKey, User, NOTICE_MS, QUOTE},
};

/// Everything that judges a leaf: its batch, and the account as the leaves before left it.
pub struct Judge<'a> {
    pub exchange: &'a Exchange,
    pub batch: &'a Batch,
    pub user: &'a User,
    pub running: &'a Sums,
    pub markets: &'a [Box<Market>],
}

/// What a signature brings to a trade.
pub struct Signature<'a> {
    pub key: &'a TradingKey,
    pub order: Order,
}

/// A reduction without the owner's signature, as its leaf says it.
pub struct Closing {
    pub market_id: u32,
    pub lots: i64,
    pub price_ticks: u64,
    pub fee_atoms: i64,
    pub time_ms: u64,
}

fn effect(changes: &[(u32, i128)]) -> Result<Sums> {
    let mut sums = Sums::default();
    for (slot, amount) in changes {
        let amount = i64::try_from(*amount).map_err(|_| DexError::Overflow)?;
        sums.add(Change { slot: *slot, amount }).map_err(DexError::from)?;
    }
    Ok(sums)
}

/// Return what a trade does: the full value and the fee leave the quote balance, the lots come.
fn traded(market: &Market, lots: i64, price_ticks: u64, fee_atoms: i64) -> Result<Sums> {
    let value = trade_value(SizeLots(lots), PriceTicks(price_ticks), market.tick_lot_atoms).map_err(DexError::from)?;
    let quote = value.0.checked_neg().and_then(|paid| paid.checked_sub(i128::from(fee_atoms))).ok_or(DexError::Overflow)?;
    moved(market, lots, quote)
}

fn moved(market: &Market, lots: i64, quote_atoms: i128) -> Result<Sums> {
    effect(&[(u32::from(QUOTE), quote_atoms), (position_slot(market.market_id), i128::from(lots))])
}

fn is_towards_zero(lots: i64, held: i64) -> bool {
    lots != 0 && lots.signum() == held.signum().saturating_neg() && lots.unsigned_abs() <= held.unsigned_abs()
}

/// At which prices of the interval positions are valued.
#[derive(Clone, Copy)]
enum Prices {
    /// Those of the oracle that are best for who holds them.
    Best,
    /// The engine's mark may lie so much lower than the best...
    BestMark,
    /// ... and than the worst.
    WorstMark,
    Worst,
}

impl Prices {
    fn of(self, lots: i64, market: &Market, terms: &MarketTerms) -> u64 {
        let long = lots > 0;
        let best = if long { terms.high_e8 } else { terms.low_e8 };
        let worst = if long { terms.low_e8 } else { terms.high_e8 };
        match self {
            Self::Best => best,
            Self::Worst => worst,
            Self::BestMark => market.marked(best, long),
            Self::WorstMark => market.marked(worst, long),
        }
    }
}

impl Judge<'_> {
    fn market(&self, market_id: u32) -> Result<(&Market, &MarketTerms)> {
        let market = self.markets.iter().find(|market| market.market_id == market_id).ok_or(DexError::WrongAccounts)?;
        Ok((market, self.batch.terms_of(market_id)?))
    }

    fn held(&self, market_id: u32) -> i64 {
        self.running.amount(position_slot(market_id))
    }

    fn check_price(&self, market_id: u32, price_ticks: u64, time_ms: u64) -> Result<&Market> {
        require!(self.batch.holds(time_ms), DexError::OutsideInterval);
        let (market, terms) = self.market(market_id)?;
        require!(market.in_band(price_ticks, terms.low_e8, terms.high_e8), DexError::OutsideRange);
        Ok(market)
    }

    pub fn credit(&self, asset: u8, amount: u64) -> Result<Sums> {
        require!(asset < self.exchange.assets && amount > 0, DexError::BadLeaf);
        effect(&[(u32::from(asset), i128::from(amount))])
    }

    /// The fill must be inside what was signed, by a key that was registered for it.
    pub fn trade(&self, signature: &Signature, fill: Fill) -> Result<Sums> {
        let order = &signature.order;
        let market = self.check_price(order.market_id, fill.price_ticks, fill.time_ms)?;
        check_owner(order, self.user)?;
        let cancelled = order.nonce < self.user.min_nonce && fill.time_ms >= self.user.min_nonce_ms.saturating_add(NOTICE_MS);
        require!(!cancelled, DexError::OldNonce);
        let fill = Fill { domain: domain(self.exchange), market_id: market.market_id, position_lots: self.held(market.market_id), ..fill };
        order.allow(&fill, market.tick_lot_atoms).map_err(DexError::from)?;
        signature.key.allow_in_batch(order.market_id, value_at_limit(order, market)?, fill.time_ms)?;
        let lots = order.signed_lots(fill.size_lots).map_err(DexError::from)?;
        let sums = traded(market, lots, fill.price_ticks, fill.fee_atoms)?;
        if is_towards_zero(lots, self.held(market.market_id)) {
            self.check_no_debt(market, lots, &sums, 0)?;
        } else {
            self.check_margin(&sums)?;
        }
        Ok(sums)
    }

    fn after(&self, sums: &Sums) -> Result<Sums> {
        let mut after = self.running.clone();
        after.add_all(sums).map_err(DexError::from)?;
        Ok(after)
    }

    /// A trade that does not reduce must leave the account above maintenance, at the interval's best prices for it: the operator cannot open
    /// positions that nothing secures, and take the winning side out.
    fn check_margin(&self, sums: &Sums) -> Result<()> {
        let health = self.health(&self.after(sums)?, Prices::Best)?;
        require!(health.equity >= health.maintenance, DexError::ShortOfMargin);
        Ok(())
    }

    /// What reduces may make a debt only by the oracle's prices, never by its own price or fee: else an operator with two accounts sells cheaply
    /// from the one to the other, and leaves the loss that its margin does not cover to everybody.
    fn check_no_debt(&self, market: &Market, lots: i64, sums: &Sums, tolerance_atoms: i128) -> Result<()> {
        let closed = lots.checked_neg().ok_or(DexError::Overflow)?;
        let terms = self.batch.terms_of(market.market_id)?;
        let received = i128::from(sums.amount(u32::from(QUOTE)));
        let at_oracle = market.value(closed, Prices::Worst.of(closed, market, terms))?;
        if received < at_oracle.0 {
            let health = self.health(&self.after(sums)?, Prices::Best)?;
            require!(health.equity.saturating_add(tolerance_atoms) >= 0, DexError::DebtByPrice);
        }
        Ok(())
    }

    pub fn funding(&self, market_id: u32) -> Result<Sums> {
        let (market, terms) = self.market(market_id)?;
        require!(terms.funding.hour != 0, DexError::BadLeaf);
        let lots = SizeLots(self.held(market_id));
        let paid = payment_atoms(lots, PriceE8(terms.funding.index_e8), market.parameters.lot_e8, terms.funding.rate_ppb);
        effect(&[(u32::from(QUOTE), paid.map_err(DexError::from)?.0)])
    }

    /// Only towards zero, at a price of the range, with a bounded fee, and only where the account's state or its owner asked for it.
    pub fn reduction(&self, closing: &Closing) -> Result<Sums> {
        let market = self.check_price(closing.market_id, closing.price_ticks, closing.time_ms)?;
        require!(is_towards_zero(closing.lots, self.held(closing.market_id)), DexError::BadLeaf);
        let value = trade_value(SizeLots(closing.lots), PriceTicks(closing.price_ticks), market.tick_lot_atoms).map_err(DexError::from)?;
        let most = charge(QuoteAtoms(value.0.abs()), i64::from(market.parameters.liquidation_fee_ppm)).map_err(DexError::from)?;
        require!(i128::from(closing.fee_atoms) <= most.0, DexError::BadLeaf);
        let asked_at = u64::try_from(self.user.exit_requested_at).unwrap_or(0).saturating_mul(1_000);
        // An exit does not end before the batches that closed its positions are final: so none is judged afterwards.
        let exits = self.user.exit_is_open() && asked_at <= closing.time_ms;
        if !exits {
            self.require_short()?;
        }
        let sums = traded(market, closing.lots, closing.price_ticks, closing.fee_atoms)?;
        self.check_no_debt(market, closing.lots, &sums, 0)?;
        Ok(sums)
    }

    fn require_short(&self) -> Result<()> {
        let health = self.health(self.running, Prices::WorstMark)?;
        require!(health.equity < health.maintenance, DexError::NotLiquidatable);
        Ok(())
    }

    /// The platform answers for these accounts itself; `Exchange::house` sees that all of them together can pay.
    pub fn house(&self, slot: u32, amount: i64) -> Result<Sums> {
        require!(self.user.is_custodied(self.exchange), DexError::NotCustodied);
        require!(amount != 0 && (slot >= POSITION || slot < u32::from(self.exchange.assets)), DexError::BadLeaf);
        effect(&[(slot, i128::from(amount))])
    }

    /// A whole position, at the price that leaves the account nothing of its part of the equity: others pay what it lacks and no more, and nobody
    /// is robbed through it. What the platform says of accounts whose keys it holds proves nothing.
    pub fn bankruptcy(&self, market_id: u32, lots: i64, quote_atoms: i64, time_ms: u64) -> Result<Sums> {
        require!(!self.user.is_custodied(self.exchange), DexError::NotBankrupt);
        require!(self.batch.holds(time_ms), DexError::OutsideInterval);
        let held = self.held(market_id);
        require!(held != 0 && held.checked_neg() == Some(lots), DexError::BadLeaf);
        self.require_short()?;
        let (market, terms) = self.market(market_id)?;
        // The engine names whole atoms from a mark in ticks: one tick is what rounding may leave.
        let tick = trade_value(SizeLots(held), PriceTicks(1), market.tick_lot_atoms).map_err(DexError::from)?.0.abs();
        let value = market.value(held, Prices::BestMark.of(held, market, terms))?;
        let most = value.0.checked_add(self.lacking(market, value)?).ok_or(DexError::Overflow)?;
        require!(i128::from(quote_atoms) <= most.saturating_add(tick), DexError::NotBankrupt);
        let sums = moved(market, lots, i128::from(quote_atoms))?;
        self.check_no_debt(market, lots, &sums, tick)?;
        Ok(sums)
    }

    /// Return what the account lacks (negative: still has) for one of its positions: by their maintenance, as the engine divides it.
    fn lacking(&self, market: &Market, value: QuoteAtoms) -> Result<i128> {
        let all = self.health(self.running, Prices::BestMark)?;
        let mut own = Health::default();
        own.add(value, QuoteAtoms(value.0.abs()), &market.tiers())?;
        let share = all.equity.checked_neg().and_then(|lack| lack.checked_mul(own.maintenance)).ok_or(DexError::Overflow)?;
        Ok(ceil_div(share, all.maintenance).map_err(DexError::from)?)
    }

    /// A part of what a bankrupt account gave up, at that very price, towards zero.
    pub fn deleveraging(&self, given_up: &Bankruptcy, market_id: u32, lots: i64) -> Result<Sums> {
        let opposite = given_up.market_id == market_id && lots.signum() == given_up.lots.signum().saturating_neg();
        require!(opposite && given_up.left_lots > 0, DexError::NotBankrupt);
        require!(is_towards_zero(lots, self.held(market_id)), DexError::BadLeaf);
        effect(&[(u32::from(QUOTE), given_up.part_atoms(lots)?), (position_slot(market_id), i128::from(lots))])
    }

    fn health(&self, holdings: &Sums, prices: Prices) -> Result<Health> {
        let mut health = Health { equity: i128::from(holdings.amount(u32::from(QUOTE))), ..Health::default() };
        for change in holdings.changes().iter().filter(|change| change.slot >= POSITION) {
            let (market, terms) = self.market(change.slot & !POSITION)?;
            let value = market.value(change.amount, prices.of(change.amount, market, terms))?;
            health.add(value, QuoteAtoms(value.0.abs()), &market.tiers())?;
        }
        Ok(health)
    }
}

pub fn domain(exchange: &Exchange) -> Domain {
    Domain { program: crate::ID.to_bytes(), genesis_hash: exchange.genesis_hash }
}

pub fn check_owner(order: &Order, user: &User) -> Result<()> {
    let same = order.owner == user.owner.to_bytes() && order.sub_account == user.sub_account;
    require!(same, DexError::OtherAccount);
    Ok(())
}

pub fn value_at_limit(order: &Order, market: &Market) -> Result<i128> {
    let size = SizeLots(i64::try_from(order.size_lots).map_err(|_| DexError::Overflow)?);
    Ok(trade_value(size, PriceTicks(order.limit_ticks), market.tick_lot_atoms).map_err(DexError::from)?.0)
}
