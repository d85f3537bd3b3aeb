//! Bills of cards (账单): lines, payments, credit notes, late fees, what each posts, and the run that draws them.
//!
//! The run recomputes what should be billed and compares it with what was: what is missing is drawn, what is too much is
//! credited. It must not know lanes and providers: money comes as an amount and the account that it came to.

mod allocate;
mod bill;
mod book;
mod compare;
mod credit;
mod day;
mod deposit;
mod draw;
mod late;
mod line;
mod pay;
mod position;
mod reminder;
mod repair;
mod run;

pub use allocate::{Allocated, allocate};
pub use bill::{CardBill, Heading, Reached, Standing};
pub use book::{BillBooks, Moved, OpenBill, credit_counter, day_of_counter, earn_days};
pub use compare::{Comparison, Estate, Piece, Surplus, compare};
pub use credit::{CreditNote, CreditedLine, Part, Retention};
pub use day::{BillDay, CaughtUp, DayCursor, DayFigures, TemporaryBill, book_batch};
pub use deposit::{apply_deposit, deposit_held, forfeit_deposit, return_deposit};
pub use draw::{Bounds, Drawn, Parked, RunOutcome, draw, run_card};
pub use late::Late;
pub use line::{BilledDays, CardLine, CreditedDays, Nature, Source, to_minor};
pub use pay::{
    MOST_BILLS, PaidBills, PayFault, Payable, PayableBill, Receipt, bills_of, due_on, pay, pay_by_credit, payable_bills,
};
pub use position::{Balances, Move, position, postings, recognised};
pub use reminder::Reminder;
pub use repair::{Repaired, Terms, repair};
pub use run::{BillRun, CardStep, Chunk, ParkedCard, RunSums, RunTerms, bill_card, late_fee, run_chunk};
