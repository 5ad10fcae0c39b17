use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::EscapesOpened,
    state::{Asset, Exchange, Phase, QUOTE},
};

/// Once every account is valued: what the vault holds is shared by all claims alike; the insurance gets what is left.
#[derive(Accounts)]
pub struct OpenEscapes<'info> {
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(seeds = [b"asset", asset.mint.as_ref()], bump = asset.bump, constraint = asset.index == QUOTE @ DexError::WrongAccounts)]
    pub asset: Box<Account<'info, Asset>>,
}

pub(crate) fn handle(ctx: Context<OpenEscapes>) -> Result<()> {
    let exchange = &mut ctx.accounts.exchange;
    exchange.require_phase(&[Phase::Frozen])?;
    require!(exchange.valued_users == exchange.users, DexError::TooEarly);
    exchange.claims_atoms = exchange.claims_atoms.checked_add(exchange.house_payable_atoms()?).ok_or(DexError::Overflow)?;
    exchange.payable_atoms = ctx.accounts.asset.total_atoms;
    exchange.enter(Phase::Escaping, &Clock::get()?);
    emit!(EscapesOpened { payable_atoms: exchange.payable_atoms, claims_atoms: exchange.claims_atoms });
    exchange.invariant()
}
