use anchor_lang::prelude::*;
use perp_dex::state::Exchange;

use crate::{
    error::GovernanceError,
    event::VoteBegun,
    nonce::refuse_durable_nonce,
    state::{Governance, Proposal, ProposalState, Stake},
};

/// From here on nothing of the proposal changes, and no stake that comes in later votes.
#[derive(Accounts)]
pub struct BeginVote<'info> {
    pub proposer: Signer<'info>,
    #[account(seeds = [b"governance"], bump = governance.bump)]
    pub governance: Box<Account<'info, Governance>>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        mut, constraint = stake.owner == proposer.key() @ GovernanceError::NotOwner,
        seeds = [b"stake", proposer.key().as_ref(), stake.number.to_le_bytes().as_ref()], bump = stake.bump
    )]
    pub stake: Account<'info, Stake>,
    #[account(
        mut, has_one = proposer @ GovernanceError::NotProposer, seeds = [b"proposal", proposal.number.to_le_bytes().as_ref()],
        bump = proposal.bump
    )]
    pub proposal: Box<Account<'info, Proposal>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
}

pub(crate) fn handle(ctx: Context<BeginVote>) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let accounts = ctx.accounts;
    let (governance, proposal, stake) = (&accounts.governance, &mut accounts.proposal, &mut accounts.stake);
    proposal.require_state(ProposalState::Draft)?;
    require!(!proposal.instruction_hashes.is_empty(), GovernanceError::WrongCount);
    let wait_s = governance.wait_s(proposal.kind, &accounts.exchange);
    proposal.begin(governance, wait_s, &Clock::get()?)?;
    let committed = stake.commit(proposal)?;
    require!(committed >= governance.parameters.proposal_atoms, GovernanceError::StakeTooSmall);
    emit!(VoteBegun {
        proposal: proposal.number,
        hash: proposal.hash(),
        quorum_atoms: proposal.quorum_atoms,
        votes_until: proposal.votes_until,
        ready_at: proposal.ready_at,
        expires_at: proposal.expires_at,
    });
    proposal.invariant()
}
