use anchor_lang::prelude::*;

#[error_code]
pub enum GovernanceError {
    #[msg("Initialising takes the program's own signature")]
    NotDeployer,
    #[msg("Only the guardian may do this")]
    NotGuardian,
    #[msg("Only governance itself may do this, by a proposal")]
    NotAuthority,
    #[msg("Only the owner of the stake may do this")]
    NotOwner,
    #[msg("Only who proposed it may do this")]
    NotProposer,
    #[msg("A parameter is out of range")]
    BadParameters,
    #[msg("An amount must be positive")]
    ZeroAmount,
    #[msg("The token account is not the one that this needs")]
    WrongTokenAccount,
    #[msg("The stake is locked")]
    StakeLocked,
    #[msg("The stake came in after the vote began")]
    StakedTooLate,
    #[msg("The stake is too small for this")]
    StakeTooSmall,
    #[msg("The proposal's state does not permit this")]
    WrongState,
    #[msg("The proposal is of before a change of parameters or guardian")]
    Outdated,
    #[msg("The hash is not the proposal's")]
    WrongHash,
    #[msg("A proposal holds no more instructions than this, and at least one")]
    WrongCount,
    #[msg("Instructions are executed in their order, each once")]
    WrongOrder,
    #[msg("The time for this has not come")]
    TooEarly,
    #[msg("The time for this is over")]
    Expired,
    #[msg("The vote did not pass")]
    NotPassed,
    #[msg("The instruction does not tighten")]
    NotTightening,
    #[msg("Governance executes no such instruction")]
    NotAllowed,
    #[msg("The accounts given are not those of the instruction")]
    WrongAccounts,
    #[msg("The buffer must be governance's before the vote, and hold what was voted on")]
    WrongBuffer,
    #[msg("A proposal about the guardian cannot be vetoed")]
    NotVetoable,
    #[msg("The treasury's outflow of a day is reached")]
    AboveCap,
    #[msg("A cap is only lowered at once")]
    NotLower,
    #[msg("A transaction on a durable nonce never expires, and so is not taken")]
    DurableNonce,
    #[msg("A computation overflows")]
    Overflow,
    #[msg("An invariant is broken")]
    InvariantBroken,
}

impl From<fixed_point::MathError> for GovernanceError {
    fn from(_: fixed_point::MathError) -> Self {
        Self::Overflow
    }
}
