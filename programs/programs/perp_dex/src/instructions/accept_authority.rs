use anchor_lang::prelude::*;

use crate::{error::DexError, event::AuthorityAccepted, nonce::refuse_durable_nonce, state::Exchange};

#[derive(Accounts)]
pub struct AcceptAuthority<'info> {
    #[account(address = exchange.offered_authority @ DexError::NotAuthority)]
    pub authority: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
}

/// Until the offered one has signed itself the former stays: an address that nobody signs for never locks the exchange.
pub(crate) fn handle(ctx: Context<AcceptAuthority>) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let exchange = &mut ctx.accounts.exchange;
    let former = exchange.authority;
    exchange.authority = exchange.offered_authority;
    exchange.offered_authority = Pubkey::default();
    emit!(AuthorityAccepted { former, authority: exchange.authority });
    exchange.invariant()
}
