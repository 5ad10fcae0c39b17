use anchor_lang::prelude::*;

use crate::{error::OracleError, event::AuthorityAccepted, feed::Oracle, nonce::is_on_durable_nonce};

#[derive(Accounts)]
pub struct AcceptAuthority<'info> {
    #[account(address = oracle.offered_authority @ OracleError::NotAuthority)]
    pub authority: Signer<'info>,
    #[account(mut, seeds = [b"oracle"], bump = oracle.bump)]
    pub oracle: Account<'info, Oracle>,
    /// CHECK: the sysvar, by its address.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
}

/// Until the offered one has signed itself the former stays.
pub(crate) fn handle(ctx: Context<AcceptAuthority>) -> Result<()> {
    require!(!is_on_durable_nonce(&ctx.accounts.instructions), OracleError::DurableNonce);
    let oracle = &mut ctx.accounts.oracle;
    let former = oracle.authority;
    oracle.authority = oracle.offered_authority;
    oracle.offered_authority = Pubkey::default();
    emit!(AuthorityAccepted { former, authority: oracle.authority });
    Ok(())
}
