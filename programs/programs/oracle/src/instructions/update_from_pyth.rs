use anchor_lang::prelude::*;

use crate::{
    error::OracleError,
    event::{PriceChanged, PriceObserved},
    feed::Feed,
    pyth,
};

/// Anyone may bring a newer price: what makes it true is the verification, not the sender.
#[derive(Accounts)]
pub struct UpdateFromPyth<'info> {
    #[account(mut, seeds = [b"feed", feed.index.to_le_bytes().as_ref()], bump = feed.bump)]
    pub feed: Box<Account<'info, Feed>>,
    /// CHECK: owner, kind, verification and feed are checked where it is read.
    #[account(owner = pyth::RECEIVER @ OracleError::ForeignOwner)]
    pub price_update: UncheckedAccount<'info>,
}

pub(crate) fn handle(ctx: Context<UpdateFromPyth>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let feed = &mut ctx.accounts.feed;
    let observation = pyth::read(&ctx.accounts.price_update, &feed.parameters.pyth_feed_id)?;
    observation.check(&feed.parameters, &feed.pyth, now)?;
    feed.pyth = observation;
    feed.combine(now)?;
    emit!(PriceObserved {
        index: feed.index,
        source: pyth::RECEIVER,
        price_e8: observation.price_e8,
        confidence_e8: observation.confidence_e8,
        published_at: observation.published_at,
    });
    emit!(PriceChanged {
        index: feed.index,
        price_e8: feed.price_e8,
        average_e8: feed.average_e8,
        state: feed.state,
        published_at: feed.published_at,
    });
    feed.invariant()
}
