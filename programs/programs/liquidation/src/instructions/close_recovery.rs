use anchor_lang::prelude::*;
use anchor_spl::token::TokenAccount;
use perp_dex::state::{Exchange, User};

use crate::{
    bankruptcy::deficit_atoms,
    error::LiquidationError,
    event::RecoveryClosed,
    state::{Debt, Fund, Recovery},
};

#[derive(Accounts)]
pub struct CloseRecovery<'info> {
    #[account(mut, seeds = [b"fund"], bump = fund.bump, has_one = vault @ LiquidationError::WrongTokenAccount)]
    pub fund: Box<Account<'info, Fund>>,
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump, seeds::program = perp_dex::ID
    )]
    pub user: Box<Account<'info, User>>,
    /// CHECK: gets the rent back.
    #[account(mut)]
    pub opener: UncheckedAccount<'info>,
    #[account(
        mut, close = opener, has_one = opener @ LiquidationError::WrongAccounts, seeds = [b"recovery", user.key().as_ref()],
        bump = recovery.bump
    )]
    pub recovery: Account<'info, Recovery>,
}

/// Anyone may close the record once the account is whole, or when the exchange is frozen: then one haircut for all covers the loss.
pub(crate) fn handle(ctx: Context<CloseRecovery>) -> Result<()> {
    let accounts = ctx.accounts;
    accounts.user.settle(&accounts.exchange)?;
    let whole = deficit_atoms(&accounts.user, &accounts.exchange)? == 0;
    require!(whole || accounts.exchange.is_frozen(), LiquidationError::StillBankrupt);
    accounts.fund.restate(accounts.recovery.debt, Debt::default())?;
    emit!(RecoveryClosed { user: accounts.recovery.user, paid_atoms: accounts.recovery.paid_atoms });
    accounts.fund.invariant(accounts.vault.amount)
}
