use anchor_lang::prelude::*;
use perp_dex::state::{Exchange, User};

use crate::{
    error::LiquidationError,
    event::LiquidationEnded,
    shortage::{latest_prices, shortage},
    state::{History, Liquidation},
};

/// Further accounts: the markets of all positions, then the feed of each.
#[derive(Accounts)]
pub struct EndLiquidation<'info> {
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump, seeds::program = perp_dex::ID
    )]
    pub user: Box<Account<'info, User>>,
    #[account(mut, seeds = [b"history", user.key().as_ref()], bump = history.bump)]
    pub history: Box<Account<'info, History>>,
    #[account(
        mut, seeds = [b"liquidation", user.key().as_ref(), history.liquidations.to_le_bytes().as_ref()], bump = liquidation.bump,
        constraint = !liquidation.ended @ LiquidationError::WrongLiquidation
    )]
    pub liquidation: Box<Account<'info, Liquidation>>,
}

/// Anyone may end it once the account is not below maintenance: the next one begins with a new proof, and small again.
pub(crate) fn handle<'info>(ctx: Context<'info, EndLiquidation<'info>>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let prices = latest_prices(ctx.remaining_accounts, now)?;
    let accounts = ctx.accounts;
    accounts.user.settle(&accounts.exchange)?;
    require!(shortage(&accounts.user, &prices.markets, now)?.is_none(), LiquidationError::StillShort);
    accounts.history.open = false;
    accounts.liquidation.ended = true;
    emit!(LiquidationEnded { user: accounts.liquidation.user, number: accounts.liquidation.number });
    accounts.liquidation.invariant()
}
