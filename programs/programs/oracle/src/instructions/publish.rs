use anchor_lang::prelude::*;

use crate::{
    error::OracleError,
    event::{PriceChanged, PriceObserved},
    feed::{Feed, Observation},
};

#[derive(Accounts)]
pub struct Publish<'info> {
    pub publisher: Signer<'info>,
    #[account(mut, seeds = [b"feed", feed.index.to_le_bytes().as_ref()], bump = feed.bump)]
    pub feed: Box<Account<'info, Feed>>,
}

pub(crate) fn handle(ctx: Context<Publish>, price_e8: u64, confidence_e8: u64, published_at: i64) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let publisher = ctx.accounts.publisher.key();
    let feed = &mut ctx.accounts.feed;
    let place = feed.parameters.publishers.iter().position(|key| *key == publisher).ok_or(OracleError::NotPublisher)?;
    let observation = Observation { price_e8, confidence_e8, published_at };
    observation.check(&feed.parameters, &feed.published[place], now)?;
    feed.published[place] = observation;
    feed.combine(now)?;
    emit!(PriceObserved { index: feed.index, source: publisher, price_e8, confidence_e8, published_at });
    emit!(PriceChanged {
        index: feed.index,
        price_e8: feed.price_e8,
        average_e8: feed.average_e8,
        state: feed.state,
        published_at: feed.published_at,
    });
    feed.invariant()
}
