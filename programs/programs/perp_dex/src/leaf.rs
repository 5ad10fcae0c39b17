//! The kinds of change that a batch may hold, their bytes, and the rules that a shown leaf must keep.

use anchor_lang::prelude::*;
use fixed_point::{trade_value, PriceE8, PriceTicks, QuoteAtoms, SizeLots};
use margin::payment_atoms;
use merkle::{position_slot, Change, Sums, POSITION};
use order::{Domain, Fill, Order};

use crate::{
    error::DexError,
    health::Health,
    state::{Batch, Exchange, Market, MarketTerms, TradingKey, User, QUOTE},
};

/// One change of one account. Encoded for its hash as: kind u8, then the fields in order, little-endian.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// Money in, from anywhere: fees, funding's remainder. Needs nobody's signature.
    Credit { asset: u8, amount: u64, reference: u64 },
    /// One side of a match, under the owner's signature. `order` is the SHA-256 of the signed bytes.
    Trade { order: [u8; 32], size_lots: u64, price_ticks: u64, fee_atoms: i64, time_ms: u64, filled_lots: u64 },
    /// The market's funding of this batch on what the account held.
    Funding { market_id: u32 },
    /// A reduction without the owner: below maintenance, or because an exit was requested.
    Reduction { market_id: u32, lots: i64, price_ticks: u64, fee_atoms: i64, time_ms: u64 },
}

impl Leaf {
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(80);
        self.serialize(&mut bytes)?;
        Ok(bytes)
    }
}

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
    effect(&[(u32::from(QUOTE), quote), (position_slot(market.market_id), i128::from(lots))])
}

impl Judge<'_> {
    fn market(&self, market_id: u32) -> Result<(&Market, &MarketTerms)> {
        let market = self.markets.iter().find(|market| market.market_id == market_id).ok_or(DexError::WrongAccounts)?;
        Ok((market, self.batch.terms_of(market_id)?))
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
        let cancelled = order.nonce < self.user.min_nonce && fill.time_ms >= self.user.min_nonce_ms;
        require!(!cancelled, DexError::OldNonce);
        let fill = Fill {
            domain: domain(self.exchange),
            market_id: market.market_id,
            position_lots: self.running.amount(position_slot(market.market_id)),
            ..fill
        };
        order.allow(&fill, market.tick_lot_atoms).map_err(DexError::from)?;
        signature.key.allow(order.market_id, value_at_limit(order, market)?, fill.time_ms)?;
        let lots = order.signed_lots(fill.size_lots).map_err(DexError::from)?;
        let sums = traded(market, lots, fill.price_ticks, fill.fee_atoms)?;
        self.check_margin(self.running.amount(position_slot(market.market_id)), lots, &sums)?;
        Ok(sums)
    }

    /// A trade that does not reduce must leave the account above maintenance, at the interval's best prices for it: the operator cannot open
    /// positions that nothing secures, and take the winning side out.
    fn check_margin(&self, held: i64, lots: i64, sums: &Sums) -> Result<()> {
        let reduces = held.signum() == lots.signum().saturating_neg() && lots.unsigned_abs() <= held.unsigned_abs();
        let mut after = self.running.clone();
        after.add_all(sums).map_err(DexError::from)?;
        if !reduces {
            let health = self.health(&after, |lots, terms| if lots > 0 { terms.high_e8 } else { terms.low_e8 })?;
            require!(health.equity >= health.maintenance, DexError::ShortOfMargin);
        }
        Ok(())
    }

    pub fn funding(&self, market_id: u32) -> Result<Sums> {
        let (market, terms) = self.market(market_id)?;
        require!(terms.funding.hour != 0, DexError::BadLeaf);
        let lots = SizeLots(self.running.amount(position_slot(market_id)));
        let paid = payment_atoms(lots, PriceE8(terms.funding.index_e8), market.parameters.lot_e8, terms.funding.rate_ppb);
        effect(&[(u32::from(QUOTE), paid.map_err(DexError::from)?.0)])
    }

    /// Only towards zero, at a price of the range, with a bounded fee, and only where the account's state or its owner asked for it.
    pub fn reduction(&self, market_id: u32, lots: i64, price_ticks: u64, fee_atoms: i64, time_ms: u64) -> Result<Sums> {
        let market = self.check_price(market_id, price_ticks, time_ms)?;
        let held = self.running.amount(position_slot(market_id));
        let towards_zero = lots.signum() == held.signum().saturating_neg() && lots.unsigned_abs() <= held.unsigned_abs();
        require!(lots != 0 && towards_zero, DexError::BadLeaf);
        let value = trade_value(SizeLots(lots), PriceTicks(price_ticks), market.tick_lot_atoms).map_err(DexError::from)?;
        let most =
            fixed_point::charge(QuoteAtoms(value.0.abs()), i64::from(market.parameters.liquidation_fee_ppm)).map_err(DexError::from)?;
        require!(i128::from(fee_atoms) <= most.0, DexError::BadLeaf);
        let asked_at = u64::try_from(self.user.exit_requested_at).unwrap_or(0).saturating_mul(1_000);
        let exits = asked_at != 0 && asked_at <= time_ms;
        if !exits {
            let health = self.health(self.running, |lots, terms| if lots > 0 { terms.low_e8 } else { terms.high_e8 })?;
            require!(health.equity < health.maintenance, DexError::NotLiquidatable);
        }
        traded(market, lots, price_ticks, fee_atoms)
    }

    /// Value holdings, each position at the price of the interval that is chosen for it.
    fn health(&self, holdings: &Sums, price: impl Fn(i64, &MarketTerms) -> u64) -> Result<Health> {
        let mut health = Health { equity: i128::from(holdings.amount(u32::from(QUOTE))), initial: 0, maintenance: 0 };
        for change in holdings.changes().iter().filter(|change| change.slot >= POSITION) {
            let (market, terms) = self.market(change.slot & !POSITION)?;
            let value = market.value(change.amount, price(change.amount, terms))?;
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
