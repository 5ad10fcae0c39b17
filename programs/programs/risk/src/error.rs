use anchor_lang::prelude::*;

#[error_code]
pub enum RiskError {
    #[msg("The account has the margin that it needs")]
    HasMargin,
    #[msg("The account is still short of margin")]
    ShortOfMargin,
    #[msg("The accounts given are not those that this needs")]
    WrongAccounts,
    #[msg("The price may not decide this now")]
    BadPriceState,
    #[msg("A computation overflows")]
    Overflow,
    #[msg("Only the exchange's authority may do this")]
    NotAuthority,
    #[msg("A parameter is out of range")]
    BadParameters,
}

impl From<fixed_point::MathError> for RiskError {
    fn from(_: fixed_point::MathError) -> Self {
        Self::Overflow
    }
}
