use anchor_lang::prelude::*;

use crate::{
    error::OracleError,
    event::FeedCreated,
    feed::{Feed, FeedParameters, FeedState, Observation, Oracle, MAX_PUBLISHERS},
};

#[derive(Accounts)]
#[instruction(index: u32)]
pub struct CreateFeed<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub authority: Signer<'info>,
    #[account(seeds = [b"oracle"], bump = oracle.bump, has_one = authority @ OracleError::NotAuthority)]
    pub oracle: Account<'info, Oracle>,
    #[account(init, payer = payer, space = 8 + Feed::INIT_SPACE, seeds = [b"feed", index.to_le_bytes().as_ref()], bump)]
    pub feed: Box<Account<'info, Feed>>,
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle(ctx: Context<CreateFeed>, index: u32, parameters: FeedParameters) -> Result<()> {
    parameters.check()?;
    ctx.accounts.feed.set_inner(Feed {
        index,
        bump: ctx.bumps.feed,
        parameters,
        pyth: Observation::default(),
        published: [Observation::default(); MAX_PUBLISHERS],
        state: FeedState::Stale,
        price_e8: 0,
        confidence_e8: 0,
        published_at: 0,
        average_e8: 0,
    });
    emit!(FeedCreated { index, feed: ctx.accounts.feed.key() });
    ctx.accounts.feed.invariant()
}
