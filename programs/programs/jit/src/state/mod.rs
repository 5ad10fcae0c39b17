mod auction;
mod bid;
mod pool;
mod terms;

pub use self::auction::*;
pub use self::bid::*;
pub use self::pool::*;
pub use self::terms::*;
