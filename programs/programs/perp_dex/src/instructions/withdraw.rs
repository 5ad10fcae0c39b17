use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};

use crate::{
    error::DexError,
    event::Withdrawn,
    health::{markets_of, withdrawable},
    state::{Asset, Exchange, Phase, User, Voucher, QUOTE},
    tokens::pay_out,
};

/// Live, a voucher says that the engine has debited the amount; in fallback the owner needs nobody. Further accounts: the markets of all
/// positions, final and pending.
#[derive(Accounts)]
pub struct Withdraw<'info> {
    /// The owner, or the settler who pays out an exit.
    pub signer: Signer<'info>,
    /// CHECK: gets the rent of a used voucher.
    #[account(mut, address = exchange.settler @ DexError::NotSettler)]
    pub settler: UncheckedAccount<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
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
    #[account(
        mut, close = settler, seeds = [b"voucher", user.key().as_ref(), voucher.number.to_le_bytes().as_ref()], bump = voucher.bump
    )]
    pub voucher: Option<Account<'info, Voucher>>,
    pub token_program: Program<'info, Token>,
}

impl Withdraw<'_> {
    fn check_permission(&self, amount: u64, now: i64) -> Result<u64> {
        let signer = self.signer.key();
        let pays_exit = signer == self.exchange.settler && self.user.exit_is_open();
        require!(signer == self.user.owner || pays_exit, DexError::NotOwner);
        match &self.voucher {
            Some(voucher) => {
                require!(voucher.asset == self.asset.index && voucher.amount == amount, DexError::WrongVoucher);
                require!(now <= voucher.expires_at, DexError::TooLate);
                Ok(voucher.number)
            }
            None => {
                self.exchange.require_phase(&[Phase::Fallback])?;
                require!(!self.exchange.batch_open, DexError::WrongBatch);
                Ok(0)
            }
        }
    }

    fn debit(&mut self, amount: u64, now: i64) -> Result<()> {
        let signed = i64::try_from(amount).map_err(|_| DexError::Overflow)?;
        self.asset.take_from_limits(amount, now)?;
        self.asset.remove(amount)?;
        self.user.holdings.add_balance(self.asset.index, signed.checked_neg().ok_or(DexError::Overflow)?)?;
        if self.asset.index == QUOTE && self.user.is_custodied(&self.exchange) {
            self.exchange.house.add_quote(signed.checked_neg().ok_or(DexError::Overflow)?)?;
            self.exchange.house.require_solvent()?;
        }
        if self.asset.index == QUOTE {
            self.user.principal_atoms = self.user.principal_atoms.checked_sub(signed).ok_or(DexError::Overflow)?;
        }
        self.user.note_exit();
        Ok(())
    }

    fn transfer(&mut self, amount: u64) -> Result<()> {
        let seeds: &[&[u8]] = &[b"vault_authority", self.asset.mint.as_ref(), &[self.asset.authority_bump]];
        pay_out(&self.token_program, self.vault_authority.to_account_info(), seeds, &mut self.vault, &self.destination, amount)
    }
}

pub(crate) fn handle<'info>(ctx: Context<'info, Withdraw<'info>>, amount: u64) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let markets = markets_of(ctx.remaining_accounts)?;
    let accounts = ctx.accounts;
    accounts.exchange.require_phase(&[Phase::Live, Phase::Fallback])?;
    require!(amount > 0, DexError::ZeroAmount);
    let voucher = accounts.check_permission(amount, now)?;
    accounts.user.settle(&accounts.exchange)?;
    require!(amount <= withdrawable(&accounts.user, accounts.asset.index, &markets, now)?, DexError::NotWithdrawable);
    accounts.debit(amount, now)?;
    accounts.transfer(amount)?;
    let number = accounts.exchange.count_event()?;
    emit!(Withdrawn { number, user: accounts.user.key(), asset: accounts.asset.index, amount, voucher });
    accounts.asset.invariant(accounts.vault.amount)?;
    accounts.user.invariant()
}
