use anchor_lang::prelude::*;
use merkle::{Change, Frontier, Node, Sums};

use crate::error::DexError;

pub const MAX_SLOTS: usize = 12;
pub const MAX_PEAKS: usize = 14;
pub const MAX_BATCH_MARKETS: usize = 10;

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub struct SlotChange {
    pub slot: u32,
    pub amount: i64,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone, InitSpace)]
pub struct StoredNode {
    pub hash: [u8; 32],
    #[max_len(MAX_SLOTS)]
    pub sums: Vec<SlotChange>,
}

/// What one market's leaves of this batch are judged by.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, InitSpace)]
pub struct MarketTerms {
    pub market_id: u32,
    pub low_e8: u64,
    pub high_e8: u64,
    pub funding: Funding,
}

/// The funding paid in this batch, the same for every account; hour 0: none.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Default, InitSpace)]
pub struct Funding {
    pub hour: u32,
    pub index_e8: u64,
    pub rate_ppb: i64,
}

#[account]
#[derive(InitSpace)]
pub struct Batch {
    pub seq: u64,
    pub bump: u8,
    pub epoch: u64,
    pub prev_hash: [u8; 32],
    pub hash: [u8; 32],
    pub root: [u8; 32],
    pub begin_ms: u64,
    pub end_ms: u64,
    pub chain_events: u64,
    pub closed: bool,
    /// Last moment at which this batch may be challenged.
    pub deadline: i64,
    pub accounts: u32,
    pub last_account: Pubkey,
    #[max_len(MAX_PEAKS)]
    pub peaks: Vec<StoredNode>,
    /// Markets whose positions change: each needs its terms.
    #[max_len(MAX_BATCH_MARKETS)]
    pub touched: Vec<u32>,
    #[max_len(MAX_BATCH_MARKETS)]
    pub terms: Vec<MarketTerms>,
}

/// Read changes as they come in instructions; only canonical ones are taken.
pub fn sums_of(changes: &[SlotChange]) -> Result<Sums> {
    let changes = changes.iter().map(|change| Change { slot: change.slot, amount: change.amount }).collect();
    Ok(Sums::new(changes).map_err(DexError::from)?)
}

pub fn stored(sums: &Sums) -> Vec<SlotChange> {
    sums.changes().iter().map(|change| SlotChange { slot: change.slot, amount: change.amount }).collect()
}

impl StoredNode {
    pub fn node(&self) -> Result<Node> {
        Ok(Node { hash: self.hash, sums: sums_of(&self.sums)? })
    }

    pub fn of(node: &Node) -> Self {
        Self { hash: node.hash, sums: stored(&node.sums) }
    }
}

impl Batch {
    pub fn frontier(&self) -> Result<Frontier> {
        let peaks = self.peaks.iter().map(StoredNode::node).collect::<Result<Vec<_>>>()?;
        Ok(Frontier { leaves: self.accounts, peaks })
    }

    pub fn keep(&mut self, frontier: &Frontier) -> Result<()> {
        require!(frontier.peaks.len() <= MAX_PEAKS, DexError::BadChanges);
        require!(frontier.peaks.iter().all(|peak| peak.sums.changes().len() <= MAX_SLOTS), DexError::BadChanges);
        self.accounts = frontier.leaves;
        self.peaks = frontier.peaks.iter().map(StoredNode::of).collect();
        Ok(())
    }

    pub fn touch(&mut self, market_id: u32) -> Result<()> {
        if !self.touched.contains(&market_id) {
            require!(self.touched.len() < MAX_BATCH_MARKETS, DexError::BadChanges);
            self.touched.push(market_id);
        }
        Ok(())
    }

    pub fn terms_of(&self, market_id: u32) -> Result<&MarketTerms> {
        self.terms.iter().find(|terms| terms.market_id == market_id).ok_or_else(|| DexError::WrongAccounts.into())
    }

    pub fn holds(&self, time_ms: u64) -> bool {
        self.begin_ms <= time_ms && time_ms <= self.end_ms
    }

    pub fn invariant(&self) -> Result<()> {
        let peaks = u32::try_from(self.peaks.len()).map_err(|_| DexError::Overflow)?;
        let shape = self.closed || self.accounts.count_ones() == peaks;
        require!(shape && self.begin_ms < self.end_ms, DexError::InvariantBroken);
        Ok(())
    }
}
