use crate::MerkleError;

/// Slots from here on are positions (plus the market's id); those below are assets by their index.
pub const POSITION: u32 = 0x8000_0000;

/// Return the slot of a market's position.
pub fn position_slot(market_id: u32) -> u32 {
    market_id | POSITION
}

/// How much one slot changes: atoms of an asset, or lots of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub slot: u32,
    pub amount: i64,
}

/// Changes by slot: ascending, each slot once, none of them zero. Equal sums have equal bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(Vec<Change>);

impl Sums {
    /// Take changes that are canonical already.
    pub fn new(changes: Vec<Change>) -> Result<Self, MerkleError> {
        let ascending = changes.windows(2).all(|pair| pair[0].slot < pair[1].slot);
        if !ascending || changes.iter().any(|change| change.amount == 0) || changes.len() > usize::from(u8::MAX) {
            return Err(MerkleError::NotCanonical);
        }
        Ok(Self(changes))
    }

    pub fn changes(&self) -> &[Change] {
        &self.0
    }

    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub fn amount(&self, slot: u32) -> i64 {
        self.0.binary_search_by_key(&slot, |change| change.slot).ok().and_then(|place| self.0.get(place)).map_or(0, |change| change.amount)
    }

    /// Add one change in place; a slot that comes to zero disappears.
    pub fn add(&mut self, change: Change) -> Result<(), MerkleError> {
        match self.0.binary_search_by_key(&change.slot, |item| item.slot) {
            Ok(place) => {
                let amount = self.0[place].amount.checked_add(change.amount).ok_or(MerkleError::Overflow)?;
                if amount == 0 {
                    self.0.remove(place);
                } else {
                    self.0[place].amount = amount;
                }
            }
            Err(_) if change.amount == 0 => {}
            Err(_) if self.0.len() >= usize::from(u8::MAX) => return Err(MerkleError::Overflow),
            Err(place) => self.0.insert(place, change),
        }
        Ok(())
    }

    pub fn add_all(&mut self, other: &Self) -> Result<(), MerkleError> {
        other.0.iter().try_for_each(|change| self.add(*change))
    }

    /// Count u8, then each change as slot u32 and amount i64, little-endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len().saturating_mul(12).saturating_add(1));
        bytes.push(u8::try_from(self.0.len()).unwrap_or(u8::MAX));
        for change in &self.0 {
            bytes.extend_from_slice(&change.slot.to_le_bytes());
            bytes.extend_from_slice(&change.amount.to_le_bytes());
        }
        bytes
    }
}
