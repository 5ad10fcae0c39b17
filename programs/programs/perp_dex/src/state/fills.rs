use anchor_lang::prelude::*;

use crate::error::DexError;

pub const MAX_SPANS: usize = 32;

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Default, PartialEq, Eq, InitSpace)]
pub struct Span {
    pub from_lots: u64,
    pub to_lots: u64,
}

/// Which lots of one signed order were filled, as far as the chain has seen: on chain, and in answers to challenges.
#[account]
#[derive(InitSpace)]
pub struct OrderFills {
    pub order: [u8; 32],
    pub bump: u8,
    #[max_len(MAX_SPANS)]
    pub spans: Vec<Span>,
}

impl OrderFills {
    /// Take lots that nothing filled yet; spans that touch are joined.
    pub fn take(&mut self, span: Span) -> Result<()> {
        require!(span.from_lots < span.to_lots, DexError::ZeroAmount);
        let apart = |other: &Span| span.to_lots <= other.from_lots || other.to_lots <= span.from_lots;
        require!(self.spans.iter().all(apart), DexError::FilledTwice);
        let mut joined = span;
        self.spans.retain(|other| {
            let touches = other.to_lots == span.from_lots || other.from_lots == span.to_lots;
            if touches {
                joined.from_lots = joined.from_lots.min(other.from_lots);
                joined.to_lots = joined.to_lots.max(other.to_lots);
            }
            !touches
        });
        require!(self.spans.len() < MAX_SPANS, DexError::Overfilled);
        self.spans.push(joined);
        Ok(())
    }

    /// Lots filled on chain count from the first.
    pub fn filled_lots(&self) -> u64 {
        self.spans.iter().map(|span| span.to_lots).max().unwrap_or(0)
    }
}
