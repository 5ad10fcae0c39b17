//! The kinds of change that a batch may hold, their bytes, and the rules that a shown leaf must keep.

use anchor_lang::prelude::*;
use fixed_point::{trade_value, PriceE8, PriceTicks, QuoteAtoms, SizeLots};
use margin::payment_atoms;
use merkle::{position_slot, Change, Sums, POSITION};
use order::{Domain, Fill, Order};

use crate::{
    error::DexError,
    health::Health,
    state::{Bankruptcy, Batch, Exchange, Market, MarketTerms, TradingKey, User, QUOTE},
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
    /// A net change of one slot of an account whose key the platform holds.
    House { slot: u32, amount: i64, reference: u64 },
    /// What an account takes over, without its owner, of a position that the leaf `place` of the account `bankrupt` gave up in this batch.
    Deleveraging { market_id: u32, lots: i64, bankrupt: Pubkey, place: u32 },
    /// A position of an account below maintenance that others must take over, at the price at which nothing is left of it.
    Bankruptcy { market_id: u32, lots: i64, quote_atoms: i64, time_ms: u64 },
}

impl Leaf {
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(80);
        self.serialize(&mut bytes)?;
        Ok(bytes)
    }

    /// Return the account and its leaf that a bankruptcy is recorded under: this one, or the one that it takes from.
    pub fn bankruptcy(&self, user: Pubkey, place: u32) -> (Pubkey, [u8; 4]) {
        match *self {
            Self::Deleveraging { bankrupt, place, .. } => (bankrupt, place.to_le_bytes()),
            _ => (user, place.to_le_bytes()),
        }
    }
}

fn is_towards_zero(lots: i64, held: i64) -> bool {
    lots != 0 && lots.signum() == held.signum().saturating_neg() && lots.unsigned_abs() <= held.unsigned_abs()
}

/// The prices of the interval that are best, or worst, for who holds a position.
fn best_e8(lots: i64, terms: &MarketTerms) -> u64 {
    if lots > 0 {
        terms.high_e8
    } else {
        terms.low_e8
    }
}

fn worst_e8(lots: i64, terms: &MarketTerms) -> u64 {
    if lots > 0 {
        terms.low_e8
    } else {
        terms.high_e8
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
        let reduces = is_towards_zero(lots, held);
        let mut after = self.running.clone();
        after.add_all(sums).map_err(DexError::from)?;
        if !reduces {
            let health = self.health(&after, best_e8)?;
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
        require!(is_towards_zero(lots, held), DexError::BadLeaf);
        let value = trade_value(SizeLots(lots), PriceTicks(price_ticks), market.tick_lot_atoms).map_err(DexError::from)?;
        let most =
            fixed_point::charge(QuoteAtoms(value.0.abs()), i64::from(market.parameters.liquidation_fee_ppm)).map_err(DexError::from)?;
        require!(i128::from(fee_atoms) <= most.0, DexError::BadLeaf);
        let asked_at = u64::try_from(self.user.exit_requested_at).unwrap_or(0).saturating_mul(1_000);
        let exits = asked_at != 0 && asked_at <= time_ms;
        if !exits {
            self.require_short()?;
        }
        traded(market, lots, price_ticks, fee_atoms)
    }

    fn require_short(&self) -> Result<()> {
        let health = self.health(self.running, worst_e8)?;
        require!(health.equity < health.maintenance, DexError::NotLiquidatable);
        Ok(())
    }

    /// The platform answers for these accounts itself.
    pub fn house(&self, slot: u32, amount: i64) -> Result<Sums> {
        require!(self.user.is_custodied(self.exchange), DexError::NotCustodied);
        require!(amount != 0 && (slot >= POSITION || slot < u32::from(self.exchange.assets)), DexError::BadLeaf);
        effect(&[(slot, i128::from(amount))])
    }

    /// The price leaves the account nothing, at the interval's best prices for the rest of it, and is no worse for it than the market's: what
    /// others must pay is what it lacks, and nobody is robbed through it. What the platform says of accounts whose keys it holds proves nothing.
    pub fn bankruptcy(&self, market_id: u32, lots: i64, quote_atoms: i64, time_ms: u64) -> Result<Sums> {
        require!(!self.user.is_custodied(self.exchange), DexError::NotBankrupt);
        require!(self.batch.holds(time_ms), DexError::OutsideInterval);
        require!(is_towards_zero(lots, self.running.amount(position_slot(market_id))), DexError::BadLeaf);
        self.require_short()?;
        let (market, terms) = self.market(market_id)?;
        let closed = lots.checked_neg().ok_or(DexError::Overflow)?;
        let worst = market.value(closed, worst_e8(closed, terms))?;
        let band = fixed_point::charge(QuoteAtoms(worst.0.abs()), i64::from(market.parameters.band_ppm)).map_err(DexError::from)?;
        require!(i128::from(quote_atoms) >= worst.0.saturating_sub(band.0), DexError::OutsideRange);
        let gained = i128::from(quote_atoms).saturating_sub(market.value(closed, best_e8(closed, terms))?.0);
        let left = self.health(self.running, best_e8)?.equity.saturating_add(gained);
        // The engine names whole atoms for the whole position, from a mark in ticks: one tick is what rounding may leave.
        let tick = trade_value(SizeLots(closed), PriceTicks(1), market.tick_lot_atoms).map_err(DexError::from)?;
        require!(left <= tick.0.abs(), DexError::NotBankrupt);
        effect(&[(u32::from(QUOTE), i128::from(quote_atoms)), (position_slot(market_id), i128::from(lots))])
    }

    /// A part of what a bankrupt account gave up, at that very price, towards zero.
    pub fn deleveraging(&self, given_up: &Bankruptcy, market_id: u32, lots: i64) -> Result<Sums> {
        let opposite = given_up.market_id == market_id && lots.signum() == given_up.lots.signum().saturating_neg();
        require!(opposite && given_up.left_lots > 0, DexError::NotBankrupt);
        require!(is_towards_zero(lots, self.running.amount(position_slot(market_id))), DexError::BadLeaf);
        effect(&[(u32::from(QUOTE), given_up.part_atoms(lots)?), (position_slot(market_id), i128::from(lots))])
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
