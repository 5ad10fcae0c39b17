use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::VoucherReturned,
    state::{Exchange, Voucher},
};

/// Once a voucher has expired the engine takes the withdrawal back; this makes sure that it can no longer be used.
#[derive(Accounts)]
pub struct ReturnVoucher<'info> {
    #[account(mut)]
    pub settler: Signer<'info>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, has_one = settler @ DexError::NotSettler)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        mut, close = settler, seeds = [b"voucher", voucher.user.as_ref(), voucher.number.to_le_bytes().as_ref()], bump = voucher.bump
    )]
    pub voucher: Account<'info, Voucher>,
}

pub(crate) fn handle(ctx: Context<ReturnVoucher>) -> Result<()> {
    let voucher = &ctx.accounts.voucher;
    require!(Clock::get()?.unix_timestamp > voucher.expires_at, DexError::TooEarly);
    emit!(VoucherReturned { user: voucher.user, voucher: voucher.number, asset: voucher.asset, amount: voucher.amount });
    Ok(())
}
