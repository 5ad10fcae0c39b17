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
}
