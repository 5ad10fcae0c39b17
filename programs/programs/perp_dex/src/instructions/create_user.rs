use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::UserCreated,
    state::{Exchange, Holdings, Pending, Phase, User},
};

/// Anyone may pay for anybody's account: it is the owner's alone.
#[derive(Accounts)]
#[instruction(owner: Pubkey, sub_account: u16)]
pub struct CreateUser<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        init, payer = payer, space = 8 + User::INIT_SPACE, seeds = [b"user", owner.as_ref(), sub_account.to_le_bytes().as_ref()], bump
    )]
    pub user: Box<Account<'info, User>>,
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle(ctx: Context<CreateUser>, owner: Pubkey, sub_account: u16) -> Result<()> {
    let exchange = &mut ctx.accounts.exchange;
    // The number of accounts to value is fixed when the exchange freezes.
    exchange.require_phase(&[Phase::Live, Phase::Fallback])?;
    exchange.users = exchange.users.checked_add(1).ok_or(DexError::Overflow)?;
    ctx.accounts.user.set_inner(User {
        owner,
        sub_account,
        bump: ctx.bumps.user,
        holdings: Holdings::default(),
        pending: [Pending::default(); 2],
        principal_atoms: 0,
        deposits: 0,
        vouchers: 0,
        min_nonce: 0,
        min_nonce_ms: 0,
        exit_requested_at: 0,
        exit_paid: false,
        valued: false,
        claim_atoms: 0,
        escaped: 0,
    });
    emit!(UserCreated { user: ctx.accounts.user.key(), owner, sub_account });
    exchange.invariant()?;
    ctx.accounts.user.invariant()
}
