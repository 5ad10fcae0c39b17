use anchor_lang::prelude::*;
use perp_dex::{
    cpi::accounts::Liquidate,
    program::PerpDex,
    state::{Exchange, Market, User, QUOTE},
};

use crate::{
    error::LiquidationError,
    event::{LiquidationEnded, LiquidationStepped},
    shortage::{latest_prices, shortage},
    state::{Fund, History, Liquidation},
};

/// Further accounts: the markets of all positions of both accounts, then the feed of each.
#[derive(Accounts)]
pub struct StepLiquidation<'info> {
    pub owner: Signer<'info>,
    #[account(seeds = [b"fund"], bump = fund.bump)]
    pub fund: Box<Account<'info, Fund>>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(seeds = [b"market", market.market_id.to_le_bytes().as_ref()], bump = market.bump, seeds::program = perp_dex::ID)]
    pub market: Box<Account<'info, Market>>,
    #[account(
        mut, seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump,
        seeds::program = perp_dex::ID
    )]
    pub user: Box<Account<'info, User>>,
    #[account(
        mut, seeds = [b"user", owner.key().as_ref(), liquidator.sub_account.to_le_bytes().as_ref()], bump = liquidator.bump,
        seeds::program = perp_dex::ID, constraint = liquidator.key() != user.key() @ LiquidationError::WrongAccounts
    )]
    pub liquidator: Box<Account<'info, User>>,
    #[account(mut, seeds = [b"history", user.key().as_ref()], bump = history.bump)]
    pub history: Box<Account<'info, History>>,
    #[account(
        mut, seeds = [b"liquidation", user.key().as_ref(), history.liquidations.to_le_bytes().as_ref()], bump = liquidation.bump,
        constraint = !liquidation.ended @ LiquidationError::WrongLiquidation
    )]
    pub liquidation: Box<Account<'info, Liquidation>>,
    pub perp_dex: Program<'info, PerpDex>,
}

impl<'info> StepLiquidation<'info> {
    /// Note the lots, as far as the time since the proof allows.
    fn take(&mut self, lots: i64, slot: u64) -> Result<()> {
        let parameters = self.fund.parameters;
        require!(self.history.is_open(&parameters, slot), LiquidationError::WrongLiquidation);
        let held = self.user.holdings.lots(self.market.market_id);
        let small = self.market.value(held, self.market.price_e8)?.0.unsigned_abs() <= u128::from(parameters.small_atoms);
        let slots = slot.saturating_sub(self.liquidation.begun_slot);
        self.liquidation.take(self.market.market_id, lots.unsigned_abs(), |noted| parameters.takeable(noted, slots), small)
    }

    /// Let the exchange do it: it refuses what is not below maintenance, and moves the same integers on both sides.
    fn liquidate(&self, lots: i64, markets: &[AccountInfo<'info>]) -> Result<()> {
        let accounts = Liquidate {
            owner: self.owner.to_account_info(),
            exchange: self.exchange.to_account_info(),
            market: self.market.to_account_info(),
            user: self.user.to_account_info(),
            liquidator: self.liquidator.to_account_info(),
        };
        perp_dex::cpi::liquidate(CpiContext::new(self.perp_dex.key(), accounts).with_remaining_accounts(markets.to_vec()), lots)
    }

    fn fee_atoms(&self, lots: i64, balance_before: i64) -> Result<u64> {
        let received = i128::from(self.user.holdings.balances[usize::from(QUOTE)]).saturating_sub(i128::from(balance_before));
        let fee = self.market.value(lots, self.market.price_e8)?.0.saturating_sub(received);
        u64::try_from(fee).map_err(|_| LiquidationError::InvariantBroken.into())
    }
}

/// `lots` are the user's, signed as they are held; the liquidator takes them over. Who is not below maintenance any more is left alone.
pub(crate) fn handle<'info>(ctx: Context<'info, StepLiquidation<'info>>, lots: i64) -> Result<()> {
    let clock = Clock::get()?;
    let prices = latest_prices(ctx.remaining_accounts, clock.unix_timestamp)?;
    let accounts = ctx.accounts;
    accounts.user.settle(&accounts.exchange)?;
    require!(shortage(&accounts.user, &prices.markets, clock.unix_timestamp)?.is_some(), LiquidationError::NotShort);
    accounts.take(lots, clock.slot)?;
    let balance_before = accounts.user.holdings.balances[usize::from(QUOTE)];
    accounts.liquidate(lots, prices.accounts)?;
    accounts.user.reload()?;
    let fee_atoms = accounts.fee_atoms(lots, balance_before)?;
    let still_short = shortage(&accounts.user, &prices.markets, clock.unix_timestamp)?.is_some();
    let liquidation = &mut accounts.liquidation;
    liquidation.steps = liquidation.steps.checked_add(1).ok_or(LiquidationError::Overflow)?;
    liquidation.stepped_at = clock.unix_timestamp;
    liquidation.fees_atoms = liquidation.fees_atoms.checked_add(fee_atoms).ok_or(LiquidationError::Overflow)?;
    liquidation.ended = !still_short;
    accounts.history.open = still_short;
    let (user, number) = (liquidation.user, liquidation.number);
    emit!(LiquidationStepped {
        user,
        number,
        market_id: accounts.market.market_id,
        liquidator: accounts.liquidator.key(),
        lots,
        fee_atoms,
    });
    if !still_short {
        emit!(LiquidationEnded { user, number });
    }
    liquidation.invariant()
}
