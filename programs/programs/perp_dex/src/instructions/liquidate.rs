use anchor_lang::prelude::*;
use fixed_point::{charge, QuoteAtoms};

use crate::{
    error::DexError,
    event::PositionLiquidated,
    health::{least_free, markets_of, Health},
    state::{Exchange, Market, Phase, User, QUOTE},
};

/// While the operator is silent anyone with an account may take over a position of one that is below maintenance, at the oracle's price less
/// a fee that leaves it no shorter than it was. Further accounts: the markets of all positions of both accounts.
#[derive(Accounts)]
pub struct Liquidate<'info> {
    pub owner: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(seeds = [b"market", market.market_id.to_le_bytes().as_ref()], bump = market.bump)]
    pub market: Box<Account<'info, Market>>,
    #[account(mut, seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump)]
    pub user: Box<Account<'info, User>>,
    #[account(
        mut, seeds = [b"user", owner.key().as_ref(), liquidator.sub_account.to_le_bytes().as_ref()], bump = liquidator.bump,
        has_one = owner @ DexError::NotOwner, constraint = liquidator.key() != user.key() @ DexError::OtherAccount
    )]
    pub liquidator: Box<Account<'info, User>>,
}

/// An account is liquidated only if it is short now and in every state that pending batches may bring.
fn require_short(user: &User, markets: &[Box<Market>], now: i64) -> Result<()> {
    for outlook in user.outlooks()? {
        let known = |market_id: u32| markets.iter().find(|market| market.market_id == market_id);
        let sure = outlook.open_positions().all(|position| known(position.market_id).is_some_and(|market| market.may_liquidate));
        require!(sure, DexError::BadPriceState);
        let health = Health::of(&outlook, markets, now)?;
        require!(health.equity < health.maintenance, DexError::NotLiquidatable);
    }
    Ok(())
}

fn shortfall(user: &User, markets: &[Box<Market>], now: i64) -> Result<i128> {
    let health = Health::of(&user.holdings, markets, now)?;
    Ok(health.maintenance.saturating_sub(health.equity))
}

fn atoms(quote: i128) -> Result<i64> {
    i64::try_from(quote).map_err(|_| DexError::Overflow.into())
}

/// `lots` are the user's, signed as they are held; the liquidator takes them over.
pub(crate) fn handle<'info>(ctx: Context<'info, Liquidate<'info>>, lots: i64) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let markets = markets_of(ctx.remaining_accounts)?;
    let accounts = ctx.accounts;
    accounts.exchange.require_phase(&[Phase::Fallback])?;
    require!(!accounts.exchange.batch_open, DexError::WrongBatch);
    let (market, user, liquidator) = (&accounts.market, &mut accounts.user, &mut accounts.liquidator);
    user.settle(&accounts.exchange)?;
    liquidator.settle(&accounts.exchange)?;
    let (house_user, house_liquidator) = (user.is_custodied(&accounts.exchange), liquidator.is_custodied(&accounts.exchange));
    require_short(user, &markets, now)?;
    let held = user.holdings.lots(market.market_id);
    require!(lots != 0 && lots.signum() == held.signum() && lots.unsigned_abs() <= held.unsigned_abs(), DexError::BadChanges);
    let value = market.value(lots, market.price_e8)?;
    let whole = charge(QuoteAtoms(value.0.abs()), i64::from(market.parameters.liquidation_fee_ppm)).map_err(DexError::from)?;
    let before = shortfall(user, &markets, now)?;
    user.holdings.add_balance(QUOTE, atoms(value.0)?)?;
    user.holdings.add_lots(market.market_id, lots.checked_neg().ok_or(DexError::Overflow)?)?;
    let gained = before.checked_sub(shortfall(user, &markets, now)?).ok_or(DexError::Overflow)?;
    require!(gained >= 0, DexError::NotLiquidatable);
    let fee = atoms(whole.0.min(gained))?;
    user.holdings.add_balance(QUOTE, fee.checked_neg().ok_or(DexError::Overflow)?)?;
    let received = atoms(value.0)?.checked_sub(fee).ok_or(DexError::Overflow)?;
    liquidator.holdings.add_balance(QUOTE, received.checked_neg().ok_or(DexError::Overflow)?)?;
    liquidator.holdings.add_lots(market.market_id, lots)?;
    user.note_principal();
    liquidator.note_principal();
    require!(least_free(liquidator, &markets, now)? >= 0, DexError::ShortOfMargin);
    let house = &mut accounts.exchange.house;
    for (custodied, sign) in [(house_user, -1i64), (house_liquidator, 1)] {
        if custodied {
            house.add_lots(market.market_id, lots.saturating_mul(sign))?;
            house.add_quote(received.saturating_mul(sign.saturating_neg()))?;
            house.revalue(market, market.price_e8, market.price_e8)?;
        }
    }
    let number = accounts.exchange.count_event()?;
    emit!(PositionLiquidated {
        number,
        market_id: market.market_id,
        user: user.key(),
        liquidator: liquidator.key(),
        lots,
        value_atoms: atoms(value.0)?,
        fee_atoms: fee,
    });
    user.invariant()?;
    liquidator.invariant()
}
