//! Tokens into a vault and out of it: the one place for it, of every program that keeps any.

use anchor_lang::prelude::*;
use anchor_spl::token::{self, Token, TokenAccount, Transfer};

/// Move tokens in, under their owner's signature.
pub fn take_in<'info>(
    program: &Program<'info, Token>,
    source: &Account<'info, TokenAccount>,
    vault: &mut Account<'info, TokenAccount>,
    owner: &Signer<'info>,
    amount: u64,
) -> Result<()> {
    let transfer = Transfer { from: source.to_account_info(), to: vault.to_account_info(), authority: owner.to_account_info() };
    token::transfer(CpiContext::new(program.key(), transfer), amount)?;
    vault.reload()
}

/// Move tokens out, under the signature of the address that owns the vault.
pub fn pay_out<'info>(
    program: &Program<'info, Token>,
    authority: AccountInfo<'info>,
    seeds: &[&[u8]],
    vault: &mut Account<'info, TokenAccount>,
    destination: &Account<'info, TokenAccount>,
    amount: u64,
) -> Result<()> {
    let transfer = Transfer { from: vault.to_account_info(), to: destination.to_account_info(), authority };
    token::transfer(CpiContext::new_with_signer(program.key(), transfer, &[seeds]), amount)?;
    vault.reload()
}
