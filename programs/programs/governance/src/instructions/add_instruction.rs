use anchor_lang::prelude::*;

use crate::{
    error::GovernanceError,
    event::InstructionAdded,
    nonce::refuse_durable_nonce,
    rules,
    state::{Governance, Proposal, ProposalState, ProposedInstruction, StoredInstruction, AUTHORITY, MAX_INSTRUCTIONS},
};

/// Further account: an upgrade's buffer.
#[derive(Accounts)]
#[instruction(instruction: ProposedInstruction)]
pub struct AddInstruction<'info> {
    #[account(mut)]
    pub proposer: Signer<'info>,
    #[account(seeds = [b"governance"], bump = governance.bump)]
    pub governance: Box<Account<'info, Governance>>,
    /// CHECK: the one that signs what is executed.
    #[account(seeds = [AUTHORITY], bump = governance.authority_bump)]
    pub authority: UncheckedAccount<'info>,
    #[account(
        mut, has_one = proposer @ GovernanceError::NotProposer, seeds = [b"proposal", proposal.number.to_le_bytes().as_ref()],
        bump = proposal.bump
    )]
    pub proposal: Box<Account<'info, Proposal>>,
    #[account(
        init, payer = proposer, space = StoredInstruction::space(&instruction),
        seeds = [b"instruction", proposal.key().as_ref(), &[proposal.instruction_hashes.len() as u8]], bump
    )]
    pub stored: Box<Account<'info, StoredInstruction>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle<'info>(ctx: Context<'info, AddInstruction<'info>>, instruction: ProposedInstruction) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let authority = ctx.accounts.authority.key();
    let proposal = &mut ctx.accounts.proposal;
    proposal.require_state(ProposalState::Draft)?;
    require!(proposal.instruction_hashes.len() < MAX_INSTRUCTIONS, GovernanceError::WrongCount);
    rules::check(proposal.kind, &instruction, &authority)?;
    let code_hash = rules::code_hash(&instruction, ctx.remaining_accounts, &authority)?;
    let (program_id, hash) = (instruction.program_id, instruction.hash(&code_hash)?);
    let index = u8::try_from(proposal.instruction_hashes.len()).map_err(|_| GovernanceError::Overflow)?;
    proposal.replaces_guardian &= rules::replaces_guardian(&instruction);
    proposal.instruction_hashes.push(hash);
    ctx.accounts.stored.set_inner(StoredInstruction { proposal: proposal.key(), index, bump: ctx.bumps.stored, code_hash, instruction });
    emit!(InstructionAdded { proposal: proposal.number, index, program_id, hash });
    proposal.invariant()
}
