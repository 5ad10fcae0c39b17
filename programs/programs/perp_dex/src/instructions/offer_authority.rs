use anchor_lang::prelude::*;

use crate::{error::DexError, event::AuthorityOffered, nonce::refuse_durable_nonce, state::Exchange};

#[derive(Accounts)]
pub struct OfferAuthority<'info> {
    pub authority: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump, has_one = authority @ DexError::NotAuthority)]
    pub exchange: Box<Account<'info, Exchange>>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
}

/// The last offer counts until it is accepted; the system program's address, which nobody signs for, takes it back. It loosens nothing: what
/// the authority may loosen waits as long under the next one, and what waits already goes on waiting.
pub(crate) fn handle(ctx: Context<OfferAuthority>, offered: Pubkey) -> Result<()> {
    refuse_durable_nonce(&ctx.accounts.instructions)?;
    let exchange = &mut ctx.accounts.exchange;
    exchange.offered_authority = offered;
    emit!(AuthorityOffered { authority: exchange.authority, offered });
    exchange.invariant()
}
