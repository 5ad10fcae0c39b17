use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::tokens::take_in;

use crate::{
    error::LiquidationError,
    event::DisputeOpened,
    state::{Debt, Dispute, Fund, Liquidation, Verdict},
};

#[derive(Accounts)]
pub struct OpenDispute<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,
    #[account(mut, seeds = [b"fund"], bump = fund.bump, has_one = vault @ LiquidationError::WrongTokenAccount)]
    pub fund: Box<Account<'info, Fund>>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(
        mut, token::mint = fund.mint, token::authority = owner, constraint = source.key() != vault.key() @ LiquidationError::WrongTokenAccount
    )]
    pub source: Box<Account<'info, TokenAccount>>,
    #[account(
        mut, seeds = [b"liquidation", liquidation.user.as_ref(), liquidation.number.to_le_bytes().as_ref()], bump = liquidation.bump,
        has_one = owner @ LiquidationError::NotOwner
    )]
    pub liquidation: Box<Account<'info, Liquidation>>,
    #[account(init, payer = owner, space = 8 + Dispute::INIT_SPACE, seeds = [b"dispute", liquidation.key().as_ref()], bump)]
    pub dispute: Account<'info, Dispute>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

/// Who was liquidated may say once that it was wrong, under a bond.
pub(crate) fn handle(ctx: Context<OpenDispute>, claim_atoms: u64) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let accounts = ctx.accounts;
    let parameters = accounts.fund.parameters;
    let liquidation = &mut accounts.liquidation;
    require!(liquidation.steps > 0, LiquidationError::TooEarly);
    require!(!liquidation.disputed, LiquidationError::AlreadyDone);
    require!(now <= liquidation.stepped_at.saturating_add(parameters.dispute_s), LiquidationError::TooLate);
    require!((1..=parameters.award_atoms).contains(&claim_atoms), LiquidationError::OutsideBounds);
    liquidation.disputed = true;
    let decide_by = now.saturating_add(parameters.decision_s);
    accounts.dispute.set_inner(Dispute {
        liquidation: liquidation.key(),
        owner: accounts.owner.key(),
        bump: ctx.bumps.dispute,
        claim_atoms,
        bond_atoms: parameters.bond_atoms,
        decide_by,
        verdict: Verdict::Open,
        debt: Debt::default(),
    });
    accounts.fund.hold_bond(parameters.bond_atoms)?;
    take_in(&accounts.token_program, &accounts.source, &mut accounts.vault, &accounts.owner, parameters.bond_atoms)?;
    emit!(DisputeOpened { user: liquidation.user, number: liquidation.number, claim_atoms, decide_by });
    liquidation.invariant()?;
    accounts.dispute.invariant()?;
    accounts.fund.invariant(accounts.vault.amount)
}
