use anchor_lang::prelude::*;

use crate::{
    error::GovernanceError,
    event::Voted,
    nonce::refuse_durable_nonce,
    state::{Governance, Proposal, ProposalState, Stake, Vote},
};

#[derive(Accounts)]
pub struct CastVote<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,
    #[account(seeds = [b"governance"], bump = governance.bump)]
    pub governance: Box<Account<'info, Governance>>,
    #[account(
        mut, has_one = owner @ GovernanceError::NotOwner,
        seeds = [b"stake", owner.key().as_ref(), stake.number.to_le_bytes().as_ref()], bump = stake.bump
    )]
    pub stake: Account<'info, Stake>,
    #[account(mut, seeds = [b"proposal", proposal.number.to_le_bytes().as_ref()], bump = proposal.bump)]
    pub proposal: Box<Account<'info, Proposal>>,
    #[account(
        init, payer = owner, space = 8 + Vote::INIT_SPACE, seeds = [b"vote", proposal.key().as_ref(), stake.key().as_ref()], bump
    )]
    pub vote: Account<'info, Vote>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

/// `hash` is what the voter has read.
pub(crate) fn handle(ctx: Context<CastVote>, approves: bool, hash: [u8; 32]) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let accounts = ctx.accounts;
    let proposal = &mut accounts.proposal;
    proposal.require_state(ProposalState::Voting)?;
    require!(proposal.epoch == accounts.governance.epoch, GovernanceError::Outdated);
    require!(Clock::get()?.unix_timestamp <= proposal.votes_until, GovernanceError::Expired);
    require!(proposal.hash() == hash, GovernanceError::WrongHash);
    let atoms = accounts.stake.commit(proposal)?;
    proposal.count(approves, atoms)?;
    let stake = accounts.stake.key();
    accounts.vote.set_inner(Vote { proposal: proposal.key(), stake, approves, atoms, bump: ctx.bumps.vote });
    emit!(Voted { proposal: proposal.number, stake, approves, atoms });
    proposal.invariant()
}
