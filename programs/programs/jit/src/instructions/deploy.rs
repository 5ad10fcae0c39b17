use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::{
    cpi::accounts::Deposit,
    program::PerpDex,
    state::{Asset, Exchange, User},
};

use crate::{
    error::JitError,
    event::MoneyMoved,
    state::{Pool, Terms, OWNER},
};

#[derive(Accounts)]
pub struct Deploy<'info> {
    pub manager: Signer<'info>,
    #[account(seeds = [b"terms"], bump = terms.bump)]
    pub terms: Account<'info, Terms>,
    #[account(
        mut, seeds = [b"pool", pool.manager.as_ref()], bump = pool.bump, has_one = manager @ JitError::NotManager,
        has_one = vault @ JitError::WrongTokenAccount, has_one = user @ JitError::WrongAccounts
    )]
    pub pool: Box<Account<'info, Pool>>,
    /// CHECK: the pool's own address.
    #[account(seeds = [OWNER, pool.key().as_ref()], bump = pool.owner_bump)]
    pub pool_owner: UncheckedAccount<'info>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        mut, seeds = [b"asset", terms.mint.as_ref()], bump = asset.bump, seeds::program = perp_dex::ID,
        constraint = asset.vault == dex_vault.key() @ JitError::WrongTokenAccount
    )]
    pub asset: Box<Account<'info, Asset>>,
    #[account(mut)]
    pub dex_vault: Box<Account<'info, TokenAccount>>,
    #[account(mut)]
    pub user: Box<Account<'info, User>>,
    pub perp_dex: Program<'info, PerpDex>,
    pub token_program: Program<'info, Token>,
}

impl Deploy<'_> {
    fn deposit(&self, amount: u64) -> Result<()> {
        let pool = self.pool.key();
        let seeds: &[&[&[u8]]] = &[&[OWNER, pool.as_ref(), &[self.pool.owner_bump]]];
        let accounts = Deposit {
            depositor: self.pool_owner.to_account_info(),
            exchange: self.exchange.to_account_info(),
            asset: self.asset.to_account_info(),
            vault: self.dex_vault.to_account_info(),
            source: self.vault.to_account_info(),
            user: self.user.to_account_info(),
            token_program: self.token_program.to_account_info(),
        };
        perp_dex::cpi::deposit(CpiContext::new_with_signer(self.perp_dex.key(), accounts, seeds), amount)
    }
}

/// Put idle money to work as margin of the pool's account.
pub(crate) fn handle(ctx: Context<Deploy>, amount: u64) -> Result<()> {
    let accounts = ctx.accounts;
    let signed = i64::try_from(amount).map_err(|_| JitError::Overflow)?;
    accounts.pool.take_idle(amount)?;
    accounts.deposit(amount)?;
    accounts.vault.reload()?;
    emit!(MoneyMoved { pool: accounts.pool.key(), amount: signed, idle_atoms: accounts.pool.idle_atoms });
    accounts.pool.invariant(accounts.vault.amount)
}
