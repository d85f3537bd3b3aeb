//! Property charging on the box: its desks, each a plain struct over [`ChargingParts`] with methods that decide in `core`
//! against a snapshot and commit. HTTP handlers, the control socket and commands on a stopped box all call the same desk.
//!
//! Owns the way from an order of a person to one journal entry. What an order means is core's; what outsiders see
//! of a record is a view, which is also what a call answers.

pub mod bills;
mod fault;
mod parts;

pub use fault::{ChargingFault, Finding};
pub use parts::{ChargingParts, Decided};

/// The desks.
#[derive(Clone)]
pub struct ChargingDesks {
    /// Bills of cards.
    pub bills: bills::desk::BillDesk,
    /// Runs of bills.
    pub runs: bills::run::BillRunner,
    /// Days of temporary bills.
    pub bill_days: bills::days::DayBooks,
}

impl ChargingDesks {
    /// Over the same parts.
    pub fn new(parts: &ChargingParts) -> Self {
        Self {
            bills: bills::desk::BillDesk::new(parts.clone()),
            runs: bills::run::BillRunner::new(parts.clone()),
            bill_days: bills::days::DayBooks::new(parts.clone()),
        }
    }
}
