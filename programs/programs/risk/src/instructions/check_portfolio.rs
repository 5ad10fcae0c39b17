use anchor_lang::prelude::*;
use perp_dex::{
    health::markets_of,
    state::{Exchange, User},
};

use crate::{error::RiskError, figures::Figures};

/// Further accounts: the sub-accounts in ascending order, each once, then the markets of all their positions.
#[derive(Accounts)]
pub struct CheckPortfolio<'info> {
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    /// CHECK: the owner of all of them; only the address counts.
    pub owner: UncheckedAccount<'info>,
}

pub(crate) fn handle<'info>(ctx: Context<'info, CheckPortfolio<'info>>, accounts: u8) -> Result<Figures> {
    let now = Clock::get()?.unix_timestamp;
    let (users, markets) = ctx.remaining_accounts.split_at_checked(usize::from(accounts)).ok_or(RiskError::WrongAccounts)?;
    require!(users.windows(2).all(|pair| pair[0].key() < pair[1].key()), RiskError::WrongAccounts);
    let markets = markets_of(markets)?;
    let mut total = Figures::default();
    for account in users {
        let mut user = Box::new(Account::<User>::try_from(account)?);
        require_keys_eq!(user.owner, ctx.accounts.owner.key(), RiskError::WrongAccounts);
        user.settle(&ctx.accounts.exchange)?;
        total = total.checked_add(&Figures::at_worst(&user, &markets, now)?)?;
    }
    Ok(total)
}
