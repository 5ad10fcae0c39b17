use anchor_lang::{
    prelude::*,
    solana_program::{instruction::Instruction, program::invoke_signed},
};

use crate::state::AUTHORITY;

/// Call a program with governance's signature, and with nobody else's.
pub fn invoke_as_authority<'info>(
    instruction: &Instruction,
    accounts: &[AccountInfo<'info>],
    target: &AccountInfo<'info>,
    bump: u8,
) -> Result<()> {
    let mut infos = accounts.to_vec();
    infos.push(target.clone());
    invoke_signed(instruction, &infos, &[&[AUTHORITY, &[bump]]])?;
    Ok(())
}
