//! Shares of a pool of money. What they are worth follows from what the pool counted in and out, never from a token balance, and every
//! division rounds against who acts.

mod pool;

pub use pool::{Pool, PoolError, CAP_ATOMS, PAR_SHARES};
