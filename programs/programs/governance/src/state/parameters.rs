use anchor_lang::prelude::*;

use crate::error::GovernanceError;

pub const PPM: u32 = 1_000_000;
const MIN_S: i64 = 60;
const MAX_S: i64 = 90 * 86_400;

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub struct Parameters {
    /// A vote is open for this long.
    pub voting_s: i64,
    /// What loosens waits this long after its vote, and never less than two exits of the exchange.
    pub loosening_s: i64,
    /// What may be executed must be executed in this time.
    pub execution_s: i64,
    /// Stake is locked for this long when it comes in, and after the end of every vote that it took part in.
    pub lock_s: i64,
    /// The least stake that may propose.
    pub proposal_atoms: u64,
    /// The share of all stake that must say yes ...
    pub quorum_ppm: u32,
    /// ... and the least that must, however little is staked.
    pub quorum_atoms: u64,
    /// Of what is voted, more than this share must say yes.
    pub majority_ppm: u32,
}

impl Parameters {
    /// The upper bounds keep governance able to act: a quorum that nobody reaches could never be lowered again.
    pub fn check(&self) -> Result<()> {
        let times = [self.voting_s, self.loosening_s, self.execution_s, self.lock_s];
        let ok = times.iter().all(|time| (MIN_S..=MAX_S).contains(time))
            && self.proposal_atoms > 0
            && self.quorum_atoms > 0
            && (PPM / 100..=PPM * 6 / 10).contains(&self.quorum_ppm)
            && (PPM / 2..=PPM * 9 / 10).contains(&self.majority_ppm);
        require!(ok, GovernanceError::BadParameters);
        Ok(())
    }
}
