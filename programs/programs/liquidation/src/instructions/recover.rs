use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::{
    cpi::accounts::Deposit,
    program::PerpDex,
    state::{Asset, Exchange, User},
};

use crate::{
    bankruptcy::{deficit_atoms, require_deficit},
    error::LiquidationError,
    event::Recovered,
    state::{Fund, Recovery},
};

/// Anyone may let the fund pay: only what is below zero decides how much.
#[derive(Accounts)]
pub struct Recover<'info> {
    #[account(mut, seeds = [b"fund"], bump = fund.bump, has_one = vault @ LiquidationError::WrongTokenAccount)]
    pub fund: Box<Account<'info, Fund>>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        mut, seeds = [b"asset", fund.mint.as_ref()], bump = asset.bump, seeds::program = perp_dex::ID,
        constraint = asset.vault == dex_vault.key() @ LiquidationError::WrongTokenAccount
    )]
    pub asset: Box<Account<'info, Asset>>,
    #[account(mut)]
    pub dex_vault: Box<Account<'info, TokenAccount>>,
    #[account(
        mut, seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump,
        seeds::program = perp_dex::ID
    )]
    pub user: Box<Account<'info, User>>,
    #[account(mut, seeds = [b"recovery", user.key().as_ref()], bump = recovery.bump)]
    pub recovery: Account<'info, Recovery>,
    pub perp_dex: Program<'info, PerpDex>,
    pub token_program: Program<'info, Token>,
}

impl Recover<'_> {
    /// Deposit into the exchange's vault for the account, as anybody may for anybody.
    fn deposit(&self, amount: u64) -> Result<()> {
        let seeds: &[&[&[u8]]] = &[&[b"fund", &[self.fund.bump]]];
        let accounts = Deposit {
            depositor: self.fund.to_account_info(),
            exchange: self.exchange.to_account_info(),
            asset: self.asset.to_account_info(),
            vault: self.dex_vault.to_account_info(),
            source: self.vault.to_account_info(),
            user: self.user.to_account_info(),
            token_program: self.token_program.to_account_info(),
        };
        perp_dex::cpi::deposit(CpiContext::new_with_signer(self.perp_dex.key(), accounts, seeds), amount)
    }
}

pub(crate) fn handle(ctx: Context<Recover>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let accounts = ctx.accounts;
    let parameters = accounts.fund.parameters;
    require!(now >= accounts.recovery.opened_at.saturating_add(parameters.recovery_delay_s), LiquidationError::TooEarly);
    accounts.user.settle(&accounts.exchange)?;
    let deficit = require_deficit(&accounts.user, &accounts.exchange)?;
    let amount = accounts.fund.pay(deficit.min(accounts.recovery.room(parameters.event_atoms)), now)?;
    accounts.deposit(amount)?;
    accounts.vault.reload()?;
    accounts.user.reload()?;
    accounts.exchange.reload()?;
    accounts.user.settle(&accounts.exchange)?;
    let owed_atoms = deficit_atoms(&accounts.user, &accounts.exchange)?;
    let recovery = &mut accounts.recovery;
    recovery.paid_atoms = recovery.paid_atoms.checked_add(amount).ok_or(LiquidationError::Overflow)?;
    let debt = recovery.debt_for(owed_atoms, parameters.event_atoms);
    accounts.fund.restate(recovery.debt, debt)?;
    recovery.debt = debt;
    emit!(Recovered { user: recovery.user, amount, owed_atoms, generation: accounts.fund.generation });
    // The payment and nothing else brought the account up.
    require!(owed_atoms == deficit.saturating_sub(amount), LiquidationError::InvariantBroken);
    accounts.fund.invariant(accounts.vault.amount)
}
