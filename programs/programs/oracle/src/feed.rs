use anchor_lang::prelude::*;

use crate::error::OracleError;

pub const MAX_PUBLISHERS: usize = 5;
/// A price may be this much ahead of the cluster's clock.
pub const SKEW_S: i64 = 5;
/// The average forgets with this time constant.
pub const AVERAGE_S: u64 = 3_600;
const PPM: u128 = 1_000_000;

#[account]
#[derive(InitSpace)]
pub struct Oracle {
    pub authority: Pubkey,
    /// Who may accept to be the next authority.
    pub offered_authority: Pubkey,
    pub bump: u8,
}

/// Set once: another source of prices is another feed, so that no signature changes what a market is worth.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, InitSpace)]
pub struct FeedParameters {
    pub pyth_feed_id: [u8; 32],
    #[max_len(MAX_PUBLISHERS)]
    pub publishers: Vec<Pubkey>,
    pub quorum: u8,
    pub max_age_s: u32,
    pub max_confidence_ppm: u32,
    /// Two sources agree when they differ by no more than this.
    pub agreement_ppm: u32,
    /// A lone source may move the price by no more than this at once.
    pub max_jump_ppm: u32,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Default, Debug, PartialEq, Eq, InitSpace)]
pub struct Observation {
    pub price_e8: u64,
    pub confidence_e8: u64,
    pub published_at: i64,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub enum FeedState {
    Stale,
    Single,
    Valid,
    Disputed,
}

#[account]
#[derive(InitSpace)]
pub struct Feed {
    pub index: u32,
    pub bump: u8,
    pub parameters: FeedParameters,
    pub pyth: Observation,
    pub published: [Observation; MAX_PUBLISHERS],
    /// State when the price was last combined; `state_at` also lets it age.
    pub state: FeedState,
    pub price_e8: u64,
    pub confidence_e8: u64,
    pub published_at: i64,
    pub average_e8: u64,
}

impl FeedParameters {
    pub fn check(&self) -> Result<()> {
        let publishers = self.publishers.len();
        let distinct = self.publishers.iter().enumerate().all(|(place, key)| !self.publishers[..place].contains(key));
        let rates = [self.max_confidence_ppm, self.agreement_ppm, self.max_jump_ppm];
        let rates_fit = rates.iter().all(|rate| (1..=500_000).contains(rate));
        let quorum = usize::from(self.quorum);
        // A quorum of one publisher would be a single source under another name.
        let quorum_fits = publishers == 0 && quorum == 0 || (2..=publishers).contains(&quorum) && quorum.saturating_mul(2) > publishers;
        let ok = publishers <= MAX_PUBLISHERS && distinct && rates_fit && quorum_fits && (1..=3_600).contains(&self.max_age_s);
        require!(ok, OracleError::BadParameters);
        Ok(())
    }
}

impl Observation {
    /// Refuse what is not positive, wide, old, from the future, or no newer than the source's last.
    pub fn check(&self, parameters: &FeedParameters, last: &Observation, now: i64) -> Result<()> {
        require!(self.price_e8 > 0 && self.price_e8 <= 1 << 60, OracleError::BadPrice);
        let wide = u128::from(self.confidence_e8) * PPM > u128::from(self.price_e8) * u128::from(parameters.max_confidence_ppm);
        require!(!wide, OracleError::WideConfidence);
        require!(self.published_at <= now.saturating_add(SKEW_S), OracleError::FromTheFuture);
        require!(self.fresh(parameters, now), OracleError::TooOld);
        require!(self.published_at > last.published_at, OracleError::NotNewer);
        Ok(())
    }

    fn fresh(&self, parameters: &FeedParameters, now: i64) -> bool {
        self.price_e8 > 0 && now.saturating_sub(self.published_at) <= i64::from(parameters.max_age_s)
    }
}

fn apart(first: u64, second: u64, limit_ppm: u32) -> bool {
    u128::from(first.abs_diff(second)) * PPM > u128::from(first.min(second)) * u128::from(limit_ppm)
}

impl Feed {
    /// Return the state now: a price that nobody renews goes stale.
    pub fn state_at(&self, now: i64) -> FeedState {
        let age = now.saturating_sub(self.published_at);
        if self.price_e8 == 0 || age > i64::from(self.parameters.max_age_s) {
            FeedState::Stale
        } else {
            self.state
        }
    }

    /// Return the median of the fresh publishers, where they make a quorum; of an even number the lower middle.
    fn quorum(&self, now: i64) -> Option<Observation> {
        let mut fresh: Vec<Observation> =
            self.published.iter().filter(|observation| observation.fresh(&self.parameters, now)).copied().collect();
        if self.parameters.quorum == 0 || fresh.len() < usize::from(self.parameters.quorum) {
            return None;
        }
        fresh.sort_unstable_by_key(|observation| observation.price_e8);
        let oldest = fresh.iter().map(|observation| observation.published_at).min()?;
        let middle = fresh.get(fresh.len().saturating_sub(1) >> 1)?;
        Some(Observation { published_at: oldest, ..*middle })
    }

    /// Combine what is fresh. Where sources disagree, or one alone jumps, the price stays and the state says so.
    pub fn combine(&mut self, now: i64) -> Result<()> {
        let pyth = self.pyth.fresh(&self.parameters, now).then_some(self.pyth);
        let (state, chosen) = match (pyth, self.quorum(now)) {
            (Some(first), Some(second)) if apart(first.price_e8, second.price_e8, self.parameters.agreement_ppm) => {
                (FeedState::Disputed, None)
            }
            (Some(first), Some(second)) => (FeedState::Valid, Some(mean(first, second))),
            (Some(single), None) | (None, Some(single)) if self.jumps(single, now) => (FeedState::Disputed, None),
            (Some(single), None) | (None, Some(single)) => (FeedState::Single, Some(single)),
            (None, None) => (FeedState::Stale, None),
        };
        self.state = state;
        match chosen {
            Some(observation) => self.accept(observation),
            None => Ok(()),
        }
    }

    /// After a silence longer than the age limit there is no price left to jump from.
    fn jumps(&self, single: Observation, now: i64) -> bool {
        self.state_at(now) != FeedState::Stale && apart(self.price_e8, single.price_e8, self.parameters.max_jump_ppm)
    }

    fn accept(&mut self, observation: Observation) -> Result<()> {
        let elapsed = observation.published_at.saturating_sub(self.published_at);
        if elapsed < 0 {
            return Ok(());
        }
        self.average_e8 = if self.price_e8 == 0 { observation.price_e8 } else { self.averaged(observation.price_e8, elapsed)? };
        self.price_e8 = observation.price_e8;
        self.confidence_e8 = observation.confidence_e8;
        self.published_at = observation.published_at;
        Ok(())
    }

    /// Weight the new price by the time since the last, rounding towards the old average.
    fn averaged(&self, price_e8: u64, elapsed: i64) -> Result<u64> {
        let weight = u128::from(elapsed.unsigned_abs().min(AVERAGE_S));
        let step = u128::from(price_e8.abs_diff(self.average_e8)) * weight / u128::from(AVERAGE_S);
        let step = u64::try_from(step).map_err(|_| OracleError::Overflow)?;
        let moved = if price_e8 >= self.average_e8 { self.average_e8.checked_add(step) } else { self.average_e8.checked_sub(step) };
        moved.ok_or_else(|| OracleError::Overflow.into())
    }

    pub fn invariant(&self) -> Result<()> {
        let priced = self.price_e8 > 0 && self.average_e8 > 0;
        require!(priced || matches!(self.state, FeedState::Stale | FeedState::Disputed), OracleError::BadPrice);
        Ok(())
    }
}

fn mean(first: Observation, second: Observation) -> Observation {
    let price = (u128::from(first.price_e8) + u128::from(second.price_e8)) >> 1;
    Observation {
        price_e8: u64::try_from(price).unwrap_or(first.price_e8),
        confidence_e8: first.confidence_e8.max(second.confidence_e8),
        published_at: first.published_at.min(second.published_at),
    }
}
