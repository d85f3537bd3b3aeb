//! Arrears (欠费): what a car owes that left without paying, asked for at its next visit, paid or forgiven.
//!
//! The debt itself is the bill of its stay, which stays open: it is paid like any bill, by phone or in cash, beside the new
//! one and never mixed with it. A claim only says whose it is, how the car got away and what shows it. Nobody is shut in for
//! an old debt. What is owed is read from the bill, never kept twice.

mod claim;
mod forgive;

pub use claim::{Arrears, Forgiven, HowItLeft, Owed, claims_of, look, missed_exit, note};
pub use forgive::{ForgiveRefusal, forgive};
