use anchor_lang::prelude::*;
use perp_dex::state::{Exchange, User, MAX_POSITIONS};

use crate::{
    error::LiquidationError,
    event::LiquidationBegun,
    shortage::{latest_prices, shortage},
    state::{Fund, History, Liquidation, Taken},
};

/// Further accounts: the markets of all positions, then the feed of each.
#[derive(Accounts)]
pub struct BeginLiquidation<'info> {
    #[account(mut)]
    pub opener: Signer<'info>,
    #[account(seeds = [b"fund"], bump = fund.bump)]
    pub fund: Box<Account<'info, Fund>>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump, seeds::program = perp_dex::ID
    )]
    pub user: Box<Account<'info, User>>,
    #[account(init_if_needed, payer = opener, space = 8 + History::INIT_SPACE, seeds = [b"history", user.key().as_ref()], bump)]
    pub history: Box<Account<'info, History>>,
    #[account(
        init, payer = opener, space = 8 + Liquidation::INIT_SPACE,
        seeds = [b"liquidation", user.key().as_ref(), history.liquidations.saturating_add(1).to_le_bytes().as_ref()], bump
    )]
    pub liquidation: Box<Account<'info, Liquidation>>,
    pub system_program: Program<'info, System>,
}

fn narrow(atoms: i128) -> Result<i64> {
    i64::try_from(atoms).map_err(|_| LiquidationError::Overflow.into())
}

/// Anyone may prove that an account is below maintenance. What may be taken grows from now on, by slots.
pub(crate) fn handle<'info>(ctx: Context<'info, BeginLiquidation<'info>>) -> Result<()> {
    let clock = Clock::get()?;
    let prices = latest_prices(ctx.remaining_accounts, clock.unix_timestamp)?;
    let accounts = ctx.accounts;
    let (user, history) = (&mut accounts.user, &mut accounts.history);
    require!(!history.is_open(&accounts.fund.parameters, clock.slot), LiquidationError::WrongLiquidation);
    user.settle(&accounts.exchange)?;
    let health = shortage(user, &prices.markets, clock.unix_timestamp)?.ok_or(LiquidationError::NotShort)?;
    history.user = user.key();
    history.bump = ctx.bumps.history;
    history.liquidations = history.liquidations.checked_add(1).ok_or(LiquidationError::Overflow)?;
    history.open = true;
    history.begun_slot = clock.slot;
    let mut liquidation = Box::new(Liquidation {
        user: user.key(),
        owner: user.owner,
        number: history.liquidations,
        bump: ctx.bumps.liquidation,
        begun_slot: clock.slot,
        begun_at: clock.unix_timestamp,
        equity_atoms: narrow(health.equity)?,
        maintenance_atoms: narrow(health.maintenance)?,
        positions: [Taken::default(); MAX_POSITIONS],
        steps: 0,
        stepped_at: 0,
        fees_atoms: 0,
        ended: false,
        disputed: false,
    });
    liquidation.note_positions(&user.holdings);
    emit!(LiquidationBegun {
        user: liquidation.user,
        number: liquidation.number,
        equity_atoms: liquidation.equity_atoms,
        maintenance_atoms: liquidation.maintenance_atoms,
    });
    accounts.liquidation.set_inner(*liquidation);
    accounts.liquidation.invariant()
}
