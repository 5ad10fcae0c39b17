use anchor_lang::{
    prelude::*,
    solana_program::instruction::{AccountMeta, Instruction},
};
use solana_sha256_hasher::hashv;

use crate::error::GovernanceError;

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct ProposedAccount {
    pub key: Pubkey,
    pub writable: bool,
    pub signer: bool,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct ProposedInstruction {
    pub program_id: Pubkey,
    pub accounts: Vec<ProposedAccount>,
    pub data: Vec<u8>,
}

/// An instruction of a proposal as everybody can read it. Nothing ever writes it again.
#[account]
pub struct StoredInstruction {
    pub proposal: Pubkey,
    pub index: u8,
    pub bump: u8,
    /// SHA-256 of the code that an upgrade brings in, zeros for any other instruction.
    pub code_hash: [u8; 32],
    pub instruction: ProposedInstruction,
}

impl ProposedInstruction {
    pub fn size(&self) -> usize {
        let accounts = self.accounts.len().saturating_mul(32 + 1 + 1);
        accounts.saturating_add(self.data.len()).saturating_add(32 + 4 + 4)
    }

    pub fn built(&self) -> Instruction {
        let meta =
            |account: &ProposedAccount| AccountMeta { pubkey: account.key, is_signer: account.signer, is_writable: account.writable };
        Instruction { program_id: self.program_id, accounts: self.accounts.iter().map(meta).collect(), data: self.data.clone() }
    }

    pub fn hash(&self, code_hash: &[u8; 32]) -> Result<[u8; 32]> {
        let mut bytes = Vec::with_capacity(self.size());
        self.serialize(&mut bytes)?;
        Ok(hashv(&[&bytes, code_hash]).to_bytes())
    }

    /// The accounts given must be the instruction's, in its order.
    pub fn match_accounts(&self, given: &[AccountInfo]) -> Result<()> {
        let same = given.len() == self.accounts.len() && given.iter().zip(&self.accounts).all(|(info, account)| *info.key == account.key);
        require!(same, GovernanceError::WrongAccounts);
        Ok(())
    }
}

impl StoredInstruction {
    pub fn space(instruction: &ProposedInstruction) -> usize {
        instruction.size().saturating_add(8 + 32 + 1 + 1 + 32)
    }

    pub fn hash(&self) -> Result<[u8; 32]> {
        self.instruction.hash(&self.code_hash)
    }
}
