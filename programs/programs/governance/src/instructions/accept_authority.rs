use anchor_lang::{
    prelude::*,
    solana_program::instruction::{AccountMeta, Instruction},
    Discriminator,
};

use crate::{
    error::GovernanceError,
    event::AuthorityAccepted,
    signing::invoke_as_authority,
    state::{Governance, AUTHORITY},
};

/// Anyone may let governance accept what it was offered: the exchange or the oracle, which ask for its signature and nothing else.
#[derive(Accounts)]
pub struct AcceptAuthority<'info> {
    #[account(seeds = [b"governance"], bump = governance.bump)]
    pub governance: Box<Account<'info, Governance>>,
    /// CHECK: the one that signs what is executed.
    #[account(seeds = [AUTHORITY], bump = governance.authority_bump)]
    pub authority: UncheckedAccount<'info>,
    /// CHECK: the program whose authority is offered.
    #[account(constraint = [perp_dex::ID, oracle::ID].contains(target.key) @ GovernanceError::NotAllowed)]
    pub target: UncheckedAccount<'info>,
    /// CHECK: where the program keeps who its authority is; it asks whether this is the place.
    #[account(mut)]
    pub holder: UncheckedAccount<'info>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
}

/// Not before there is stake enough to decide anything: what governance holds it never hands on.
pub(crate) fn handle(ctx: Context<AcceptAuthority>) -> Result<()> {
    let accounts = ctx.accounts;
    let governance = &accounts.governance;
    require!(governance.staked_atoms >= governance.parameters.quorum_atoms, GovernanceError::StakeTooSmall);
    let program_id = accounts.target.key();
    let metas = vec![
        AccountMeta::new_readonly(accounts.authority.key(), true),
        AccountMeta::new(accounts.holder.key(), false),
        AccountMeta::new_readonly(accounts.instructions.key(), false),
    ];
    // Both programs call it the same, and take the same accounts.
    let data = perp_dex::instruction::AcceptAuthority::DISCRIMINATOR.to_vec();
    let infos = [accounts.authority.to_account_info(), accounts.holder.to_account_info(), accounts.instructions.to_account_info()];
    emit!(AuthorityAccepted { program_id });
    invoke_as_authority(&Instruction { program_id, accounts: metas, data }, &infos, &accounts.target, governance.authority_bump)
}
