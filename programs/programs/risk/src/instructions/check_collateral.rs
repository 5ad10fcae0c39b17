use anchor_lang::prelude::*;
use perp_dex::state::{Exchange, User};

use crate::{figures::Figures, rulebook::Rulebook};

/// Further accounts, in any order: market and limits of each position, haircut and feed of each asset beside the quote asset.
#[derive(Accounts)]
pub struct CheckCollateral<'info> {
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump, seeds::program = perp_dex::ID
    )]
    pub user: Box<Account<'info, User>>,
}

pub(crate) fn handle<'info>(ctx: Context<'info, CheckCollateral<'info>>) -> Result<Figures> {
    let book = Rulebook::read(ctx.remaining_accounts)?;
    ctx.accounts.user.settle(&ctx.accounts.exchange)?;
    book.at_worst(&ctx.accounts.user, Clock::get()?.unix_timestamp)
}
