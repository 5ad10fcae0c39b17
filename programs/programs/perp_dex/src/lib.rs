//! Custody and settlement: the operator can be slow, but cannot forge, steal or trap.
//!
//! Live, the engine matches and posts batches that anyone may challenge; when it is silent, anyone matches signed orders; when it stays
//! silent or cannot answer a challenge, everybody leaves with his share of the vault.

use anchor_lang::prelude::*;

pub mod ed25519;
pub mod error;
pub mod event;
pub mod hash;
pub mod health;
mod instructions;
pub mod judge;
pub mod leaf;
pub mod nonce;
pub mod state;
pub mod tokens;

use instructions::*;
use leaf::Leaf;
use state::{ExchangeParameters, Funding, Limits, MarketParameters, StoredNode};

declare_id!("6JNgTvGQbVJZrNWrDdbHqZQEFHVN4JCzUy2sdAacdqpr");

#[program]
pub mod perp_dex {
    use super::*;

    pub fn initialise(
        ctx: Context<Initialise>,
        authority: Pubkey,
        settler: Pubkey,
        custodian: Pubkey,
        genesis_hash: [u8; 32],
        parameters: ExchangeParameters,
    ) -> Result<()> {
        instructions::initialise::handle(ctx, authority, settler, custodian, genesis_hash, parameters)
    }

    pub fn list_asset(ctx: Context<ListAsset>, limits: Limits) -> Result<()> {
        instructions::list_asset::handle(ctx, limits)
    }

    pub fn set_limits(ctx: Context<SetLimits>, limits: Limits) -> Result<()> {
        instructions::set_limits::handle(ctx, limits)
    }

    pub fn create_market(ctx: Context<CreateMarket>, market_id: u32, parameters: MarketParameters) -> Result<()> {
        instructions::create_market::handle(ctx, market_id, parameters)
    }

    pub fn observe_market(ctx: Context<ObserveMarket>) -> Result<()> {
        instructions::observe_market::handle(ctx)
    }

    pub fn create_user(ctx: Context<CreateUser>, owner: Pubkey, sub_account: u16) -> Result<()> {
        instructions::create_user::handle(ctx, owner, sub_account)
    }

    pub fn deposit(ctx: Context<Deposit>, amount: u64) -> Result<()> {
        instructions::deposit::handle(ctx, amount)
    }

    pub fn grant_voucher(ctx: Context<GrantVoucher>, number: u64, asset: u8, amount: u64, expires_at: i64) -> Result<()> {
        instructions::grant_voucher::handle(ctx, number, asset, amount, expires_at)
    }

    pub fn return_voucher(ctx: Context<ReturnVoucher>) -> Result<()> {
        instructions::return_voucher::handle(ctx)
    }

    pub fn withdraw<'info>(ctx: Context<'info, Withdraw<'info>>, amount: u64) -> Result<()> {
        instructions::withdraw::handle(ctx, amount)
    }

    pub fn register_key(
        ctx: Context<RegisterKey>,
        key: Pubkey,
        market_id: u32,
        cap_atoms: u64,
        expires_at: i64,
        custodied: bool,
    ) -> Result<()> {
        instructions::register_key::handle(ctx, key, market_id, cap_atoms, expires_at, custodied)
    }

    pub fn revoke_key(ctx: Context<RevokeKey>) -> Result<()> {
        instructions::revoke_key::handle(ctx)
    }

    pub fn cancel_nonces(ctx: Context<CancelNonces>, min_nonce: u64) -> Result<()> {
        instructions::cancel_nonces::handle(ctx, min_nonce)
    }

    pub fn open_batch(ctx: Context<OpenBatch>, header: BatchHeader) -> Result<()> {
        instructions::open_batch::handle(ctx, header)
    }

    pub fn post_changes<'info>(ctx: Context<'info, PostChanges<'info>>, changes: Vec<AccountChange>) -> Result<()> {
        instructions::post_changes::handle(ctx, changes)
    }

    pub fn close_batch<'info>(ctx: Context<'info, CloseBatch<'info>>, root: [u8; 32], funding: Vec<Funding>) -> Result<()> {
        instructions::close_batch::handle(ctx, root, funding)
    }

    pub fn turn_epoch(ctx: Context<TurnEpoch>) -> Result<()> {
        instructions::turn_epoch::handle(ctx)
    }

    pub fn challenge(ctx: Context<OpenChallenge>, proof: AccountProof) -> Result<()> {
        instructions::challenge::handle(ctx, proof)
    }

    pub fn prove_challenge(ctx: Context<ProveChallenge>, siblings: Vec<StoredNode>) -> Result<()> {
        instructions::prove_challenge::handle(ctx, siblings)
    }

    pub fn show_leaf<'info>(ctx: Context<'info, ShowLeaf<'info>>, leaf: Leaf, siblings: Vec<StoredNode>, named: [u8; 32]) -> Result<()> {
        instructions::show_leaf::handle(ctx, leaf, siblings, named)
    }

    pub fn freeze_unanswered(ctx: Context<FreezeUnanswered>) -> Result<()> {
        instructions::freeze_unanswered::handle(ctx)
    }

    pub fn request_exit(ctx: Context<RequestExit>) -> Result<()> {
        instructions::request_exit::handle(ctx)
    }

    pub fn fall_back(ctx: Context<FallBack>) -> Result<()> {
        instructions::fall_back::handle(ctx)
    }

    pub fn match_orders<'info>(
        ctx: Context<'info, MatchOrders<'info>>,
        size_lots: u64,
        price_ticks: u64,
        buy_order: [u8; 32],
        sell_order: [u8; 32],
    ) -> Result<()> {
        instructions::match_orders::handle(ctx, size_lots, price_ticks, buy_order, sell_order)
    }

    pub fn liquidate<'info>(ctx: Context<'info, Liquidate<'info>>, lots: i64) -> Result<()> {
        instructions::liquidate::handle(ctx, lots)
    }

    pub fn freeze_silent(ctx: Context<FreezeSilent>) -> Result<()> {
        instructions::freeze_silent::handle(ctx)
    }

    pub fn value_user<'info>(ctx: Context<'info, ValueUser<'info>>) -> Result<()> {
        instructions::value_user::handle(ctx)
    }

    pub fn open_escapes(ctx: Context<OpenEscapes>) -> Result<()> {
        instructions::open_escapes::handle(ctx)
    }

    pub fn escape(ctx: Context<Escape>) -> Result<()> {
        instructions::escape::handle(ctx)
    }

    pub fn end_exit(ctx: Context<EndExit>) -> Result<()> {
        instructions::end_exit::handle(ctx)
    }

    pub fn offer_authority(ctx: Context<OfferAuthority>, offered: Pubkey) -> Result<()> {
        instructions::offer_authority::handle(ctx, offered)
    }

    pub fn accept_authority(ctx: Context<AcceptAuthority>) -> Result<()> {
        instructions::accept_authority::handle(ctx)
    }
}
