//! The lists of plates (白名单) of cameras that can open by themselves: made from the gate passes, kept with each camera.

mod actor;
mod ear;
pub mod messages;

pub use actor::{ListedCamera, WhitelistActor, WhitelistParts};
pub use ear::Ear;
