use anchor_lang::prelude::*;

use crate::{
    event::GuardianSet,
    state::{Governance, AUTHORITY},
};

#[derive(Accounts)]
pub struct SetGuardian<'info> {
    #[account(mut, seeds = [b"governance"], bump = governance.bump)]
    pub governance: Box<Account<'info, Governance>>,
    /// Signs when a proposal is executed, never else.
    #[account(seeds = [AUTHORITY], bump = governance.authority_bump)]
    pub authority: Signer<'info>,
}

/// The system program's address, which nobody signs for, stands for no guardian.
pub(crate) fn handle(ctx: Context<SetGuardian>, guardian: Pubkey) -> Result<()> {
    let governance = &mut ctx.accounts.governance;
    governance.guardian = guardian;
    governance.turn_epoch()?;
    emit!(GuardianSet { epoch: governance.epoch, guardian });
    Ok(())
}
