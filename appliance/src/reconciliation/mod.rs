//! Reconciliation at work: fetch or take a statement, match it with the books, book what it proves, keep the rest as cases,
//! and close the day when every difference has an owner.
//!
//! What is matched with what is decided in `core::reconciliation`; what a capture or a refund posts in `core::pay`. Here
//! stand the order of steps and the reading of both sides.

mod cases;
mod command;
mod desk;
mod marks;
mod ours;
mod repair;
mod statement;
mod sums;

pub use cases::{CaseDesk, CaseFault, CaseRefusal, CaseView, Decided, MoneyWaiting};
pub(crate) use cases::{of_difference, of_gate, of_payment};
pub use command::ReconcileCommand;
pub use desk::{ReconcileFault, Reconciler, Report, Source, Surroundings};
pub use statement::{Statement, StatementFault, bounds, of_day, read};
