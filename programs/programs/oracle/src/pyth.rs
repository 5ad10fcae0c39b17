//! Reading Pyth's PriceUpdateV2 accounts. Only a full verification is read, so the offsets are fixed.

use anchor_lang::prelude::*;

use crate::{error::OracleError, feed::Observation};

pub const RECEIVER: Pubkey = pubkey!("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ");
const DISCRIMINATOR: [u8; 8] = [0x22, 0xf1, 0x23, 0x63, 0x9d, 0x7e, 0xf4, 0xcd];
const LEVEL: usize = 40;
const FULL: u8 = 1;
const FEED_ID: usize = 41;
const PRICE: usize = 73;
const CONFIDENCE: usize = 81;
const EXPONENT: usize = 89;
const PUBLISHED_AT: usize = 93;
const LENGTH: usize = 134;

fn field<const N: usize>(data: &[u8], start: usize) -> Result<[u8; N]> {
    let bytes = data.get(start..).and_then(|rest| rest.first_chunk::<N>());
    bytes.copied().ok_or_else(|| OracleError::NotPriceUpdate.into())
}

pub fn read(account: &AccountInfo, feed_id: &[u8; 32]) -> Result<Observation> {
    require_keys_eq!(*account.owner, RECEIVER, OracleError::ForeignOwner);
    let data = account.try_borrow_data()?;
    require!(data.len() == LENGTH && field::<8>(&data, 0)? == DISCRIMINATOR, OracleError::NotPriceUpdate);
    require!(data[LEVEL] == FULL, OracleError::PartlyVerified);
    require!(field::<32>(&data, FEED_ID)? == *feed_id, OracleError::OtherFeed);
    let exponent = i32::from_le_bytes(field(&data, EXPONENT)?);
    let price = u64::try_from(i64::from_le_bytes(field(&data, PRICE)?)).map_err(|_| OracleError::BadPrice)?;
    Ok(Observation {
        price_e8: in_e8(price, exponent)?,
        confidence_e8: in_e8(u64::from_le_bytes(field(&data, CONFIDENCE)?), exponent)?,
        published_at: i64::from_le_bytes(field(&data, PUBLISHED_AT)?),
    })
}

/// Return value x 10^exponent in units of 1e-8, rounded down.
fn in_e8(value: u64, exponent: i32) -> Result<u64> {
    require!((-12..=0).contains(&exponent), OracleError::BadExponent);
    let power = exponent.saturating_add(8);
    let scale = 10u64.pow(power.unsigned_abs());
    let scaled = if power >= 0 { value.checked_mul(scale) } else { value.checked_div(scale) };
    scaled.ok_or_else(|| OracleError::BadPrice.into())
}
