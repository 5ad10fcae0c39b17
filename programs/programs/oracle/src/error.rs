use anchor_lang::prelude::*;

#[error_code]
pub enum OracleError {
    #[msg("Only the feed's authority may do this")]
    NotAuthority,
    #[msg("Initialising takes the program's own signature")]
    NotDeployer,
    #[msg("The feed's parameters are out of range")]
    BadParameters,
    #[msg("The account is not owned by Pyth's receiver")]
    ForeignOwner,
    #[msg("The account is not a Pyth price update")]
    NotPriceUpdate,
    #[msg("The update was not verified in full")]
    PartlyVerified,
    #[msg("The update is of another feed")]
    OtherFeed,
    #[msg("The price is not positive or too large")]
    BadPrice,
    #[msg("The price's exponent is out of range")]
    BadExponent,
    #[msg("The confidence interval is too wide")]
    WideConfidence,
    #[msg("The price is from the future")]
    FromTheFuture,
    #[msg("The price is too old")]
    TooOld,
    #[msg("The price is not newer than the last of this source")]
    NotNewer,
    #[msg("The signer does not publish for this feed")]
    NotPublisher,
    #[msg("A computation overflows")]
    Overflow,
    #[msg("The authority signs no transaction on a durable nonce")]
    DurableNonce,
}
