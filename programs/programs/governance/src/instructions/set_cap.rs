use anchor_lang::prelude::*;
use perp_dex::state::Exchange;

use crate::{
    event::CapSet,
    state::{Governance, Kind, Treasury, AUTHORITY},
};

#[derive(Accounts)]
pub struct SetCap<'info> {
    #[account(seeds = [b"governance"], bump = governance.bump)]
    pub governance: Box<Account<'info, Governance>>,
    /// Signs when a proposal is executed, never else.
    #[account(seeds = [AUTHORITY], bump = governance.authority_bump)]
    pub authority: Signer<'info>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(mut, seeds = [b"treasury", treasury.mint.as_ref()], bump = treasury.bump)]
    pub treasury: Box<Account<'info, Treasury>>,
}

/// A higher cap waits once more after its proposal was executed.
pub(crate) fn handle(ctx: Context<SetCap>, cap_day_atoms: u64) -> Result<()> {
    let wait_s = ctx.accounts.governance.wait_s(Kind::Loosening, &ctx.accounts.exchange);
    let treasury = &mut ctx.accounts.treasury;
    treasury.set_cap(cap_day_atoms, Clock::get()?.unix_timestamp, wait_s);
    emit!(CapSet {
        mint: treasury.mint,
        cap_day_atoms: treasury.cap_day_atoms,
        next_cap_atoms: treasury.next_cap_atoms,
        next_cap_at: treasury.next_cap_at,
    });
    treasury.invariant()
}
