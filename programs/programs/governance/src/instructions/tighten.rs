use anchor_lang::{
    prelude::*,
    solana_program::instruction::{AccountMeta, Instruction},
};
use solana_sha256_hasher::hash;

use crate::{
    error::GovernanceError,
    event::Tightened,
    nonce::refuse_durable_nonce,
    rules,
    signing::invoke_as_authority,
    state::{Governance, AUTHORITY},
};

/// The guardian tightens at once. Further accounts: those of the instruction.
#[derive(Accounts)]
pub struct Tighten<'info> {
    pub guardian: Signer<'info>,
    #[account(seeds = [b"governance"], bump = governance.bump, has_one = guardian @ GovernanceError::NotGuardian)]
    pub governance: Box<Account<'info, Governance>>,
    /// CHECK: the one that signs what is executed.
    #[account(seeds = [AUTHORITY], bump = governance.authority_bump)]
    pub authority: UncheckedAccount<'info>,
    /// CHECK: the program that is called; the rules name which may be.
    pub target: UncheckedAccount<'info>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
}

pub(crate) fn handle<'info>(ctx: Context<'info, Tighten<'info>>, data: Vec<u8>) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let (program_id, authority) = (ctx.accounts.target.key(), ctx.accounts.authority.key());
    rules::require_tightening(&program_id, &data, ctx.remaining_accounts, Clock::get()?.unix_timestamp)?;
    emit!(Tightened { guardian: ctx.accounts.guardian.key(), program_id, hash: hash(&data).to_bytes() });
    let meta = |info: &AccountInfo| AccountMeta { pubkey: *info.key, is_signer: *info.key == authority, is_writable: info.is_writable };
    let instruction = Instruction { program_id, accounts: ctx.remaining_accounts.iter().map(meta).collect(), data };
    invoke_as_authority(&instruction, ctx.remaining_accounts, &ctx.accounts.target, ctx.accounts.governance.authority_bump)
}
