use anchor_lang::prelude::*;
use perp_dex::{
    health::markets_of,
    state::{Exchange, User},
};

use crate::{error::RiskError, event::MarginCallEnded, figures::Figures, margin_call::MarginCall};

/// Anyone may end a call once the account has its margin again. Further accounts: the markets of all positions.
#[derive(Accounts)]
pub struct EndMarginCall<'info> {
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump, seeds::program = perp_dex::ID
    )]
    pub user: Box<Account<'info, User>>,
    /// CHECK: gets the rent back.
    #[account(mut)]
    pub caller: UncheckedAccount<'info>,
    #[account(
        mut, close = caller, has_one = caller @ RiskError::WrongAccounts, seeds = [b"margin_call", user.key().as_ref()],
        bump = margin_call.bump
    )]
    pub margin_call: Account<'info, MarginCall>,
}

pub(crate) fn handle<'info>(ctx: Context<'info, EndMarginCall<'info>>) -> Result<()> {
    let markets = markets_of(ctx.remaining_accounts)?;
    let ended_at = Clock::get()?.unix_timestamp;
    let user = &mut ctx.accounts.user;
    user.settle(&ctx.accounts.exchange)?;
    let figures = Figures::at_worst(user, &markets, ended_at)?;
    require!(figures.free_atoms >= 0, RiskError::ShortOfMargin);
    emit!(MarginCallEnded { user: user.key(), figures, ended_at });
    Ok(())
}
