use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::tokens::pay_out;

use crate::{
    error::LiquidationError,
    event::DisputePaid,
    state::{Debt, Dispute, Fund, Verdict},
};

#[derive(Accounts)]
pub struct CloseDispute<'info> {
    #[account(mut, seeds = [b"fund"], bump = fund.bump, has_one = vault @ LiquidationError::WrongTokenAccount)]
    pub fund: Box<Account<'info, Fund>>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    /// CHECK: who opened the dispute; gets the rent back.
    #[account(mut)]
    pub owner: UncheckedAccount<'info>,
    #[account(
        mut, token::mint = fund.mint, token::authority = owner,
        constraint = destination.key() != vault.key() @ LiquidationError::WrongTokenAccount
    )]
    pub destination: Box<Account<'info, TokenAccount>>,
    #[account(
        mut, has_one = owner @ LiquidationError::NotOwner, seeds = [b"dispute", dispute.liquidation.as_ref()], bump = dispute.bump
    )]
    pub dispute: Account<'info, Dispute>,
    pub token_program: Program<'info, Token>,
}

impl CloseDispute<'_> {
    /// Pay of the award what the bounds allow. The bond does not wait for them.
    fn pay_award(&mut self, bond_atoms: u64, now: i64) -> Result<u64> {
        let owed = self.dispute.debt.owed_atoms;
        if owed == 0 || bond_atoms > 0 && self.fund.payable(now) == 0 {
            return Ok(0);
        }
        let paid = self.fund.pay(owed, now)?;
        let left = owed.saturating_sub(paid);
        let debt = Debt { owed_atoms: left, reserved_atoms: left };
        self.fund.restate(self.dispute.debt, debt)?;
        self.dispute.debt = debt;
        Ok(paid)
    }

    fn pay_bond(&mut self) -> Result<u64> {
        let bond = std::mem::take(&mut self.dispute.bond_atoms);
        self.fund.release_bond(bond)?;
        Ok(bond)
    }
}

/// Anyone may let the fund pay what is due: bond and award where it was upheld, the bond alone where nobody decided in time. (With an award
/// for silence, people would liquidate themselves while the arbiter sleeps.) The record goes when nothing is owed any more.
pub(crate) fn handle(ctx: Context<CloseDispute>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let accounts = ctx.accounts;
    let undecided = accounts.dispute.verdict == Verdict::Open;
    require!(!undecided || now > accounts.dispute.decide_by, LiquidationError::TooEarly);
    let bond_atoms = accounts.pay_bond()?;
    let award_atoms = accounts.pay_award(bond_atoms, now)?;
    let due = bond_atoms.checked_add(award_atoms).ok_or(LiquidationError::Overflow)?;
    if due > 0 {
        let seeds: &[&[u8]] = &[b"fund", &[accounts.fund.bump]];
        pay_out(&accounts.token_program, accounts.fund.to_account_info(), seeds, &mut accounts.vault, &accounts.destination, due)?;
    }
    let (liquidation, owed_atoms) = (accounts.dispute.liquidation, accounts.dispute.debt.owed_atoms);
    emit!(DisputePaid { liquidation, bond_atoms, award_atoms, owed_atoms });
    accounts.dispute.invariant()?;
    accounts.fund.invariant(accounts.vault.amount)?;
    if owed_atoms == 0 {
        accounts.dispute.close(accounts.owner.to_account_info())?;
    }
    Ok(())
}
