//! Signatures of the authority are for now, not for a drawer.

use anchor_lang::prelude::*;
use oracle::nonce::is_on_durable_nonce;

use crate::error::DexError;

pub fn refuse_durable_nonce(sysvar: &AccountInfo) -> Result<()> {
    require!(!is_on_durable_nonce(sysvar), DexError::DurableNonce);
    Ok(())
}
