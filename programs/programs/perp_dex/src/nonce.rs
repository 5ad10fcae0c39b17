//! Signatures of the authority are for now, not for a drawer: a transaction on a durable nonce never expires.

use anchor_lang::{prelude::*, system_program};
use solana_instructions_sysvar::load_instruction_at_checked;

use crate::error::DexError;

const ADVANCE_NONCE: [u8; 4] = 4u32.to_le_bytes();

/// The runtime takes a nonce for a blockhash only where the first instruction advances it.
pub fn refuse_durable_nonce(sysvar: &AccountInfo) -> Result<()> {
    let first = load_instruction_at_checked(0, sysvar).map_err(|_| DexError::DurableNonce)?;
    let advances = first.program_id == system_program::ID && first.data.first_chunk() == Some(&ADVANCE_NONCE);
    require!(!advances, DexError::DurableNonce);
    Ok(())
}
