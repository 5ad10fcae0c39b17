use anchor_lang::prelude::*;
use anchor_spl::token::{self, Token, TokenAccount, Transfer};

pub const OWNER: &[u8] = b"pool_owner";

/// Move money in, under the owner's signature.
pub fn take_in<'info>(
    program: &Program<'info, Token>,
    source: &Account<'info, TokenAccount>,
    vault: &mut Account<'info, TokenAccount>,
    authority: &Signer<'info>,
    amount: u64,
) -> Result<()> {
    let transfer = Transfer { from: source.to_account_info(), to: vault.to_account_info(), authority: authority.to_account_info() };
    token::transfer(CpiContext::new(program.key(), transfer), amount)?;
    vault.reload()
}

/// Move money out, under the signature of the pool's own address.
pub fn pay_out<'info>(
    program: &Program<'info, Token>,
    seeds: &[&[&[u8]]],
    owner: &UncheckedAccount<'info>,
    vault: &mut Account<'info, TokenAccount>,
    destination: &Account<'info, TokenAccount>,
    amount: u64,
) -> Result<()> {
    let transfer = Transfer { from: vault.to_account_info(), to: destination.to_account_info(), authority: owner.to_account_info() };
    token::transfer(CpiContext::new_with_signer(program.key(), transfer, seeds), amount)?;
    vault.reload()
}
