//! Bills of cards (账单): lines, payments, credit notes, late fees, what each posts, and the run that draws them.
//!
//! The run recomputes what should be billed and compares it with what was: what is missing is drawn, what is too much is
//! credited. It must not know lanes and providers: money comes as an amount and the account that it came to.

mod allocate;
mod bill;
mod compare;
mod credit;
mod draw;
mod late;
mod line;
mod position;
mod repair;

pub use allocate::{Allocated, allocate};
pub use bill::{CardBill, Heading, Reached, Standing};
pub use compare::{Comparison, Estate, Piece, Surplus, compare};
pub use credit::{CreditNote, CreditedLine, Part, Retention};
pub use draw::{Bounds, Drawn, Parked, RunOutcome, draw, run_card};
pub use late::Late;
pub use line::{BilledDays, CardLine, CreditedDays, Nature, Source, to_minor};
pub use position::{Balances, Move, position, postings, recognised};
pub use repair::{Repaired, Terms, repair};
