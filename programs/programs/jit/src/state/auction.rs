use anchor_lang::prelude::*;
use auction::{Path, Side};
use fixed_point::PriceTicks;

use crate::error::JitError;

pub const MAX_BIDS: usize = 8;

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub struct Offer {
    pub user: Pubkey,
    pub price_ticks: u64,
    pub size_lots: u64,
}

/// One signed order's auction. Stays for ever, so that no order is auctioned twice.
#[account]
#[derive(InitSpace)]
pub struct Auction {
    pub order: [u8; 32],
    pub bump: u8,
    pub user: Pubkey,
    pub owner: Pubkey,
    pub market_id: u32,
    pub buys: bool,
    pub order_lots: u64,
    /// What was left of the order at first.
    pub size_lots: u64,
    pub limit_ticks: u64,
    pub start_ticks: u64,
    pub end_ticks: u64,
    pub begun_slot: u64,
    pub slots: u64,
    /// Bids bind for this long after the auction (of the terms, so that settling needs one account less).
    pub settle_slots: u64,
    /// When bids covered the size; 0: they have not.
    pub covered_slot: u64,
    pub settled_lots: u64,
    /// Best first, of equal ones the earliest.
    #[max_len(MAX_BIDS)]
    pub offers: Vec<Offer>,
}

impl Auction {
    pub fn path(&self) -> Path {
        let side = if self.buys { Side::Buy } else { Side::Sell };
        Path { side, start: PriceTicks(self.start_ticks), end: PriceTicks(self.end_ticks), slots: self.slots }
    }

    fn last_slot(&self) -> u64 {
        if self.covered_slot == 0 {
            self.begun_slot.saturating_add(self.slots)
        } else {
            self.covered_slot
        }
    }

    /// It is complete when bids cover the size, or when its time is up.
    pub fn is_running(&self, slot: u64) -> bool {
        self.covered_slot == 0 && slot <= self.last_slot()
    }

    pub fn binds(&self, slot: u64) -> bool {
        slot <= self.last_slot().saturating_add(self.settle_slots)
    }

    /// Slots until every bid is free, from now.
    pub fn binding_slots(&self, slot: u64) -> u64 {
        self.begun_slot.saturating_add(self.slots).saturating_add(self.settle_slots).saturating_sub(slot)
    }

    fn is_better(&self, offer: &Offer, than: &Offer) -> bool {
        if self.buys {
            offer.price_ticks < than.price_ticks
        } else {
            offer.price_ticks > than.price_ticks
        }
    }

    /// Take an offer that is as good as the path's price now. When they cover the size the auction is complete.
    pub fn place(&mut self, offer: Offer, slot: u64) -> Result<()> {
        require!(self.is_running(slot), JitError::AuctionOver);
        let path = self.path();
        let now = path.price(slot.saturating_sub(self.begun_slot)).map_err(JitError::from)?;
        require!(path.accepts(PriceTicks(offer.price_ticks), now), JitError::BadBid);
        // As many as fit into the list cover the size, so small ones keep nobody out.
        let part = self.size_lots.div_ceil(MAX_BIDS as u64);
        require!(offer.size_lots >= part && self.offers.len() < MAX_BIDS, JitError::BadBid);
        let place = self.offers.iter().position(|other| self.is_better(&offer, other)).unwrap_or(self.offers.len());
        self.offers.insert(place, offer);
        let offered = self.offers.iter().fold(0u64, |sum, offer| sum.saturating_add(offer.size_lots));
        if offered >= self.size_lots {
            self.covered_slot = slot;
        }
        Ok(())
    }

    pub fn remove(&mut self, user: &Pubkey) {
        self.offers.retain(|offer| offer.user != *user);
    }

    pub fn require_best(&self, user: &Pubkey) -> Result<()> {
        require!(self.offers.first().is_some_and(|offer| offer.user == *user), JitError::NotBest);
        Ok(())
    }

    /// Nothing is settled beyond the size; the path ends inside the limit; bids are in order.
    pub fn invariant(&self) -> Result<()> {
        let inside = if self.buys { self.end_ticks <= self.limit_ticks } else { self.end_ticks >= self.limit_ticks };
        let ordered = self.offers.windows(2).all(|pair| !self.is_better(&pair[1], &pair[0]));
        let ok = inside && ordered && self.settled_lots <= self.size_lots && self.size_lots <= self.order_lots;
        require!(ok, JitError::InvariantBroken);
        Ok(())
    }
}
