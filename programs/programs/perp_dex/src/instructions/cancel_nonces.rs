use anchor_lang::prelude::*;

use super::register_key::in_ms;
use crate::{
    error::DexError,
    event::NoncesCancelled,
    state::{Exchange, User},
};

#[derive(Accounts)]
pub struct CancelNonces<'info> {
    pub owner: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        mut, seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump,
        has_one = owner @ DexError::NotOwner
    )]
    pub user: Box<Account<'info, User>>,
}

/// Cancel every signed order with a nonce below this, for ever.
pub(crate) fn handle(ctx: Context<CancelNonces>, min_nonce: u64) -> Result<()> {
    let user = &mut ctx.accounts.user;
    require!(min_nonce > user.min_nonce, DexError::OldNonce);
    user.min_nonce = min_nonce;
    user.min_nonce_ms = in_ms(Clock::get()?.unix_timestamp)?;
    let number = ctx.accounts.exchange.count_event()?;
    emit!(NoncesCancelled { number, user: user.key(), min_nonce });
    user.invariant()
}
