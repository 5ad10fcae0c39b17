mod governance;
mod instruction;
mod parameters;
mod proposal;
mod stake;
mod treasury;

pub use governance::*;
pub use instruction::*;
pub use parameters::*;
pub use proposal::*;
pub use stake::*;
pub use treasury::*;
