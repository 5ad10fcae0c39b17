//! What accounts are worth and need, for programs and people who do not want to take the operator's word; and margin calls that anyone
//! may put on record. Holds no money, decides nothing.

use anchor_lang::prelude::*;

pub mod error;
pub mod event;
pub mod figures;
mod instructions;
pub mod margin_call;

pub use error::RiskError;
pub use figures::Figures;
use instructions::*;
pub use margin_call::MarginCall;

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

    pub fn call_margin<'info>(ctx: Context<'info, CallMargin<'info>>) -> Result<()> {
        instructions::call_margin::handle(ctx)
    }

    pub fn end_margin_call<'info>(ctx: Context<'info, EndMarginCall<'info>>) -> Result<()> {
        instructions::end_margin_call::handle(ctx)
    }
}
