use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::VoucherGranted,
    state::{Exchange, Phase, User, Voucher},
};

#[derive(Accounts)]
#[instruction(number: u64)]
pub struct GrantVoucher<'info> {
    #[account(mut)]
    pub settler: Signer<'info>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, has_one = settler @ DexError::NotSettler)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(mut, seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump)]
    pub user: Box<Account<'info, User>>,
    #[account(
        init, payer = settler, space = 8 + Voucher::INIT_SPACE, seeds = [b"voucher", user.key().as_ref(), number.to_le_bytes().as_ref()], bump
    )]
    pub voucher: Account<'info, Voucher>,
    pub system_program: Program<'info, System>,
}

/// Numbers rise by one, so that a used voucher's address never holds another.
pub(crate) fn handle(ctx: Context<GrantVoucher>, number: u64, asset: u8, amount: u64, expires_at: i64) -> Result<()> {
    ctx.accounts.exchange.require_phase(&[Phase::Live])?;
    require!(amount > 0, DexError::ZeroAmount);
    require!(asset < ctx.accounts.exchange.assets, DexError::BadParameters);
    require!(expires_at > Clock::get()?.unix_timestamp, DexError::TooLate);
    let user = &mut ctx.accounts.user;
    require!(user.vouchers.checked_add(1) == Some(number), DexError::WrongNumber);
    user.vouchers = number;
    ctx.accounts.voucher.set_inner(Voucher { user: user.key(), number, asset, amount, expires_at, bump: ctx.bumps.voucher });
    emit!(VoucherGranted { user: user.key(), voucher: number, asset, amount, expires_at });
    user.invariant()
}
