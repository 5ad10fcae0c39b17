mod asset;
mod batch;
mod challenge;
mod exchange;
mod fills;
mod market;
mod trading_key;
mod user;
mod voucher;

pub use asset::*;
pub use batch::*;
pub use challenge::*;
pub use exchange::*;
pub use fills::*;
pub use market::*;
pub use trading_key::*;
pub use user::*;
pub use voucher::*;
