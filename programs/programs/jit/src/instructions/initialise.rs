use anchor_lang::prelude::*;
use perp_dex::state::{Asset, QUOTE};

use crate::{
    error::JitError,
    event::JitInitialised,
    state::{JitParameters, Terms},
};

#[derive(Accounts)]
pub struct Initialise<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    /// Who deploys holds the program's own key; nobody else can be first.
    #[account(address = crate::ID @ JitError::NotDeployer)]
    pub program: Signer<'info>,
    #[account(
        seeds = [b"asset", asset.mint.as_ref()], bump = asset.bump, seeds::program = perp_dex::ID,
        constraint = asset.index == QUOTE @ JitError::WrongAccounts
    )]
    pub asset: Box<Account<'info, Asset>>,
    #[account(init, payer = payer, space = 8 + Terms::INIT_SPACE, seeds = [b"terms"], bump)]
    pub terms: Account<'info, Terms>,
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle(ctx: Context<Initialise>, parameters: JitParameters) -> Result<()> {
    parameters.check()?;
    let mint = ctx.accounts.asset.mint;
    ctx.accounts.terms.set_inner(Terms { mint, bump: ctx.bumps.terms, parameters });
    emit!(JitInitialised { mint });
    Ok(())
}
