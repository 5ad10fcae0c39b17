use anchor_lang::prelude::*;

use crate::{
    error::GovernanceError,
    event::CapSet,
    nonce::refuse_durable_nonce,
    state::{Governance, Treasury},
};

/// The guardian lowers a cap at once; the same cap again takes a higher one that waits off the list.
#[derive(Accounts)]
pub struct LowerCap<'info> {
    pub guardian: Signer<'info>,
    #[account(seeds = [b"governance"], bump = governance.bump, has_one = guardian @ GovernanceError::NotGuardian)]
    pub governance: Box<Account<'info, Governance>>,
    #[account(mut, seeds = [b"treasury", treasury.mint.as_ref()], bump = treasury.bump)]
    pub treasury: Box<Account<'info, Treasury>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
}

pub(crate) fn handle(ctx: Context<LowerCap>, cap_day_atoms: u64) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let now = Clock::get()?.unix_timestamp;
    let treasury = &mut ctx.accounts.treasury;
    treasury.begin_cap(now);
    require!(cap_day_atoms <= treasury.cap_day_atoms, GovernanceError::NotLower);
    treasury.set_cap(cap_day_atoms, now, 0);
    emit!(CapSet { mint: treasury.mint, cap_day_atoms, next_cap_atoms: 0, next_cap_at: 0 });
    treasury.invariant()
}
