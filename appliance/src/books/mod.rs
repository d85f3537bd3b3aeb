//! The books as people read them: balances, postings, trial balances, closed days, and exports for an accountant.
//!
//! Everything here is read from the journal's postings and from the days that are closed; what an event posts is decided in
//! `core`, in the same entry as what caused it. This desk writes one thing only: the record of a closed day.

mod closing;
mod command;
mod desk;
mod entry;
mod holder;
mod ledger;
mod workbook;

pub use closing::close_days;
pub use command::{BooksAnswer, BooksCommand, StatementOf};
pub use desk::{BooksDesk, BooksFault, Statement, TrialBalance, trial_balance};
pub use entry::{Between, Page, PostedEntry, SCAN_AT_ONCE, entries};
pub use holder::{HolderLine, HolderStatement, holder_statement};
pub use ledger::LedgerFile;
pub use workbook::BooksWorkbook;
