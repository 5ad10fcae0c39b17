use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};

use crate::{
    error::DexError,
    event::Deposited,
    state::{Asset, Exchange, Phase, User, QUOTE},
    tokens::take_in,
};

#[derive(Accounts)]
pub struct Deposit<'info> {
    pub depositor: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(mut, seeds = [b"asset", asset.mint.as_ref()], bump = asset.bump, has_one = vault @ DexError::WrongTokenAccount)]
    pub asset: Box<Account<'info, Asset>>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(mut, token::mint = asset.mint, token::authority = depositor, constraint = source.key() != vault.key() @ DexError::WrongTokenAccount)]
    pub source: Box<Account<'info, TokenAccount>>,
    #[account(mut, seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump)]
    pub user: Box<Account<'info, User>>,
    pub token_program: Program<'info, Token>,
}

pub(crate) fn handle(ctx: Context<Deposit>, amount: u64) -> Result<()> {
    let accounts = ctx.accounts;
    accounts.exchange.require_phase(&[Phase::Live, Phase::Fallback])?;
    require!(amount > 0, DexError::ZeroAmount);
    accounts.user.settle(&accounts.exchange)?;
    // A deposit of one atom would keep an exit from ever being paid in full.
    require!(!accounts.user.exit_is_open(), DexError::WrongPhase);
    let asset = &mut accounts.asset;
    asset.begin_limits(Clock::get()?.unix_timestamp);
    asset.add(amount)?;
    require!(asset.total_atoms <= asset.limits.deposit_cap_atoms, DexError::DepositCap);
    take_in(&accounts.token_program, &accounts.source, &mut accounts.vault, &accounts.depositor, amount)?;
    let user = &mut accounts.user;
    let signed = i64::try_from(amount).map_err(|_| DexError::Overflow)?;
    user.holdings.add_balance(asset.index, signed)?;
    if asset.index == QUOTE && user.is_custodied(&accounts.exchange) {
        accounts.exchange.house.add_quote(signed)?;
    }
    if asset.index == QUOTE {
        user.principal_atoms = user.principal_atoms.checked_add(signed).ok_or(DexError::Overflow)?;
    }
    user.deposits = user.deposits.checked_add(1).ok_or(DexError::Overflow)?;
    let number = accounts.exchange.count_event()?;
    emit!(Deposited { number, user: user.key(), asset: asset.index, amount, deposit: user.deposits });
    asset.invariant(accounts.vault.amount)?;
    user.invariant()
}
