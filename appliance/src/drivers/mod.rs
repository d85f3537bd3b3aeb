//! The box's drivers: which versions are installed, which one each instance runs, and how that changes while the box runs.
//!
//! An instance has a place ([`slot`]) that outlives what runs in it. Versions are kept on a [`shelf`]; which of them runs
//! is on [`record`]; an [`order`] of a person comes to a [`plan`], which the [`desk`] carries out. How a driver is run and
//! locked up is `tollhouse_drivers`' business.

pub mod desk;
pub mod order;
pub mod plan;
pub mod record;
pub mod shelf;
pub mod slot;

pub use desk::{DeskParts, DriverDesk};
pub use shelf::Shelf;
pub use slot::{DriverSlot, Surroundings, slots};
