use anchor_lang::prelude::*;
use anchor_spl::token::TokenAccount;
use perp_dex::state::{Exchange, User};

use crate::{
    bankruptcy::require_deficit,
    error::LiquidationError,
    event::RecoveryOpened,
    state::{Debt, Fund, Recovery},
};

#[derive(Accounts)]
pub struct OpenRecovery<'info> {
    #[account(mut)]
    pub opener: Signer<'info>,
    #[account(mut, seeds = [b"fund"], bump = fund.bump, has_one = vault @ LiquidationError::WrongTokenAccount)]
    pub fund: Box<Account<'info, Fund>>,
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump, seeds::program = perp_dex::ID
    )]
    pub user: Box<Account<'info, User>>,
    #[account(init, payer = opener, space = 8 + Recovery::INIT_SPACE, seeds = [b"recovery", user.key().as_ref()], bump)]
    pub recovery: Account<'info, Recovery>,
    pub system_program: Program<'info, System>,
}

/// Anyone may put on record that an account is below zero: from now on the loss is the fund's, as far as its bounds go.
pub(crate) fn handle(ctx: Context<OpenRecovery>) -> Result<()> {
    let accounts = ctx.accounts;
    accounts.user.settle(&accounts.exchange)?;
    let deficit_atoms = require_deficit(&accounts.user, &accounts.exchange)?;
    let user = accounts.user.key();
    let mut recovery = Recovery {
        user,
        opener: accounts.opener.key(),
        bump: ctx.bumps.recovery,
        opened_at: Clock::get()?.unix_timestamp,
        first_atoms: deficit_atoms,
        paid_atoms: 0,
        debt: Debt::default(),
    };
    recovery.debt = recovery.debt_for(deficit_atoms, accounts.fund.parameters.event_atoms);
    accounts.fund.restate(Debt::default(), recovery.debt)?;
    accounts.recovery.set_inner(recovery);
    emit!(RecoveryOpened { user, deficit_atoms });
    accounts.fund.invariant(accounts.vault.amount)
}
