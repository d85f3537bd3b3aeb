//! Property charging on the box: its desks, each a plain struct over [`ChargingParts`] with methods that decide in `core`
//! against a snapshot and commit. HTTP handlers, the control socket and commands on a stopped box all call the same desk.
//!
//! Owns the way from an order of a person to one journal entry. What an order means is core's; what outsiders see
//! of a record is a view, which is also what a call answers.

pub mod bills;
pub mod booking;
pub mod cards;
pub mod estate;
pub mod exchange;
mod fault;
mod form;
pub mod held;
pub mod holders;
mod parts;
pub mod prices;
pub mod reading;
pub mod sheets;
pub mod view;

pub use fault::{ChargingFault, Finding};
pub use form::{of_fields, of_rows, one_row};
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
    /// Uses, spaces, pools.
    pub estate: estate::EstateDesk,
    /// Fee items, packages, recommendations.
    pub prices: prices::PricesDesk,
    /// Holders, vehicles, invitations.
    pub holders: holders::HoldersDesk,
    /// Cards.
    pub cards: cards::CardsDesk,
    /// Tables in and out.
    pub exchange: exchange::ExchangeDesk,
}

impl ChargingDesks {
    /// Over the same parts.
    pub fn new(parts: &ChargingParts) -> Self {
        Self {
            bills: bills::desk::BillDesk::new(parts.clone()),
            runs: bills::run::BillRunner::new(parts.clone()),
            bill_days: bills::days::DayBooks::new(parts.clone()),
            estate: estate::EstateDesk::new(parts.clone()),
            prices: prices::PricesDesk::new(parts.clone()),
            holders: holders::HoldersDesk::new(parts.clone()),
            cards: cards::CardsDesk::new(parts.clone()),
            exchange: exchange::ExchangeDesk::new(parts.clone()),
        }
    }
}
