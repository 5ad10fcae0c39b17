use anchor_lang::prelude::*;

use crate::{error::OracleError, event::AuthorityOffered, feed::Oracle, nonce::is_on_durable_nonce};

#[derive(Accounts)]
pub struct OfferAuthority<'info> {
    pub authority: Signer<'info>,
    #[account(mut, seeds = [b"oracle"], bump = oracle.bump, has_one = authority @ OracleError::NotAuthority)]
    pub oracle: Account<'info, Oracle>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
}

/// The last offer counts until it is accepted; the system program's address, which nobody signs for, takes it back.
pub(crate) fn handle(ctx: Context<OfferAuthority>, offered: Pubkey) -> Result<()> {
    require!(!is_on_durable_nonce(&ctx.accounts.instructions), OracleError::DurableNonce);
    let oracle = &mut ctx.accounts.oracle;
    oracle.offered_authority = offered;
    emit!(AuthorityOffered { authority: oracle.authority, offered });
    Ok(())
}
