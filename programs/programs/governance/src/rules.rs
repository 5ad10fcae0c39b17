//! What governance executes at all, and what of it counts as tightening. Everything that is not named here as tightening loosens.

use anchor_lang::{
    prelude::*,
    solana_program::bpf_loader_upgradeable::{self, UpgradeableLoaderState},
    Discriminator,
};
use perp_dex::state::{Asset, Exchange};
use solana_sha256_hasher::hash;

use crate::{
    error::GovernanceError,
    instruction::{Pay, SetCap, SetGuardian, SetParameters},
    state::{Kind, ProposedInstruction},
};

const UPGRADE: [u8; 4] = 3u32.to_le_bytes();
const BUFFER: usize = 2;
const ASSET: usize = 2;

/// Refuse what may not even be proposed.
pub fn check(kind: Kind, instruction: &ProposedInstruction, authority: &Pubkey) -> Result<()> {
    let signers = instruction.accounts.iter().all(|account| !account.signer || account.key == *authority);
    let tightens = kind == Kind::Loosening || may_tighten(&instruction.program_id, &instruction.data);
    require!(tightens, GovernanceError::NotTightening);
    require!(signers && is_known(instruction), GovernanceError::NotAllowed);
    Ok(())
}

/// Of governance's own instructions only those that ask for its authority: the others write accounts that an execution is about. Of the
/// loader's only upgrades: whoever else became the upgrade authority would have to wait for nothing. The authority of exchange and oracle is
/// never offered to anybody, for the same reason.
fn is_known(instruction: &ProposedInstruction) -> bool {
    let data = instruction.data.as_slice();
    if instruction.program_id == crate::ID {
        return [SetParameters::DISCRIMINATOR, SetGuardian::DISCRIMINATOR, SetCap::DISCRIMINATOR, Pay::DISCRIMINATOR]
            .iter()
            .any(|known| data.starts_with(known));
    }
    if instruction.program_id == perp_dex::ID || instruction.program_id == oracle::ID {
        // Both call it the same.
        return !data.starts_with(perp_dex::instruction::OfferAuthority::DISCRIMINATOR);
    }
    !is_loader(&instruction.program_id) || (is_upgrade(instruction) && instruction.accounts.len() > BUFFER)
}

fn is_loader(program_id: &Pubkey) -> bool {
    // The other loaders' programs could be handed over just the same.
    [bpf_loader_upgradeable::ID, pubkey!("LoaderV411111111111111111111111111111111111")].contains(program_id)
}

/// A program that is called signs for governance as well, whatever it calls in turn. So none gets an account to write that it could upgrade by, or
/// hand over, but the loader itself; nor one that says who the authority is, but the program that keeps it.
pub fn keep_rights(instruction: &ProposedInstruction, accounts: &[AccountInfo]) -> Result<()> {
    for (info, _) in accounts.iter().zip(&instruction.accounts).filter(|(_, account)| account.writable) {
        let code = is_loader(info.owner) && !is_upgrade(instruction);
        let rights = names_authority(info)? && *info.owner != instruction.program_id;
        require!(!code && !rights, GovernanceError::NotAllowed);
    }
    Ok(())
}

fn names_authority(info: &AccountInfo) -> Result<bool> {
    let data = info.try_borrow_data()?;
    let exchange = *info.owner == perp_dex::ID && data.starts_with(Exchange::DISCRIMINATOR);
    Ok(exchange || *info.owner == oracle::ID && data.starts_with(oracle::Oracle::DISCRIMINATOR))
}

fn is_upgrade(instruction: &ProposedInstruction) -> bool {
    instruction.program_id == bpf_loader_upgradeable::ID && instruction.data == UPGRADE
}

pub fn replaces_guardian(instruction: &ProposedInstruction) -> bool {
    instruction.program_id == crate::ID && instruction.data.starts_with(SetGuardian::DISCRIMINATOR)
}

/// Return the hash of the code that an upgrade brings in. Its buffer must be governance's already: nobody can write it any more.
pub fn code_hash(instruction: &ProposedInstruction, accounts: &[AccountInfo], authority: &Pubkey) -> Result<[u8; 32]> {
    if !is_upgrade(instruction) {
        return Ok([0; 32]);
    }
    let named = instruction.accounts.get(BUFFER).ok_or(GovernanceError::WrongBuffer)?;
    let buffer = accounts.iter().find(|info| *info.key == named.key).ok_or(GovernanceError::WrongBuffer)?;
    require!(buffer.owner == &bpf_loader_upgradeable::ID, GovernanceError::WrongBuffer);
    let data = buffer.try_borrow_data()?;
    let owned = UpgradeableLoaderState::Buffer { authority_address: Some(*authority) };
    require!(UpgradeableLoaderState::try_deserialize(&mut &data[..])? == owned, GovernanceError::WrongBuffer);
    let code = data.get(UpgradeableLoaderState::size_of_buffer_metadata()..).ok_or(GovernanceError::WrongBuffer)?;
    Ok(hash(code).to_bytes())
}

fn may_tighten(program_id: &Pubkey, data: &[u8]) -> bool {
    *program_id == perp_dex::ID && data.starts_with(perp_dex::instruction::SetLimits::DISCRIMINATOR)
}

/// Refuse what does not tighten, as things are now. Lower limits take a higher one that waits off the list.
pub fn require_tightening(program_id: &Pubkey, data: &[u8], accounts: &[AccountInfo], now: i64) -> Result<()> {
    require!(may_tighten(program_id, data), GovernanceError::NotTightening);
    let arguments = data.get(perp_dex::instruction::SetLimits::DISCRIMINATOR.len()..).ok_or(GovernanceError::NotTightening)?;
    let wanted = perp_dex::instruction::SetLimits::try_from_slice(arguments)?.limits;
    let info = accounts.get(ASSET).ok_or(GovernanceError::WrongAccounts)?;
    require!(info.owner == &perp_dex::ID, GovernanceError::WrongAccounts);
    let mut asset = Asset::try_deserialize(&mut &info.try_borrow_data()?[..])?;
    asset.begin_limits(now);
    let lower = wanted.deposit_cap_atoms <= asset.limits.deposit_cap_atoms
        && wanted.hour_atoms <= asset.limits.hour_atoms
        && wanted.day_atoms <= asset.limits.day_atoms;
    require!(lower, GovernanceError::NotTightening);
    Ok(())
}
