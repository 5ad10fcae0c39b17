pub mod accept_authority;
pub mod create_feed;
pub mod initialise;
pub mod offer_authority;
pub mod publish;
pub mod update_from_pyth;

pub use accept_authority::*;
pub use create_feed::*;
pub use initialise::*;
pub use offer_authority::*;
pub use publish::*;
pub use update_from_pyth::*;
