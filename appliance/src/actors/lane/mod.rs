//! A lane's actor: unpacks what it is told, lets `core` step, and carries out the effects. It decides nothing.

mod actor;
pub mod messages;
mod place;
mod translate;
mod watching;

pub use actor::{LaneActor, LaneParts};
pub use place::{Place, Places};
pub use watching::LaneWatch;
