use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::PhaseChanged,
    state::{Challenge, Exchange, Phase},
};

/// Anyone may say that the time is up. The batch, and every other that is not final, is void.
#[derive(Accounts)]
pub struct FreezeUnanswered<'info> {
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        mut, seeds = [b"challenge", challenge.seq.to_le_bytes().as_ref(), challenge.user.as_ref()], bump = challenge.bump,
        has_one = challenger @ DexError::WrongAccounts, constraint = !challenge.answered @ DexError::AlreadyDone
    )]
    pub challenge: Box<Account<'info, Challenge>>,
    /// CHECK: gets the bond back.
    #[account(mut)]
    pub challenger: UncheckedAccount<'info>,
}

pub(crate) fn handle(ctx: Context<FreezeUnanswered>) -> Result<()> {
    let clock = Clock::get()?;
    let (exchange, challenge) = (&mut ctx.accounts.exchange, &mut ctx.accounts.challenge);
    require!(challenge.proven || exchange.is_frozen(), DexError::BadProof);
    require!(clock.unix_timestamp > challenge.deadline, DexError::TooEarly);
    challenge.answered = true;
    challenge.sub_lamports(challenge.bond_lamports)?;
    ctx.accounts.challenger.add_lamports(challenge.bond_lamports)?;
    // In a frozen exchange this only gives the bond back.
    if !exchange.is_frozen() {
        exchange.enter(Phase::Frozen, &clock);
        emit!(PhaseChanged { phase: Phase::Frozen, slot: clock.slot, final_epoch: exchange.final_epoch });
    }
    exchange.invariant()
}
