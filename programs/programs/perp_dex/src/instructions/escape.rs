use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use fixed_point::mul_div_floor;

use crate::{
    error::DexError,
    event::Escaped,
    state::{Asset, Exchange, Phase, User, QUOTE},
    tokens::pay_out,
};

/// Anyone may send an account's share to its owner, once for each asset.
#[derive(Accounts)]
pub struct Escape<'info> {
    #[account(seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(mut, seeds = [b"asset", asset.mint.as_ref()], bump = asset.bump, has_one = vault @ DexError::WrongTokenAccount)]
    pub asset: Box<Account<'info, Asset>>,
    /// CHECK: the vault's own authority, an address of this program.
    #[account(seeds = [b"vault_authority", asset.mint.as_ref()], bump = asset.authority_bump)]
    pub vault_authority: UncheckedAccount<'info>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(
        mut, token::mint = asset.mint, token::authority = user.owner, constraint = destination.key() != vault.key() @ DexError::WrongTokenAccount
    )]
    pub destination: Box<Account<'info, TokenAccount>>,
    #[account(mut, seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump)]
    pub user: Box<Account<'info, User>>,
    pub token_program: Program<'info, Token>,
}

impl Escape<'_> {
    /// In quote the claim after the one haircut of all; of other assets the whole balance, which nobody can owe.
    fn share(&self) -> Result<u64> {
        let (claims, payable) = (self.exchange.claims_atoms, self.exchange.payable_atoms);
        if self.asset.index != QUOTE {
            let balance = self.user.holdings.balances[usize::from(self.asset.index)];
            return u64::try_from(balance).map_err(|_| DexError::Overdrawn.into());
        }
        if self.user.is_insurance(&self.exchange) {
            return Ok(self.user.claim_atoms.min(payable.saturating_sub(claims)));
        }
        let claim = self.claim()?;
        if claims <= payable {
            return Ok(claim);
        }
        let share = mul_div_floor(u128::from(claim), u128::from(payable), u128::from(claims)).map_err(DexError::from)?;
        u64::try_from(share).map_err(|_| DexError::Overflow.into())
    }

    /// The custodian's accounts claim together no more than they are worth together: one haircut of their own before that of all.
    fn claim(&self) -> Result<u64> {
        let (claim, all) = (u128::from(self.user.claim_atoms), self.exchange.house_claims_atoms);
        if !self.user.is_custodied(&self.exchange) || all == 0 {
            return Ok(self.user.claim_atoms);
        }
        let part = mul_div_floor(claim, u128::from(self.exchange.house_payable_atoms()?), all).map_err(DexError::from)?;
        u64::try_from(part).map_err(|_| DexError::Overflow.into())
    }
}

pub(crate) fn handle(ctx: Context<Escape>) -> Result<()> {
    let accounts = ctx.accounts;
    accounts.exchange.require_phase(&[Phase::Escaping])?;
    let bit = 1u8.checked_shl(u32::from(accounts.asset.index)).ok_or(DexError::Overflow)?;
    require!(accounts.user.escaped & bit == 0, DexError::AlreadyDone);
    let amount = accounts.share()?;
    accounts.user.escaped |= bit;
    accounts.asset.remove(amount)?;
    let seeds: &[&[u8]] = &[b"vault_authority", accounts.asset.mint.as_ref(), &[accounts.asset.authority_bump]];
    pay_out(
        &accounts.token_program,
        accounts.vault_authority.to_account_info(),
        seeds,
        &mut accounts.vault,
        &accounts.destination,
        amount,
    )?;
    emit!(Escaped { user: accounts.user.key(), asset: accounts.asset.index, amount });
    accounts.asset.invariant(accounts.vault.amount)
}
