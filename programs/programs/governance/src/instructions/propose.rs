use anchor_lang::prelude::*;

use crate::{
    error::GovernanceError,
    event::Proposed,
    nonce::refuse_durable_nonce,
    state::{Governance, Kind, Proposal, ProposalState, Stake},
};

/// A draft: its instructions follow one by one, then the vote.
#[derive(Accounts)]
pub struct Propose<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,
    #[account(mut, seeds = [b"governance"], bump = governance.bump)]
    pub governance: Box<Account<'info, Governance>>,
    #[account(
        has_one = owner @ GovernanceError::NotOwner, seeds = [b"stake", owner.key().as_ref(), stake.number.to_le_bytes().as_ref()],
        bump = stake.bump
    )]
    pub stake: Account<'info, Stake>,
    #[account(
        init, payer = owner, space = 8 + Proposal::INIT_SPACE,
        seeds = [b"proposal", governance.proposals.saturating_add(1).to_le_bytes().as_ref()], bump
    )]
    pub proposal: Box<Account<'info, Proposal>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle(ctx: Context<Propose>, kind: Kind) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let accounts = ctx.accounts;
    require!(accounts.stake.amount_atoms >= accounts.governance.parameters.proposal_atoms, GovernanceError::StakeTooSmall);
    let (number, proposer) = (accounts.governance.count_proposal()?, accounts.owner.key());
    accounts.proposal.set_inner(Proposal {
        number,
        bump: ctx.bumps.proposal,
        proposer,
        kind,
        state: ProposalState::Draft,
        instruction_hashes: Vec::new(),
        replaces_guardian: true,
        epoch: 0,
        begun_slot: 0,
        votes_until: 0,
        ready_at: 0,
        expires_at: 0,
        locks_until: 0,
        staked_atoms: 0,
        quorum_atoms: 0,
        majority_ppm: 0,
        yes_atoms: 0,
        no_atoms: 0,
        executed: 0,
    });
    emit!(Proposed { proposal: number, proposer, kind });
    accounts.proposal.invariant()
}
