//! Cash (现金) and stored value (储值): shifts with their drawers, what is taken and given back, and money on cards.
//!
//! Everything that goes into or out of a drawer is one receipt of one shift and one posting on its account, so that a
//! shift can be counted: float + in - out = counted, or a difference that has a name (payments.md, invariant 16). Who may
//! do what is the shell's to know.

mod count;
mod elsewhere;
mod receipt;
mod refund;
mod shift;
mod stored;
mod take;

pub use count::{Coin, Pieces, sum};
pub use elsewhere::{IN_THE_CONSOLE, explain_refund, refund_order};
pub use receipt::{CashFor, CashReceipt, Way};
pub use refund::{PayOut, pay_out};
pub use shift::{Closing, Count, MovedCash, OpenShift, Shift, ShiftState, ShiftTerms, close, move_cash, open};
pub use stored::{StoredMove, StoredMoved, StoredValue, give_back, spend, top_up};
pub use take::{Taking, Tendered, take};

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::id::IdKey;
use crate::money::{Currency, Money, MoneyError};
use crate::pay::OrderRefusal;
use crate::record::ReadError;
use crate::tariff::TariffBook;

/// The longest name of an attendant, in characters.
pub const MAX_ATTENDANT_CHARS: usize = 64;
/// The longest reason, in characters.
pub const MAX_REASON_CHARS: usize = 200;
/// The most that goes over a counter at once, in smallest units: a million yuan.
pub const MAX_CASH_MINOR: i64 = 100_000_000;

/// Under what cash is taken.
#[derive(Debug, Clone, Copy)]
pub struct CashTerms<'t> {
    /// What a stay costs, for a car that pays while it is inside.
    pub tariff: &'t TariffBook,
    /// The tax rate of parking.
    pub tax_rate: Decimal,
    /// From which ids are derived.
    pub key: &'t IdKey,
    /// When.
    pub now: DateTime<Utc>,
    /// The lot's date.
    pub today: NaiveDate,
    /// The smallest coin.
    pub coin: Coin,
}

/// Why cash does not move. Nothing was written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CashRefusal {
    /// The attendant's name is empty or too long.
    #[error("an attendant's name has 1 to {MAX_ATTENDANT_CHARS} characters")]
    Attendant,
    /// A reason is needed, or it is too long.
    #[error("say why, in 1 to {MAX_REASON_CHARS} characters")]
    Reason,
    /// The attendant has a shift already.
    #[error("{0} has an open shift: close it, or hand it over")]
    OpenAlready(String),
    /// The attendant has no shift.
    #[error("{0} has no open shift: open one with a counted float")]
    NoShift(String),
    /// Below zero, beyond all measure, or of another currency.
    #[error("{0} is no amount that can be taken or given here")]
    Amount(Money),
    /// The pieces do not come to the sum.
    #[error("the pieces counted come to {pieces}, not to {sum}")]
    Count {
        /// What the pieces come to.
        pieces: Money,
        /// What was said.
        sum: Money,
    },
    /// Less than what is due.
    #[error("{due} is due in cash and {tendered} was given: take all of it, or say that it is a part")]
    NotEnough {
        /// Due, rounded to coins.
        due: Money,
        /// Given.
        tendered: Money,
    },
    /// The drawer, the card or the bill does not hold so much.
    #[error("only {there} is there, and {wanted} is wanted")]
    NotThere {
        /// What there is.
        there: Money,
        /// What was wanted.
        wanted: Money,
    },
    /// No provider has taken money for it.
    #[error("no provider has taken money for such an order, or all of it has gone back")]
    NotPaidFor,
    /// It was asked for here, or is explained.
    #[error("there is no refund of a provider's console that waits to be explained under this id")]
    NotUnexplained,
    /// Its car is inside: the fee would only be charged again at the exit.
    #[error("the car is still inside: give money back when it has left")]
    StillInside,
    /// A difference without a name.
    #[error("the drawer differs by {0}: say why")]
    DifferenceUnnamed(Money),
    /// The stay of the bill.
    #[error("the bill cannot be settled: {0}")]
    Unfit(String),
    /// The bill.
    #[error(transparent)]
    Bill(#[from] OrderRefusal),
    /// Amounts that do not fit together.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// That an amount is one that goes over a counter.
fn check_amount(amount: Money, currency: Currency, least: i64) -> Result<(), CashRefusal> {
    let sound = amount.currency() == currency && (least..=MAX_CASH_MINOR).contains(&amount.minor());
    if sound { Ok(()) } else { Err(CashRefusal::Amount(amount)) }
}

/// A reason as it is kept.
fn checked_reason(reason: &str) -> Result<String, CashRefusal> {
    let reason = reason.trim();
    let length = reason.chars().take(MAX_REASON_CHARS + 1).count();
    if (1..=MAX_REASON_CHARS).contains(&length) { Ok(reason.to_owned()) } else { Err(CashRefusal::Reason) }
}
