use anchor_lang::prelude::*;

use crate::{error::OracleError, event::OracleInitialised, feed::Oracle};

#[derive(Accounts)]
pub struct Initialise<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    /// Who deploys holds the program's own key; nobody else can be first.
    #[account(address = crate::ID @ OracleError::NotDeployer)]
    pub program: Signer<'info>,
    #[account(init, payer = payer, space = 8 + Oracle::INIT_SPACE, seeds = [b"oracle"], bump)]
    pub oracle: Account<'info, Oracle>,
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle(ctx: Context<Initialise>, authority: Pubkey) -> Result<()> {
    ctx.accounts.oracle.set_inner(Oracle { authority, offered_authority: Pubkey::default(), bump: ctx.bumps.oracle });
    emit!(OracleInitialised { authority });
    Ok(())
}
