//! Just-in-time auctions of signed orders while the operator is silent, and pools that answer them.
//!
//! A taker's order is offered along a price path that never passes what he signed; makers bid under a bond, the best bid is settled first, by
//! `perp_dex` itself. Live, the engine runs the auctions: one writer for each phase. A pool is an account of the exchange whose owner is
//! this program: its manager signs orders for it and can take nothing out; its members own it by shares.

use anchor_lang::prelude::*;

pub mod error;
pub mod event;
mod instructions;
pub mod maker;
pub mod offer;
pub mod state;
pub mod worth;

pub use error::JitError;
use instructions::*;
use state::JitParameters;

declare_id!("2PCNzeAVHxXHQmbUHcxE1enNLdcjtRKjfeqvkp2S2XQ8");

#[program]
pub mod jit {
    use super::*;

    pub fn initialise(ctx: Context<Initialise>, parameters: JitParameters) -> Result<()> {
        instructions::initialise::handle(ctx, parameters)
    }

    pub fn open_auction(ctx: Context<OpenAuction>, order: [u8; 32]) -> Result<()> {
        instructions::open_auction::handle(ctx, order)
    }

    pub fn bid(ctx: Context<PlaceBid>, order: [u8; 32]) -> Result<()> {
        instructions::bid::handle(ctx, order)
    }

    pub fn settle_bid<'info>(ctx: Context<'info, SettleBid<'info>>) -> Result<()> {
        instructions::settle_bid::handle(ctx)
    }

    pub fn default_bid<'info>(ctx: Context<'info, DefaultBid<'info>>) -> Result<()> {
        instructions::default_bid::handle(ctx)
    }

    pub fn release_bid(ctx: Context<ReleaseBid>) -> Result<()> {
        instructions::release_bid::handle(ctx)
    }

    pub fn create_pool(ctx: Context<CreatePool>) -> Result<()> {
        instructions::create_pool::handle(ctx)
    }

    pub fn join<'info>(ctx: Context<'info, Join<'info>>, amount: u64) -> Result<()> {
        instructions::join::handle(ctx, amount)
    }

    pub fn request_leave<'info>(ctx: Context<'info, RequestLeave<'info>>, shares: u128) -> Result<()> {
        instructions::request_leave::handle(ctx, shares)
    }

    pub fn cancel_leave(ctx: Context<CancelLeave>) -> Result<()> {
        instructions::cancel_leave::handle(ctx)
    }

    pub fn leave<'info>(ctx: Context<'info, Leave<'info>>) -> Result<()> {
        instructions::leave::handle(ctx)
    }

    pub fn deploy(ctx: Context<Deploy>, amount: u64) -> Result<()> {
        instructions::deploy::handle(ctx, amount)
    }

    pub fn recall<'info>(ctx: Context<'info, Recall<'info>>, amount: u64) -> Result<()> {
        instructions::recall::handle(ctx, amount)
    }

    pub fn register_pool_key(ctx: Context<RegisterPoolKey>, key: Pubkey, market_id: u32, cap_atoms: u64, expires_at: i64) -> Result<()> {
        instructions::register_pool_key::handle(ctx, key, market_id, cap_atoms, expires_at)
    }

    pub fn revoke_pool_key(ctx: Context<RevokePoolKey>) -> Result<()> {
        instructions::revoke_pool_key::handle(ctx)
    }

    pub fn collect(ctx: Context<Collect>) -> Result<()> {
        instructions::collect::handle(ctx)
    }
}
