use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::ExchangeInitialised,
    state::{Exchange, ExchangeParameters, House, Phase},
};

#[derive(Accounts)]
pub struct Initialise<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    /// Who deploys holds the program's own key; nobody else can be first.
    #[account(address = crate::ID @ DexError::NotDeployer)]
    pub program: Signer<'info>,
    #[account(init, payer = payer, space = 8 + Exchange::INIT_SPACE, seeds = [b"exchange"], bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    pub system_program: Program<'info, System>,
}

/// `genesis_hash` names the cluster: orders signed for another one are refused.
pub(crate) fn handle(
    ctx: Context<Initialise>,
    authority: Pubkey,
    settler: Pubkey,
    custodian: Pubkey,
    genesis_hash: [u8; 32],
    parameters: ExchangeParameters,
) -> Result<()> {
    parameters.check()?;
    let clock = Clock::get()?;
    ctx.accounts.exchange.set_inner(Exchange {
        authority,
        offered_authority: Pubkey::default(),
        insurance_owner: authority,
        settler,
        custodian,
        genesis_hash,
        parameters,
        bump: ctx.bumps.exchange,
        phase: Phase::Live,
        phase_slot: clock.slot,
        phase_at: clock.unix_timestamp,
        last_seq: 0,
        last_hash: [0; 32],
        last_end_ms: 0,
        last_batch_slot: clock.slot,
        batch_open: false,
        chain_events: 0,
        final_epoch: 0,
        closing_deadline: 0,
        open_deadline: 0,
        closing_challenges: 0,
        open_challenges: 0,
        assets: 0,
        users: 0,
        valued_users: 0,
        claims_atoms: 0,
        house: House::default(),
        house_equity_atoms: 0,
        house_claims_atoms: 0,
        payable_atoms: 0,
    });
    emit!(ExchangeInitialised { authority, settler, custodian, genesis_hash });
    ctx.accounts.exchange.invariant()
}
