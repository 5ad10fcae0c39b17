pub mod create_feed;
pub mod initialise;
pub mod publish;
pub mod update_from_pyth;

pub use create_feed::*;
pub use initialise::*;
pub use publish::*;
pub use update_from_pyth::*;
