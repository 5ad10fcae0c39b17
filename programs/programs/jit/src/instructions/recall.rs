use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use perp_dex::{
    cpi::accounts::Withdraw,
    program::PerpDex,
    state::{Asset, Exchange, User},
};

use crate::{
    error::JitError,
    event::MoneyMoved,
    state::{Member, Pool, Terms, OWNER},
};

/// The manager at any time, or a member for his due request. Live it takes a voucher of the settler, in fallback none. Further accounts: the
/// markets of the pool's positions.
#[derive(Accounts)]
pub struct Recall<'info> {
    pub caller: Signer<'info>,
    #[account(seeds = [b"terms"], bump = terms.bump)]
    pub terms: Box<Account<'info, Terms>>,
    #[account(
        mut, seeds = [b"pool", pool.manager.as_ref()], bump = pool.bump, has_one = vault @ JitError::WrongTokenAccount,
        has_one = user @ JitError::WrongAccounts
    )]
    pub pool: Box<Account<'info, Pool>>,
    /// CHECK: the pool's own address.
    #[account(seeds = [OWNER, pool.key().as_ref()], bump = pool.owner_bump)]
    pub pool_owner: UncheckedAccount<'info>,
    #[account(seeds = [b"member", pool.key().as_ref(), caller.key().as_ref()], bump = member.bump)]
    pub member: Option<Box<Account<'info, Member>>>,
    #[account(mut)]
    pub vault: Box<Account<'info, TokenAccount>>,
    /// CHECK: gets the rent of a used voucher; `perp_dex` asks who it is.
    #[account(mut)]
    pub settler: UncheckedAccount<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        mut, seeds = [b"asset", terms.mint.as_ref()], bump = asset.bump, seeds::program = perp_dex::ID,
        constraint = asset.vault == dex_vault.key() @ JitError::WrongTokenAccount
    )]
    pub asset: Box<Account<'info, Asset>>,
    /// CHECK: the authority of the exchange's vault; `perp_dex` asks which.
    pub vault_authority: UncheckedAccount<'info>,
    #[account(mut)]
    pub dex_vault: Box<Account<'info, TokenAccount>>,
    #[account(mut)]
    pub user: Box<Account<'info, User>>,
    /// CHECK: `perp_dex` asks whether it is of this account and amount.
    #[account(mut)]
    pub voucher: Option<UncheckedAccount<'info>>,
    pub perp_dex: Program<'info, PerpDex>,
    pub token_program: Program<'info, Token>,
}

impl<'info> Recall<'info> {
    fn check_permission(&self, amount: u64, now: i64) -> Result<()> {
        if self.caller.key() == self.pool.manager {
            return Ok(());
        }
        let member = self.member.as_ref().ok_or(JitError::NotManager)?;
        let parameters = self.terms.parameters;
        member.require_due(parameters.leave_s, parameters.claim_s, now)?;
        let wanted = member.requested_atoms.saturating_sub(self.pool.idle_atoms);
        require!(amount <= wanted, JitError::TooMuch);
        Ok(())
    }

    fn withdraw(&self, amount: u64, markets: &'info [AccountInfo<'info>]) -> Result<()> {
        let pool = self.pool.key();
        let seeds: &[&[&[u8]]] = &[&[OWNER, pool.as_ref(), &[self.pool.owner_bump]]];
        let accounts = Withdraw {
            signer: self.pool_owner.to_account_info(),
            settler: self.settler.to_account_info(),
            exchange: self.exchange.to_account_info(),
            asset: self.asset.to_account_info(),
            vault_authority: self.vault_authority.to_account_info(),
            vault: self.dex_vault.to_account_info(),
            destination: self.vault.to_account_info(),
            user: self.user.to_account_info(),
            voucher: self.voucher.as_ref().map(|voucher| voucher.to_account_info()),
            token_program: self.token_program.to_account_info(),
        };
        let context = CpiContext::new_with_signer(self.perp_dex.key(), accounts, seeds).with_remaining_accounts(markets.to_vec());
        perp_dex::cpi::withdraw(context, amount)
    }
}

/// Bring money back from the exchange: `perp_dex` lets out only what no position needs.
pub(crate) fn handle<'info>(ctx: Context<'info, Recall<'info>>, amount: u64) -> Result<()> {
    let accounts = ctx.accounts;
    accounts.check_permission(amount, Clock::get()?.unix_timestamp)?;
    let signed = i64::try_from(amount).ok().and_then(i64::checked_neg).ok_or(JitError::Overflow)?;
    accounts.withdraw(amount, ctx.remaining_accounts)?;
    accounts.pool.add_idle(amount)?;
    accounts.vault.reload()?;
    emit!(MoneyMoved { pool: accounts.pool.key(), amount: signed, idle_atoms: accounts.pool.idle_atoms });
    accounts.pool.invariant(accounts.vault.amount)
}
