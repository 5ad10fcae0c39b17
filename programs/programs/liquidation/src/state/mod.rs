mod dispute;
mod fund;
mod liquidation;
mod parameters;
mod recovery;
mod stake;

pub use dispute::*;
pub use fund::*;
pub use liquidation::*;
pub use parameters::*;
pub use recovery::*;
pub use stake::*;
