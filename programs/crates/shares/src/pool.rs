use fixed_point::{mul_div_floor, MathError};

/// Shares that one atom buys in an empty pool. As many shares exist that nobody owns, over one atom that nobody owns: so a first share is
/// never dear, and what somebody gives to the pool to make it dear is lost to him.
pub const PAR_SHARES: u128 = 1_000_000;
/// A pool holds no more; with `USED_UP` it keeps every product inside 128 bits.
pub const CAP_ATOMS: u64 = 100_000_000_000_000;
/// Shares that are worth less than one in so many of their first price are void.
const USED_UP: u128 = 10_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    pub assets_atoms: u64,
    pub shares: u128,
}

/// Why a pool refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolError {
    /// The amount buys no share, or the shares are worth no atom.
    Nothing,
    /// The pool would hold more than it may.
    Full,
    /// More is asked for than there is.
    TooMuch,
    Math(MathError),
}

impl From<MathError> for PoolError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

impl Pool {
    fn all_shares(&self) -> Result<u128, MathError> {
        self.shares.checked_add(PAR_SHARES).ok_or(MathError::Overflow)
    }

    fn all_atoms(&self) -> Result<u128, MathError> {
        u128::from(self.assets_atoms).checked_add(1).ok_or(MathError::Overflow)
    }

    /// Return how many shares an amount buys now, rounded down.
    pub fn shares_for(&self, amount_atoms: u64) -> Result<u128, MathError> {
        mul_div_floor(u128::from(amount_atoms), self.all_shares()?, self.all_atoms()?)
    }

    /// Return what shares are worth now, rounded down: all of them together never more than the assets.
    pub fn value_of(&self, shares: u128) -> Result<u64, MathError> {
        let value = mul_div_floor(shares, self.all_atoms()?, self.all_shares()?)?;
        u64::try_from(value).map_err(|_| MathError::Overflow)
    }

    /// Take an amount in and return the shares for it.
    pub fn join(&mut self, amount_atoms: u64) -> Result<u128, PoolError> {
        let shares = self.shares_for(amount_atoms)?;
        if shares == 0 {
            return Err(PoolError::Nothing);
        }
        self.earn(amount_atoms)?;
        self.shares = self.shares.checked_add(shares).ok_or(MathError::Overflow)?;
        Ok(shares)
    }

    /// Burn shares for what they are worth while `withheld_atoms` are spoken for, but for no more than `most_atoms`.
    pub fn leave(&mut self, shares: u128, most_atoms: u64, withheld_atoms: u64) -> Result<u64, PoolError> {
        let free = Self { assets_atoms: self.assets_atoms.saturating_sub(withheld_atoms), ..*self };
        let paid = free.value_of(shares)?.min(most_atoms);
        if paid == 0 {
            return Err(PoolError::Nothing);
        }
        self.burn(shares)?;
        self.lose(paid)?;
        Ok(paid)
    }

    /// Burn shares for nothing: what they were worth falls to the others.
    pub fn burn(&mut self, shares: u128) -> Result<(), PoolError> {
        self.shares = self.shares.checked_sub(shares).ok_or(PoolError::TooMuch)?;
        Ok(())
    }

    /// Take in what belongs to every share.
    pub fn earn(&mut self, amount_atoms: u64) -> Result<(), PoolError> {
        let assets = self.assets_atoms.checked_add(amount_atoms).ok_or(MathError::Overflow)?;
        if assets > CAP_ATOMS {
            return Err(PoolError::Full);
        }
        self.assets_atoms = assets;
        Ok(())
    }

    /// Pay out what every share bears.
    pub fn lose(&mut self, amount_atoms: u64) -> Result<(), PoolError> {
        self.assets_atoms = self.assets_atoms.checked_sub(amount_atoms).ok_or(PoolError::TooMuch)?;
        Ok(())
    }

    /// Are the shares worth so little that new ones could not be counted beside them?
    pub fn is_used_up(&self) -> Result<bool, MathError> {
        let worth = self.all_atoms()?.checked_mul(PAR_SHARES).and_then(|worth| worth.checked_mul(USED_UP)).ok_or(MathError::Overflow)?;
        Ok(worth < self.all_shares()?)
    }
}
