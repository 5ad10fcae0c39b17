use anchor_lang::prelude::*;
use perp_dex::{
    health::markets_of,
    state::{Exchange, User},
};

use crate::figures::Figures;

/// Further accounts: the markets of all positions, final and pending.
#[derive(Accounts)]
pub struct CheckAccount<'info> {
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump, seeds::program = perp_dex::ID
    )]
    pub user: Box<Account<'info, User>>,
}

pub(crate) fn handle<'info>(ctx: Context<'info, CheckAccount<'info>>) -> Result<Figures> {
    let markets = markets_of(ctx.remaining_accounts)?;
    // This is a copy in memory: the account itself is another program's.
    ctx.accounts.user.settle(&ctx.accounts.exchange)?;
    Figures::at_worst(&ctx.accounts.user, &markets, Clock::get()?.unix_timestamp)
}
