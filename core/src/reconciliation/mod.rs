//! Reconciliation (对账): a provider's statement of a day held against the books, line by line.
//!
//! [`partition`] puts every row of both sides into exactly one [`Class`] (payments.md, invariant 12): rows are matched by
//! transaction, order and refund, and never merged before. What the evidence proves is repaired by the shell through the
//! same functions that callbacks and queries use; the rest becomes a [`Difference`], a case with both sides and a
//! proposal. How a statement is fetched and read is the shell's business.

mod partition;
mod proposal;
mod record;
mod row;
pub mod three_way;

pub use partition::{Day, partition};
pub use proposal::{OrderOf, Proposal, proposal};
pub use record::{
    ClassTotal, DayState, Difference, Handling, HandlingState, Note, Reconciled, Reconciliation, Seen, Side,
};
pub use row::{Carried, Class, Classed, Done, Key, Kind, Origin, Ours, Theirs};
