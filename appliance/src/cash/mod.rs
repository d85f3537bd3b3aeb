//! The till: shifts, cash for bills, stored value, and what else people did by hand during a shift.

mod deeds;
mod desk;

pub use deeds::{Deed, deeds};
pub use desk::{CashDesk, CashParts, ReportFault, ShiftReport};
