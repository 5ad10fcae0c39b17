//! What accounts are worth and need, for programs and people who do not want to take the operator's word: haircuts of collateral and limits of
//! positions are held here, margin calls are put on record by anyone. Holds no money.

use anchor_lang::prelude::*;

pub mod error;
pub mod event;
pub mod figures;
pub mod haircut;
mod instructions;
pub mod margin_call;
pub mod position_limits;
pub mod rulebook;

pub use error::RiskError;
pub use figures::Figures;
pub use haircut::{Haircut, Weight};
use instructions::*;
pub use margin_call::MarginCall;
pub use position_limits::{MarketLimits, PositionLimits};

declare_id!("93PHXuyvPVRosZBn6MyrL1JozMm9gXxMtCJCbFw6b59a");

#[program]
pub mod risk {
    use super::*;

    /// Return an account's figures, at its worst over what is final and what is pending.
    pub fn check_account<'info>(ctx: Context<'info, CheckAccount<'info>>) -> Result<Figures> {
        instructions::check_account::handle(ctx)
    }

    /// Return the sum over several sub-accounts of one owner.
    pub fn check_portfolio<'info>(ctx: Context<'info, CheckPortfolio<'info>>, accounts: u8) -> Result<Figures> {
        instructions::check_portfolio::handle(ctx, accounts)
    }

    /// Return an account's figures with its collateral at haircuts and add-ons for large positions: what the engine goes by.
    pub fn check_collateral<'info>(ctx: Context<'info, CheckCollateral<'info>>) -> Result<Figures> {
        instructions::check_collateral::handle(ctx)
    }

    /// Return how many lots an account may add in a market, long or short.
    pub fn position_room(ctx: Context<PositionRoom>, buys: bool) -> Result<u64> {
        instructions::position_room::handle(ctx, buys)
    }

    pub fn set_haircut(ctx: Context<SetHaircut>, weights: Vec<Weight>) -> Result<()> {
        instructions::set_haircut::handle(ctx, weights)
    }

    pub fn set_market_limits(ctx: Context<SetMarketLimits>, limits: MarketLimits) -> Result<()> {
        instructions::set_market_limits::handle(ctx, limits)
    }

    pub fn call_margin<'info>(ctx: Context<'info, CallMargin<'info>>) -> Result<()> {
        instructions::call_margin::handle(ctx)
    }

    pub fn end_margin_call<'info>(ctx: Context<'info, EndMarginCall<'info>>) -> Result<()> {
        instructions::end_margin_call::handle(ctx)
    }
}
