use anchor_lang::prelude::*;

use crate::error::GovernanceError;

/// Words of stakers and guardian are for now, not for a drawer.
pub fn refuse_durable_nonce(sysvar: &AccountInfo) -> Result<()> {
    perp_dex::nonce::refuse_durable_nonce(sysvar).map_err(|_| GovernanceError::DurableNonce.into())
}
