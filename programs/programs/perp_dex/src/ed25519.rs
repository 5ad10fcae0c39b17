//! What the Ed25519 program verified in the instruction just before this one.

use anchor_lang::prelude::*;
use solana_instructions_sysvar::{load_current_index_checked, load_instruction_at_checked};

use crate::error::DexError;

pub const PROGRAM: Pubkey = pubkey!("Ed25519SigVerify111111111111111111111111111");
const HEADER: usize = 2;
const OFFSETS: usize = 14;
const THIS_INSTRUCTION: u16 = u16::MAX;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub key: Pubkey,
    pub message: Vec<u8>,
}

/// Return the signed messages of the instruction before, exactly as many as wanted.
///
/// Each entry must point into its own instruction: key and message are read from the very bytes that were verified.
pub fn verified_before(sysvar: &AccountInfo, wanted: usize) -> Result<Vec<Signed>> {
    let current = load_current_index_checked(sysvar).map_err(|_| DexError::NoSignature)?;
    let before = current.checked_sub(1).ok_or(DexError::NoSignature)?;
    let instruction = load_instruction_at_checked(usize::from(before), sysvar).map_err(|_| DexError::NoSignature)?;
    require_keys_eq!(instruction.program_id, PROGRAM, DexError::NoSignature);
    let data = &instruction.data;
    require!(data.first().copied().map(usize::from) == Some(wanted), DexError::NoSignature);
    (0..wanted).map(|place| read(data, place, before)).collect()
}

fn read(data: &[u8], place: usize, own_index: u16) -> Result<Signed> {
    let start = HEADER.saturating_add(place.saturating_mul(OFFSETS));
    let entry = slice(data, start, OFFSETS)?;
    let number = |at: usize| u16::from_le_bytes([entry[at], entry[at + 1]]);
    let [_, signature_in, key_at, key_in, message_at, message_size, message_in] = [0, 2, 4, 6, 8, 10, 12].map(number);
    let own = |index: u16| index == THIS_INSTRUCTION || index == own_index;
    require!(own(signature_in) && own(key_in) && own(message_in), DexError::NoSignature);
    let key: [u8; 32] = slice(data, usize::from(key_at), 32)?.try_into().map_err(|_| DexError::NoSignature)?;
    let message = slice(data, usize::from(message_at), usize::from(message_size))?.to_vec();
    Ok(Signed { key: Pubkey::new_from_array(key), message })
}

fn slice(data: &[u8], start: usize, length: usize) -> Result<&[u8]> {
    let end = start.checked_add(length).ok_or(DexError::NoSignature)?;
    data.get(start..end).ok_or_else(|| DexError::NoSignature.into())
}
