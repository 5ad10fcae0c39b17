pub mod call_margin;
pub mod check_account;
pub mod check_collateral;
pub mod check_portfolio;
pub mod end_margin_call;
pub mod position_room;
pub mod set_haircut;
pub mod set_market_limits;

pub use call_margin::*;
pub use check_account::*;
pub use check_collateral::*;
pub use check_portfolio::*;
pub use end_margin_call::*;
pub use position_room::*;
pub use set_haircut::*;
pub use set_market_limits::*;
