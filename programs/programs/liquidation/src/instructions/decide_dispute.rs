use anchor_lang::prelude::*;
use anchor_spl::token::TokenAccount;
use perp_dex::{nonce::refuse_durable_nonce, state::Exchange};

use crate::{
    error::LiquidationError,
    event::DisputeDecided,
    state::{Debt, Dispute, Fund, Verdict},
};

#[derive(Accounts)]
pub struct DecideDispute<'info> {
    pub authority: Signer<'info>,
    #[account(
        seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID, has_one = authority @ LiquidationError::NotArbiter
    )]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(mut, seeds = [b"fund"], bump = fund.bump, has_one = vault @ LiquidationError::WrongTokenAccount)]
    pub fund: Box<Account<'info, Fund>>,
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(mut, seeds = [b"dispute", dispute.liquidation.as_ref()], bump = dispute.bump)]
    pub dispute: Account<'info, Dispute>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
}

/// Award something, up to the claim, or nothing: then the bond falls to the fund.
pub(crate) fn handle(ctx: Context<DecideDispute>, award_atoms: u64) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let (fund, dispute) = (&mut ctx.accounts.fund, &mut ctx.accounts.dispute);
    require!(dispute.verdict == Verdict::Open, LiquidationError::WrongDispute);
    require!(Clock::get()?.unix_timestamp <= dispute.decide_by, LiquidationError::TooLate);
    require!(award_atoms <= dispute.claim_atoms, LiquidationError::AboveClaim);
    if award_atoms > 0 {
        dispute.verdict = Verdict::Upheld;
        dispute.debt = Debt { owed_atoms: award_atoms, reserved_atoms: award_atoms };
        fund.restate(Debt::default(), dispute.debt)?;
    } else {
        dispute.verdict = Verdict::Rejected;
        fund.release_bond(dispute.bond_atoms)?;
        fund.earn(dispute.bond_atoms)?;
        dispute.bond_atoms = 0;
    }
    emit!(DisputeDecided { liquidation: dispute.liquidation, verdict: dispute.verdict, award_atoms });
    dispute.invariant()?;
    fund.invariant(ctx.accounts.vault.amount)
}
