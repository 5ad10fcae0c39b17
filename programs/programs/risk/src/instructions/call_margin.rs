use anchor_lang::prelude::*;
use perp_dex::{
    health::markets_of,
    state::{Exchange, User},
};

use crate::{
    error::RiskError,
    event::MarginCalled,
    figures::{require_sure_prices, Figures},
    margin_call::MarginCall,
};

/// Anyone may put on record that an account is short of initial margin. Further accounts: the markets of all positions.
#[derive(Accounts)]
pub struct CallMargin<'info> {
    #[account(mut)]
    pub caller: Signer<'info>,
    #[account(seeds = [b"exchange"], bump = exchange.bump, seeds::program = perp_dex::ID)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(
        seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump, seeds::program = perp_dex::ID
    )]
    pub user: Box<Account<'info, User>>,
    #[account(init, payer = caller, space = 8 + MarginCall::INIT_SPACE, seeds = [b"margin_call", user.key().as_ref()], bump)]
    pub margin_call: Account<'info, MarginCall>,
    pub system_program: Program<'info, System>,
}

pub(crate) fn handle<'info>(ctx: Context<'info, CallMargin<'info>>) -> Result<()> {
    let markets = markets_of(ctx.remaining_accounts)?;
    let called_at = Clock::get()?.unix_timestamp;
    let user = &mut ctx.accounts.user;
    user.settle(&ctx.accounts.exchange)?;
    require_sure_prices(user, &markets)?;
    let figures = Figures::at_worst(user, &markets, called_at)?;
    require!(figures.free_atoms < 0, RiskError::HasMargin);
    let (user, caller) = (user.key(), ctx.accounts.caller.key());
    ctx.accounts.margin_call.set_inner(MarginCall { user, caller, called_at, figures, bump: ctx.bumps.margin_call });
    emit!(MarginCalled { user, figures, called_at });
    Ok(())
}
