use crate::FeedState;

/// What a price may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Match signed orders on chain.
    Match,
    /// Value an account that takes money out.
    Withdraw,
    Liquidate,
    /// Widen the range of prices that a batch may hold.
    Settle,
}

/// The one table of which state permits what. A single source is enough to record and to match inside the band, never to liquidate.
pub fn allows(state: FeedState, action: Action) -> bool {
    match (state, action) {
        (FeedState::Valid, _) => true,
        (FeedState::Single, Action::Match | Action::Withdraw | Action::Settle) => true,
        (FeedState::Single, Action::Liquidate) => false,
        (FeedState::Stale | FeedState::Disputed, _) => false,
    }
}
