//! The lot's actor: parent of the lanes. It starts, watches and restarts them, and makes the rounds (totals, clock,
//! housekeeping). It decides nothing about cars.

mod actor;
pub mod messages;
mod outbox;
mod rounds;
mod routes;

pub use actor::{LotActor, LotParts};
pub use outbox::Outbox;
pub use rounds::{HousekeepingPlace, Rounds};
pub use routes::Routes;
