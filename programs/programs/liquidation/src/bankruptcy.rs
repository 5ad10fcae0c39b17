use anchor_lang::prelude::*;
use perp_dex::state::{Exchange, User, QUOTE};

use crate::error::LiquidationError;

/// Return what an account without positions is below zero for sure: the least over what is final and what is pending; 0 where it is not.
///
/// The operator's own accounts are not insured: it changes them without a signature. Who holds another asset is not bankrupt, and for who
/// asked to leave the exchange takes no deposit.
pub fn deficit_atoms(user: &User, exchange: &Exchange) -> Result<u64> {
    if user.is_custodied(exchange) || user.exit_is_open() {
        return Ok(0);
    }
    let mut least = u64::MAX;
    for outlook in user.outlooks()? {
        let quote = outlook.balances[usize::from(QUOTE)];
        let others = outlook.balances.iter().skip(1).any(|balance| *balance != 0);
        let deficit = if outlook.is_flat() && !others { quote.min(0).unsigned_abs() } else { 0 };
        least = least.min(deficit);
    }
    Ok(least)
}

pub fn require_deficit(user: &User, exchange: &Exchange) -> Result<u64> {
    let deficit = deficit_atoms(user, exchange)?;
    require!(deficit > 0, LiquidationError::NotBankrupt);
    Ok(deficit)
}
