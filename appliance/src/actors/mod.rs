//! The actors. Each has the same rooms: `actor` (unpack, step, carry out) and `messages` (what peers may know of it).
//! Peers know message types, never each other; all meet in `wiring`.

pub mod billing;
pub mod lane;
pub mod ledger;
pub mod lot;
pub mod passes;
pub mod payment;
pub mod whitelist;
