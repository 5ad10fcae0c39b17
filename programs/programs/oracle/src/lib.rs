//! Prices: Pyth's full updates and a quorum of named publishers. No single source moves a price that both report.

use anchor_lang::prelude::*;

pub mod action;
pub mod error;
pub mod event;
pub mod feed;
mod instructions;
pub mod nonce;
pub mod pyth;

pub use action::{allows, Action};
pub use error::OracleError;
pub use feed::{Feed, FeedParameters, FeedState, Observation, Oracle, MAX_PUBLISHERS};
use instructions::*;

declare_id!("BQXFjGLz8GaH1EFveyqyZgmhvEBiMwxC84unFGHtmerH");

#[program]
pub mod oracle {
    use super::*;

    pub fn initialise(ctx: Context<Initialise>, authority: Pubkey) -> Result<()> {
        instructions::initialise::handle(ctx, authority)
    }

    pub fn create_feed(ctx: Context<CreateFeed>, index: u32, parameters: FeedParameters) -> Result<()> {
        instructions::create_feed::handle(ctx, index, parameters)
    }

    pub fn update_from_pyth(ctx: Context<UpdateFromPyth>) -> Result<()> {
        instructions::update_from_pyth::handle(ctx)
    }

    pub fn publish(ctx: Context<Publish>, price_e8: u64, confidence_e8: u64, published_at: i64) -> Result<()> {
        instructions::publish::handle(ctx, price_e8, confidence_e8, published_at)
    }

    pub fn offer_authority(ctx: Context<OfferAuthority>, offered: Pubkey) -> Result<()> {
        instructions::offer_authority::handle(ctx, offered)
    }

    pub fn accept_authority(ctx: Context<AcceptAuthority>) -> Result<()> {
        instructions::accept_authority::handle(ctx)
    }
}
