use anchor_lang::prelude::*;

#[error_code]
pub enum JitError {
    #[msg("Initialising takes the program's own signature")]
    NotDeployer,
    #[msg("A parameter is out of range")]
    BadParameters,
    #[msg("Only the pool's manager may do this")]
    NotManager,
    #[msg("Only the member may do this")]
    NotOwner,
    #[msg("The accounts given are not those that this needs")]
    WrongAccounts,
    #[msg("The token account is not the one that this needs")]
    WrongTokenAccount,
    #[msg("The exchange's phase does not permit this: live, the engine runs the auctions")]
    WrongPhase,
    #[msg("The instruction before this one is no Ed25519 verification of what this needs")]
    NoSignature,
    #[msg("The signed bytes are no order")]
    NotAnOrder,
    #[msg("The key may not trade this, or not for long enough")]
    KeyRefused,
    #[msg("The order is of another program, cluster, market or account")]
    OtherDomain,
    #[msg("The order expires too early")]
    Expired,
    #[msg("The order's nonce is used up or from before the fallback")]
    OldNonce,
    #[msg("The order has no such size left")]
    Overfilled,
    #[msg("The price is not fresh or not agreed enough for this")]
    BadPriceState,
    #[msg("A bid is of the other side, as good as the path's price, and no smaller than its part")]
    BadBid,
    #[msg("The auction is over")]
    AuctionOver,
    #[msg("The auction still runs")]
    AuctionRuns,
    #[msg("The time for this is over")]
    TooLate,
    #[msg("The time for this has not come")]
    TooEarly,
    #[msg("A better bid comes first")]
    NotBest,
    #[msg("The bid binds its maker until the auction is settled")]
    Binding,
    #[msg("The maker can keep the bid")]
    NotAtFault,
    #[msg("The amount is below the least that may join")]
    BelowMinimum,
    #[msg("The amount buys no share, or the shares are worth nothing")]
    WorthNothing,
    #[msg("The pool is full")]
    Full,
    #[msg("There are not so many shares, or not so much money")]
    TooMuch,
    #[msg("Losses have used up this pool's shares")]
    UsedUp,
    #[msg("There is a request to leave already, or none")]
    WrongRequest,
    #[msg("The pool's money is at work; recall it first")]
    Illiquid,
    #[msg("A computation overflows")]
    Overflow,
    #[msg("An invariant is broken")]
    InvariantBroken,
}

impl From<fixed_point::MathError> for JitError {
    fn from(_: fixed_point::MathError) -> Self {
        Self::Overflow
    }
}

impl From<shares::PoolError> for JitError {
    fn from(error: shares::PoolError) -> Self {
        match error {
            shares::PoolError::Nothing => Self::WorthNothing,
            shares::PoolError::Full => Self::Full,
            shares::PoolError::TooMuch => Self::TooMuch,
            shares::PoolError::Math(_) => Self::Overflow,
        }
    }
}
