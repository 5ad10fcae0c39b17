//! A transaction on a durable nonce never expires: what was signed for now could be sent from a drawer.

use anchor_lang::{prelude::*, system_program};
use solana_instructions_sysvar::load_instruction_at_checked;

const ADVANCE_NONCE: [u8; 4] = 4u32.to_le_bytes();

/// The runtime takes a nonce for a blockhash only where the first instruction advances it. What cannot be read counts as one.
pub fn is_on_durable_nonce(sysvar: &AccountInfo) -> bool {
    let first = load_instruction_at_checked(0, sysvar);
    first.map_or(true, |first| first.program_id == system_program::ID && first.data.first_chunk() == Some(&ADVANCE_NONCE))
}
