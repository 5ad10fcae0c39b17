use anchor_lang::prelude::*;

use crate::{
    error::GovernanceError,
    event::ProposalCancelled,
    nonce::refuse_durable_nonce,
    state::{Proposal, ProposalState},
};

#[derive(Accounts)]
pub struct Cancel<'info> {
    pub proposer: Signer<'info>,
    #[account(
        mut, has_one = proposer @ GovernanceError::NotProposer, seeds = [b"proposal", proposal.number.to_le_bytes().as_ref()],
        bump = proposal.bump
    )]
    pub proposal: Box<Account<'info, Proposal>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
}

/// Once the vote has ended the proposal is the voters'.
pub(crate) fn handle(ctx: Context<Cancel>) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let proposal = &mut ctx.accounts.proposal;
    let open = match proposal.state {
        ProposalState::Draft => true,
        ProposalState::Voting => proposal.executed == 0,
        _ => false,
    };
    require!(open, GovernanceError::WrongState);
    require!(proposal.state == ProposalState::Draft || Clock::get()?.unix_timestamp <= proposal.votes_until, GovernanceError::Expired);
    proposal.state = ProposalState::Cancelled;
    emit!(ProposalCancelled { proposal: proposal.number });
    proposal.invariant()
}
