use anchor_lang::prelude::*;

#[error_code]
pub enum DexError {
    #[msg("Only the exchange's authority may do this")]
    NotAuthority,
    #[msg("Only the settler may do this")]
    NotSettler,
    #[msg("Only the account's owner may do this")]
    NotOwner,
    #[msg("Initialising takes the program's own signature")]
    NotDeployer,
    #[msg("A parameter is out of range")]
    BadParameters,
    #[msg("The exchange's phase does not permit this")]
    WrongPhase,
    #[msg("The time for this has not come")]
    TooEarly,
    #[msg("The time for this is over")]
    TooLate,
    #[msg("An amount must be positive")]
    ZeroAmount,
    #[msg("The asset's deposit cap is reached")]
    DepositCap,
    #[msg("The token account is not the one that this asset needs")]
    WrongTokenAccount,
    #[msg("The withdrawal is above what may leave: final balance, holds and margin")]
    NotWithdrawable,
    #[msg("The withdrawal limit of the hour or the day is reached")]
    WithdrawalLimit,
    #[msg("The voucher is not for this withdrawal")]
    WrongVoucher,
    #[msg("A voucher's number must follow the last")]
    WrongNumber,
    #[msg("A batch must follow the last: number and hash")]
    WrongSequence,
    #[msg("Another batch is open, or none is")]
    WrongBatch,
    #[msg("The batch does not know every event of the chain")]
    UnknownChainEvents,
    #[msg("Accounts must come in ascending order, each once")]
    NotAscending,
    #[msg("The accounts given are not those that this needs")]
    WrongAccounts,
    #[msg("The batch's changes do not sum to zero")]
    NotZeroSum,
    #[msg("The batch's root is not that of its accounts")]
    WrongRoot,
    #[msg("Changes must be canonical: ascending, none zero, of known assets and markets")]
    BadChanges,
    #[msg("A balance that cannot be owed would go below zero")]
    Overdrawn,
    #[msg("An account holds no more positions than this")]
    TooManyPositions,
    #[msg("The price is not fresh or not agreed enough for this")]
    BadPriceState,
    #[msg("The proof does not lead to the batch's root")]
    BadProof,
    #[msg("The answer's leaf breaks a rule")]
    BadLeaf,
    #[msg("The leaf's time is outside its batch")]
    OutsideInterval,
    #[msg("The price is outside the oracle's range")]
    OutsideRange,
    #[msg("The order is filled twice")]
    FilledTwice,
    #[msg("The instruction before this one is no Ed25519 verification of what this needs")]
    NoSignature,
    #[msg("The signed bytes are no order")]
    NotAnOrder,
    #[msg("The key may not trade this")]
    KeyRefused,
    #[msg("The order is of another program or cluster")]
    OtherDomain,
    #[msg("The order is of another market")]
    OtherMarket,
    #[msg("The order is of another account")]
    OtherAccount,
    #[msg("The order has expired")]
    Expired,
    #[msg("The order has no such size left")]
    Overfilled,
    #[msg("The price is outside the order's limit")]
    OutsideLimit,
    #[msg("The fee is above the order's cap")]
    FeeAboveCap,
    #[msg("The order may only reduce")]
    NotReducing,
    #[msg("The order's nonce is used up or from before the fallback")]
    OldNonce,
    #[msg("The orders do not cross")]
    NotCrossing,
    #[msg("The account would be short of margin")]
    ShortOfMargin,
    #[msg("The account is not below maintenance")]
    NotLiquidatable,
    #[msg("This was done already")]
    AlreadyDone,
    #[msg("A computation overflows")]
    Overflow,
    #[msg("An invariant is broken")]
    InvariantBroken,
    #[msg("The authority signs no transaction on a durable nonce")]
    DurableNonce,
    #[msg("Only accounts of the custodian change like this")]
    NotCustodied,
    #[msg("No such bankruptcy was shown")]
    NotBankrupt,
    #[msg("A price or a fee would make a debt")]
    DebtByPrice,
    #[msg("The custodian's accounts together would owe")]
    HouseOwes,
}

impl From<fixed_point::MathError> for DexError {
    fn from(_: fixed_point::MathError) -> Self {
        Self::Overflow
    }
}

impl From<merkle::MerkleError> for DexError {
    fn from(error: merkle::MerkleError) -> Self {
        match error {
            merkle::MerkleError::Overflow => Self::Overflow,
            merkle::MerkleError::NotCanonical => Self::BadChanges,
            merkle::MerkleError::Empty | merkle::MerkleError::Shape => Self::BadProof,
        }
    }
}

impl From<order::FillError> for DexError {
    fn from(error: order::FillError) -> Self {
        match error {
            order::FillError::OtherDomain => Self::OtherDomain,
            order::FillError::OtherMarket => Self::OtherMarket,
            order::FillError::Expired => Self::Expired,
            order::FillError::NoSize => Self::ZeroAmount,
            order::FillError::Overfilled => Self::Overfilled,
            order::FillError::OutsideLimit => Self::OutsideLimit,
            order::FillError::FeeAboveCap => Self::FeeAboveCap,
            order::FillError::NotReducing => Self::NotReducing,
            order::FillError::Math(_) => Self::Overflow,
        }
    }
}
