use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use perp_dex::state::Exchange;

use crate::{
    error::GovernanceError,
    event::GovernanceInitialised,
    state::{Governance, Parameters, AUTHORITY},
};

#[derive(Accounts)]
pub struct Initialise<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    /// Who deploys holds the program's own key; nobody else can be first.
    #[account(address = crate::ID @ GovernanceError::NotDeployer)]
    pub program: Signer<'info>,
    #[account(init, payer = payer, space = 8 + Governance::INIT_SPACE, seeds = [b"governance"], bump)]
    pub governance: Box<Account<'info, Governance>>,
    /// CHECK: an address that only this program signs for.
    #[account(seeds = [AUTHORITY], bump)]
    pub authority: UncheckedAccount<'info>,
    /// Whose exits every loosening waits for.
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    pub stake_mint: Box<Account<'info, Mint>>,
    /// CHECK: an address that only this program signs for; it holds nothing.
    #[account(seeds = [b"stake_authority"], bump)]
    pub stake_authority: UncheckedAccount<'info>,
    #[account(init, payer = payer, seeds = [b"stake_vault"], bump, token::mint = stake_mint, token::authority = stake_authority)]
    pub stake_vault: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle(ctx: Context<Initialise>, guardian: Pubkey, parameters: Parameters) -> Result<()> {
    parameters.check()?;
    let accounts = ctx.accounts;
    accounts.governance.set_inner(Governance {
        guardian,
        stake_mint: accounts.stake_mint.key(),
        stake_vault: accounts.stake_vault.key(),
        parameters,
        epoch: 1,
        proposals: 0,
        staked_atoms: 0,
        bump: ctx.bumps.governance,
        authority_bump: ctx.bumps.authority,
        stake_authority_bump: ctx.bumps.stake_authority,
    });
    emit!(GovernanceInitialised { guardian, stake_mint: accounts.stake_mint.key(), parameters });
    accounts.governance.invariant(accounts.stake_vault.amount)
}
