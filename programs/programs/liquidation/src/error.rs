use anchor_lang::prelude::*;

#[error_code]
pub enum LiquidationError {
    #[msg("Initialising takes the program's own signature")]
    NotDeployer,
    #[msg("A parameter is out of range")]
    BadParameters,
    #[msg("Only the stake's owner may do this")]
    NotOwner,
    #[msg("Only the exchange's authority decides disputes")]
    NotArbiter,
    #[msg("The accounts given are not those that this needs")]
    WrongAccounts,
    #[msg("The token account is not the one that this needs")]
    WrongTokenAccount,
    #[msg("The stake is below the least that may be staked")]
    BelowMinimum,
    #[msg("The amount buys no share, or the shares are worth nothing")]
    WorthNothing,
    #[msg("The fund is full")]
    Full,
    #[msg("There are not so many shares, or not so much money")]
    TooMuch,
    #[msg("A loss has used up the shares of this stake")]
    WrittenOff,
    #[msg("There is a request to unstake already, or none")]
    WrongRequest,
    #[msg("The time for this has not come")]
    TooEarly,
    #[msg("The time for this is over")]
    TooLate,
    #[msg("The account is not below zero without positions, or is one that the fund does not insure")]
    NotBankrupt,
    #[msg("The account is still below zero")]
    StillBankrupt,
    #[msg("The bound of this event or of the day is reached, or the fund is empty")]
    OutsideBounds,
    #[msg("The account is not below maintenance")]
    NotShort,
    #[msg("The account is still below maintenance")]
    StillShort,
    #[msg("A liquidation of this account is open already, or has ended")]
    WrongLiquidation,
    #[msg("The price is not the oracle's latest, or may not decide this")]
    BadPriceState,
    #[msg("Not so much of the position may be taken yet")]
    AboveFraction,
    #[msg("This was done already")]
    AlreadyDone,
    #[msg("The dispute is decided, or is not")]
    WrongDispute,
    #[msg("The award is above the claim")]
    AboveClaim,
    #[msg("A computation overflows")]
    Overflow,
    #[msg("An invariant is broken")]
    InvariantBroken,
}

impl From<shares::PoolError> for LiquidationError {
    fn from(error: shares::PoolError) -> Self {
        match error {
            shares::PoolError::Nothing => Self::WorthNothing,
            shares::PoolError::Full => Self::Full,
            shares::PoolError::TooMuch => Self::TooMuch,
            shares::PoolError::Math(_) => Self::Overflow,
        }
    }
}
