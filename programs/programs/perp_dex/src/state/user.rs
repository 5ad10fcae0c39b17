use anchor_lang::prelude::*;
use merkle::{position_slot, Change, Sums, POSITION};

use super::{Exchange, MAX_ASSETS, QUOTE};
use crate::error::DexError;

pub const MAX_POSITIONS: usize = 8;
/// The first authority's account with this number holds the insurance: it is paid last.
pub const INSURANCE_SUB_ACCOUNT: u16 = u16::MAX;

/// A free place has no lots.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Default, Debug, PartialEq, Eq, InitSpace)]
pub struct Position {
    pub market_id: u32,
    pub lots: i64,
}

/// Signed balances by asset, and positions. A trade moves its full value through the quote balance, so that all of this simply adds up:
/// equity is the quote balance plus the positions at their prices, and there is no entry price to keep.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Default, Debug, PartialEq, Eq, InitSpace)]
pub struct Holdings {
    pub balances: [i64; MAX_ASSETS],
    pub positions: [Position; MAX_POSITIONS],
}

/// What the batches of one epoch change, until they are final or void.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Default, InitSpace)]
pub struct Pending {
    pub epoch: u64,
    pub changes: Holdings,
    /// The sum of all debits: what the account may owe already, whatever credits stand against it.
    pub debits: [u64; MAX_ASSETS],
}

#[account]
#[derive(InitSpace)]
pub struct User {
    pub owner: Pubkey,
    pub sub_account: u16,
    pub bump: u8,
    pub holdings: Holdings,
    pub pending: [Pending; 2],
    /// Quote balance when last without positions, plus deposits, less withdrawals: profits of open positions cannot leave.
    pub principal_atoms: i64,
    pub deposits: u64,
    pub vouchers: u64,
    pub min_nonce: u64,
    /// When `min_nonce` was last raised.
    pub min_nonce_ms: u64,
    pub exit_requested_at: i64,
    pub exit_paid: bool,
    pub valued: bool,
    pub claim_atoms: u64,
    /// Bit i: asset i was paid out in the end.
    pub escaped: u8,
}

impl Holdings {
    pub fn is_flat(&self) -> bool {
        self.positions.iter().all(|position| position.lots == 0)
    }

    pub fn lots(&self, market_id: u32) -> i64 {
        self.positions.iter().find(|position| position.lots != 0 && position.market_id == market_id).map_or(0, |position| position.lots)
    }

    pub fn open_positions(&self) -> impl Iterator<Item = &Position> {
        self.positions.iter().filter(|position| position.lots != 0)
    }

    pub fn add_balance(&mut self, asset: u8, amount: i64) -> Result<()> {
        let balance = self.balances.get_mut(usize::from(asset)).ok_or(DexError::BadChanges)?;
        *balance = balance.checked_add(amount).ok_or(DexError::Overflow)?;
        Ok(())
    }

    pub fn add_lots(&mut self, market_id: u32, lots: i64) -> Result<()> {
        let mut change = Self::default();
        change.positions[0] = Position { market_id, lots };
        self.add(&change)
    }

    pub fn add(&mut self, other: &Self) -> Result<()> {
        for (balance, amount) in self.balances.iter_mut().zip(other.balances) {
            *balance = balance.checked_add(amount).ok_or(DexError::Overflow)?;
        }
        let mut merged: Vec<Position> = self.open_positions().copied().collect();
        for position in other.open_positions() {
            match merged.iter_mut().find(|held| held.market_id == position.market_id) {
                Some(held) => held.lots = held.lots.checked_add(position.lots).ok_or(DexError::Overflow)?,
                None => merged.push(*position),
            }
        }
        merged.retain(|position| position.lots != 0);
        require!(merged.len() <= MAX_POSITIONS, DexError::TooManyPositions);
        self.positions = Default::default();
        self.positions[..merged.len()].copy_from_slice(&merged);
        Ok(())
    }

    /// Read canonical changes: assets by index, positions by market.
    pub fn from_sums(sums: &Sums, assets: u8) -> Result<Self> {
        let mut holdings = Self::default();
        for change in sums.changes() {
            if change.slot >= POSITION {
                holdings.add_lots(change.slot & !POSITION, change.amount)?;
            } else {
                require!(change.slot < u32::from(assets), DexError::BadChanges);
                holdings.balances[change.slot as usize] = change.amount;
            }
        }
        Ok(holdings)
    }

    pub fn to_sums(&self) -> Result<Sums> {
        let mut sums = Sums::default();
        for (slot, amount) in (0..).zip(self.balances) {
            sums.add(Change { slot, amount }).map_err(DexError::from)?;
        }
        for position in self.open_positions() {
            sums.add(Change { slot: position_slot(position.market_id), amount: position.lots }).map_err(DexError::from)?;
        }
        Ok(sums)
    }
}

impl User {
    pub fn is_insurance(&self, exchange: &Exchange) -> bool {
        self.owner == exchange.insurance_owner && self.sub_account == INSURANCE_SUB_ACCOUNT
    }

    /// Does it change without its owner's signature?
    pub fn is_custodied(&self, exchange: &Exchange) -> bool {
        self.owner == exchange.custodian || self.is_insurance(exchange)
    }

    /// Take up what has become final; in a frozen exchange drop the rest. Every instruction that reads an account does
    /// this first.
    pub fn settle(&mut self, exchange: &Exchange) -> Result<()> {
        for place in 0..self.pending.len() {
            let pending = self.pending[place];
            if pending.epoch != 0 && pending.epoch <= exchange.final_epoch {
                self.holdings.add(&pending.changes)?;
                self.pending[place] = Pending::default();
                self.note_principal();
            } else if exchange.is_frozen() {
                self.pending[place] = Pending::default();
            }
        }
        self.pending.sort_unstable_by_key(|pending| if pending.epoch == 0 { u64::MAX } else { pending.epoch });
        self.note_exit();
        Ok(())
    }

    pub fn exit_is_open(&self) -> bool {
        self.exit_requested_at != 0 && !self.exit_paid
    }

    /// An exit ends when nothing is left and nothing is on its way, however it went.
    pub fn note_exit(&mut self) {
        let waits = self.pending.iter().any(|pending| pending.epoch != 0);
        let empty = self.holdings.is_flat() && self.holdings.balances.iter().all(|balance| *balance <= 0);
        self.exit_paid |= self.exit_is_open() && empty && !waits;
    }

    /// Is there a position, or money, in the account as it is or will be?
    pub fn is_owed(&self) -> Result<bool> {
        Ok(self.outlooks()?.iter().any(|outlook| !outlook.is_flat() || outlook.balances.iter().any(|balance| *balance > 0)))
    }

    pub fn note_principal(&mut self) {
        if self.holdings.is_flat() {
            self.principal_atoms = self.holdings.balances[usize::from(QUOTE)];
        }
    }

    /// Add a batch's net change to its epoch. `settle` was called before, so older epochs are gone.
    pub fn post(&mut self, epoch: u64, changes: &Holdings) -> Result<()> {
        let free = |pending: &Pending| pending.epoch == epoch || pending.epoch == 0;
        let pending = self.pending.iter_mut().find(|pending| free(pending)).ok_or(DexError::InvariantBroken)?;
        pending.epoch = epoch;
        pending.changes.add(changes)?;
        for (debit, amount) in pending.debits.iter_mut().zip(changes.balances) {
            *debit = debit.checked_add(amount.min(0).unsigned_abs()).ok_or(DexError::Overflow)?;
        }
        Ok(())
    }

    /// The account as it is, and as each epoch that waits will make it.
    pub fn outlooks(&self) -> Result<Vec<Holdings>> {
        let mut outlook = self.holdings;
        let mut all = vec![outlook];
        for pending in self.pending.iter().filter(|pending| pending.epoch != 0) {
            outlook.add(&pending.changes)?;
            all.push(outlook);
        }
        Ok(all)
    }

    /// Return the final balance less every pending debit.
    pub fn unclaimed(&self, asset: u8) -> Result<i64> {
        let place = usize::from(asset);
        let balance = *self.holdings.balances.get(place).ok_or(DexError::BadChanges)?;
        let debits = self.pending.iter().try_fold(0u64, |sum, pending| sum.checked_add(pending.debits[place])).ok_or(DexError::Overflow)?;
        balance.checked_sub(i64::try_from(debits).map_err(|_| DexError::Overflow)?).ok_or_else(|| DexError::Overflow.into())
    }

    /// Only the quote balance may be negative; every outlook finds room; epochs are in order.
    pub fn invariant(&self) -> Result<()> {
        for outlook in self.outlooks()? {
            require!(outlook.balances.iter().skip(1).all(|balance| *balance >= 0), DexError::Overdrawn);
        }
        let [first, second] = self.pending;
        require!(second.epoch == 0 || first.epoch < second.epoch, DexError::InvariantBroken);
        Ok(())
    }
}
