use anchor_lang::prelude::*;
use perp_dex::state::Exchange;

use crate::{
    error::GovernanceError,
    event::InstructionExecuted,
    nonce::refuse_durable_nonce,
    rules,
    signing::invoke_as_authority,
    state::{Governance, Kind, Proposal, StoredInstruction, AUTHORITY},
};

/// Anyone may execute what has passed and waited. Further accounts: the instruction's own, in its order.
#[derive(Accounts)]
#[instruction(index: u8)]
pub struct Execute<'info> {
    #[account(seeds = [b"governance"], bump = governance.bump)]
    pub governance: Box<Account<'info, Governance>>,
    /// CHECK: the one that signs what is executed.
    #[account(seeds = [AUTHORITY], bump = governance.authority_bump)]
    pub authority: UncheckedAccount<'info>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(mut, seeds = [b"proposal", proposal.number.to_le_bytes().as_ref()], bump = proposal.bump)]
    pub proposal: Box<Account<'info, Proposal>>,
    #[account(
        has_one = proposal @ GovernanceError::WrongAccounts, seeds = [b"instruction", proposal.key().as_ref(), &[index]], bump = stored.bump
    )]
    pub stored: Box<Account<'info, StoredInstruction>>,
    /// CHECK: the program that is called, as the instruction says.
    #[account(address = stored.instruction.program_id @ GovernanceError::WrongAccounts)]
    pub target: UncheckedAccount<'info>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
}

/// What is called may change governance, but not the proposal: it is written before, and no call of governance reaches one.
pub(crate) fn handle<'info>(ctx: Context<'info, Execute<'info>>, index: u8) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let now = Clock::get()?.unix_timestamp;
    let (governance, stored) = (&ctx.accounts.governance, &ctx.accounts.stored);
    let proposal = &mut ctx.accounts.proposal;
    proposal.require_executable(governance, governance.wait_s(proposal.kind, &ctx.accounts.exchange), now)?;
    proposal.advance(index)?;
    let (instruction, accounts) = (&stored.instruction, ctx.remaining_accounts);
    instruction.match_accounts(accounts)?;
    rules::keep_rights(instruction, accounts)?;
    let hash = stored.hash()?;
    require!(proposal.instruction_hashes.get(usize::from(index)) == Some(&hash), GovernanceError::WrongHash);
    let code_hash = rules::code_hash(instruction, accounts, ctx.accounts.authority.key)?;
    require!(code_hash == stored.code_hash, GovernanceError::WrongBuffer);
    if proposal.kind == Kind::Tightening {
        rules::require_tightening(&instruction.program_id, &instruction.data, accounts, now)?;
    }
    emit!(InstructionExecuted { proposal: proposal.number, index, hash });
    proposal.invariant()?;
    proposal.exit(&crate::ID)?;
    invoke_as_authority(&instruction.built(), accounts, &ctx.accounts.target, governance.authority_bump)
}
