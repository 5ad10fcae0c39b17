pub mod call_margin;
pub mod check_account;
pub mod check_portfolio;
pub mod end_margin_call;

pub use call_margin::*;
pub use check_account::*;
pub use check_portfolio::*;
pub use end_margin_call::*;
