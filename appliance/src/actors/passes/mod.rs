//! Keeps the gate's passes up to date with cards and bills, within moments, and has lanes look again when a pass or a
//! place of a card has changed. What a card comes to at the gate is core's (`charging::gate`).

mod actor;
mod desk;

pub use actor::{PassesActor, PassesParts};
pub use desk::{PassDesk, PassFault, Round};
