use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::UserValued,
    health::markets_of,
    state::{Exchange, Phase, User, QUOTE},
};

/// After a freeze anyone values every account, once each, at the averages before the freeze. Further accounts: its markets.
#[derive(Accounts)]
pub struct ValueUser<'info> {
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        mut, seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump,
        constraint = !user.valued @ DexError::AlreadyDone
    )]
    pub user: Box<Account<'info, User>>,
}

pub(crate) fn handle<'info>(ctx: Context<'info, ValueUser<'info>>) -> Result<()> {
    let markets = markets_of(ctx.remaining_accounts)?;
    let (exchange, user) = (&mut ctx.accounts.exchange, &mut ctx.accounts.user);
    exchange.require_phase(&[Phase::Frozen])?;
    user.settle(exchange)?;
    let mut equity = i128::from(user.holdings.balances[usize::from(QUOTE)]);
    for position in user.holdings.open_positions() {
        let market = markets.iter().find(|market| market.market_id == position.market_id).ok_or(DexError::WrongAccounts)?;
        equity = equity.checked_add(market.value(position.lots, market.average_e8)?.0).ok_or(DexError::Overflow)?;
    }
    user.valued = true;
    user.claim_atoms = u64::try_from(equity.max(0)).map_err(|_| DexError::Overflow)?;
    exchange.valued_users = exchange.valued_users.checked_add(1).ok_or(DexError::Overflow)?;
    if user.is_insurance(exchange) {
        // Paid last, with what nobody claims.
    } else if user.is_custodied(exchange) {
        exchange.house_equity_atoms = exchange.house_equity_atoms.checked_add(equity).ok_or(DexError::Overflow)?;
        exchange.house_claims_atoms = exchange.house_claims_atoms.checked_add(user.claim_atoms.into()).ok_or(DexError::Overflow)?;
    } else {
        exchange.claims_atoms = exchange.claims_atoms.checked_add(user.claim_atoms).ok_or(DexError::Overflow)?;
    }
    let equity_atoms = i64::try_from(equity).map_err(|_| DexError::Overflow)?;
    emit!(UserValued { user: user.key(), equity_atoms });
    exchange.invariant()?;
    user.invariant()
}
