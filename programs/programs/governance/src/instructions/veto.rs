use anchor_lang::prelude::*;

use crate::{
    error::GovernanceError,
    event::ProposalVetoed,
    nonce::refuse_durable_nonce,
    state::{Governance, Proposal, ProposalState},
};

#[derive(Accounts)]
pub struct Veto<'info> {
    pub guardian: Signer<'info>,
    #[account(seeds = [b"governance"], bump = governance.bump, has_one = guardian @ GovernanceError::NotGuardian)]
    pub governance: Box<Account<'info, Governance>>,
    #[account(mut, seeds = [b"proposal", proposal.number.to_le_bytes().as_ref()], bump = proposal.bump)]
    pub proposal: Box<Account<'info, Proposal>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
}

/// At any time before the last instruction is executed; but nobody stays guardian by veto.
pub(crate) fn handle(ctx: Context<Veto>) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let proposal = &mut ctx.accounts.proposal;
    proposal.require_state(ProposalState::Voting)?;
    require!(!proposal.replaces_guardian, GovernanceError::NotVetoable);
    proposal.state = ProposalState::Vetoed;
    emit!(ProposalVetoed { proposal: proposal.number, guardian: ctx.accounts.guardian.key() });
    proposal.invariant()
}
