use anchor_lang::prelude::*;
use solana_sha256_hasher::hashv;

use super::{Governance, PPM};
use crate::error::GovernanceError;

pub const MAX_INSTRUCTIONS: usize = 8;
const DOMAIN: &[u8] = b"quantdesk governance proposal";

/// What tightens takes effect as soon as it has passed; everything else loosens, and waits until everybody could leave.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub enum Kind {
    Loosening,
    Tightening,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub enum ProposalState {
    Draft,
    Voting,
    Cancelled,
    Vetoed,
    Executed,
}

#[account]
#[derive(InitSpace)]
pub struct Proposal {
    pub number: u64,
    pub bump: u8,
    pub proposer: Pubkey,
    pub kind: Kind,
    pub state: ProposalState,
    #[max_len(MAX_INSTRUCTIONS)]
    pub instruction_hashes: Vec<[u8; 32]>,
    /// Only about who is guardian: he cannot veto that.
    pub replaces_guardian: bool,
    /// Governance's epoch when the vote began.
    pub epoch: u64,
    pub begun_slot: u64,
    pub votes_until: i64,
    pub ready_at: i64,
    pub expires_at: i64,
    /// Stakes that take part are locked until then.
    pub locks_until: i64,
    /// All stake when the vote began, and what of it must say yes.
    pub staked_atoms: u64,
    pub quorum_atoms: u64,
    pub majority_ppm: u32,
    pub yes_atoms: u64,
    pub no_atoms: u64,
    /// How many of the instructions were executed.
    pub executed: u8,
}

impl Proposal {
    /// Return what a vote is about: these instructions, under these rules.
    pub fn hash(&self) -> [u8; 32] {
        let (number, epoch, kind) = (self.number.to_le_bytes(), self.epoch.to_le_bytes(), [self.kind as u8]);
        hashv(&[DOMAIN, crate::ID.as_ref(), &number, &epoch, &kind, self.instruction_hashes.as_flattened()]).to_bytes()
    }

    pub fn require_state(&self, state: ProposalState) -> Result<()> {
        require!(self.state == state, GovernanceError::WrongState);
        Ok(())
    }

    pub fn begin(&mut self, governance: &Governance, wait_s: i64, clock: &Clock) -> Result<()> {
        let parameters = &governance.parameters;
        self.state = ProposalState::Voting;
        self.epoch = governance.epoch;
        self.begun_slot = clock.slot;
        self.votes_until = clock.unix_timestamp.saturating_add(parameters.voting_s);
        self.ready_at = self.votes_until.saturating_add(wait_s);
        self.expires_at = self.ready_at.saturating_add(parameters.execution_s);
        self.locks_until = self.ready_at.max(self.votes_until.saturating_add(parameters.lock_s));
        self.staked_atoms = governance.staked_atoms;
        self.quorum_atoms = governance.quorum_atoms()?;
        self.majority_ppm = parameters.majority_ppm;
        Ok(())
    }

    pub fn count(&mut self, approves: bool, atoms: u64) -> Result<()> {
        let votes = if approves { &mut self.yes_atoms } else { &mut self.no_atoms };
        *votes = votes.checked_add(atoms).ok_or(GovernanceError::Overflow)?;
        Ok(())
    }

    pub fn has_passed(&self) -> bool {
        let voted = u128::from(self.yes_atoms).saturating_add(u128::from(self.no_atoms));
        let majority = u128::from(self.yes_atoms).saturating_mul(u128::from(PPM)) > voted.saturating_mul(u128::from(self.majority_ppm));
        self.yes_atoms >= self.quorum_atoms && majority
    }

    /// What tightens need not wait for the end of a vote that nobody can turn any more. Weights are fixed before the vote begins, so no
    /// stake that comes in late can tip it.
    fn is_certain(&self) -> bool {
        let needed = u128::from(self.staked_atoms).saturating_mul(u128::from(self.majority_ppm));
        self.kind == Kind::Tightening && u128::from(self.yes_atoms).saturating_mul(u128::from(PPM)) > needed
    }

    /// `wait_s`: how long it would wait by what the exchange promises now; the longer of both waits counts.
    pub fn require_executable(&self, governance: &Governance, wait_s: i64, now: i64) -> Result<()> {
        self.require_state(ProposalState::Voting)?;
        require!(self.epoch == governance.epoch, GovernanceError::Outdated);
        let certain = self.is_certain();
        require!(certain || now > self.votes_until, GovernanceError::TooEarly);
        require!(self.has_passed(), GovernanceError::NotPassed);
        require!(certain || now >= self.ready_at.max(self.votes_until.saturating_add(wait_s)), GovernanceError::TooEarly);
        require!(now <= self.expires_at, GovernanceError::Expired);
        Ok(())
    }

    /// Count an instruction as executed, before it is.
    pub fn advance(&mut self, index: u8) -> Result<()> {
        require!(index == self.executed, GovernanceError::WrongOrder);
        self.executed = self.executed.checked_add(1).ok_or(GovernanceError::Overflow)?;
        if usize::from(self.executed) == self.instruction_hashes.len() {
            self.state = ProposalState::Executed;
        }
        Ok(())
    }

    /// Nobody votes with more than was staked when the vote began, and nothing is executed that is not in the proposal.
    pub fn invariant(&self) -> Result<()> {
        let votes = self.yes_atoms.checked_add(self.no_atoms).is_some_and(|voted| voted <= self.staked_atoms);
        let executed = usize::from(self.executed) <= self.instruction_hashes.len() && self.instruction_hashes.len() <= MAX_INSTRUCTIONS;
        require!(votes && executed, GovernanceError::InvariantBroken);
        Ok(())
    }
}
