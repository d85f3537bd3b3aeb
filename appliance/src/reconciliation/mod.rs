//! Reconciliation at work: statements read as rows to be matched, and the cases that the gate and reconciliation leave to
//! people. What is matched with what is decided in `core::reconciliation`.

mod cases;
mod statement;

pub use cases::{CaseDesk, CaseFault, CaseRefusal, CaseView, Decided};
pub(crate) use cases::{of_difference, of_gate};
pub use statement::{Statement, StatementFault, bounds, of_day, read};
