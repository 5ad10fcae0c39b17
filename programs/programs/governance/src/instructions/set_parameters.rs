use anchor_lang::prelude::*;

use crate::{
    event::ParametersSet,
    state::{Governance, Parameters, AUTHORITY},
};

#[derive(Accounts)]
pub struct SetParameters<'info> {
    #[account(mut, seeds = [b"governance"], bump = governance.bump)]
    pub governance: Box<Account<'info, Governance>>,
    /// Signs when a proposal is executed, never else.
    #[account(seeds = [AUTHORITY], bump = governance.authority_bump)]
    pub authority: Signer<'info>,
}

pub(crate) fn handle(ctx: Context<SetParameters>, parameters: Parameters) -> Result<()> {
    parameters.check()?;
    let governance = &mut ctx.accounts.governance;
    governance.parameters = parameters;
    governance.turn_epoch()?;
    emit!(ParametersSet { epoch: governance.epoch, parameters });
    Ok(())
}
