//! Forgiving arrears: what is given up comes off the bill by a line of its own, with its revenue and tax.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{Arrears, Forgiven};
use crate::bill::{Bill, BillState};
use crate::money::{Money, MoneyError};
use crate::plate::Plate;
use crate::record::{Cause, Change, ChangeKind, Kept, ReadError, Records};
use crate::tariff::FeeLine;
use crate::words::Words;

/// The longest reason, in characters.
const MAX_REASON_CHARS: usize = 200;

/// Why nothing is forgiven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForgiveRefusal {
    /// No such claim.
    #[error("there is no claim of this bill on {0}")]
    Unknown(Plate),
    /// Nothing, or more than is due.
    #[error("{due} is due on this claim: forgive at least something and no more than that")]
    Amount {
        /// What is due.
        due: Money,
    },
    /// A reason is needed.
    #[error("say why, in 1 to {MAX_REASON_CHARS} characters")]
    Reason,
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Amounts that do not fit together.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Gives up `amount` of a claim, or all of it. Whether the person may is the shell's to know.
pub fn forgive(
    claim: &Kept<Arrears>,
    amount: Option<Money>,
    (by, reason): (&str, &str),
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<(Change, Arrears, Money), ForgiveRefusal> {
    let reason = reason.trim();
    if !(1..=MAX_REASON_CHARS).contains(&reason.chars().count()) {
        return Err(ForgiveRefusal::Reason);
    }
    let unknown = || ForgiveRefusal::Unknown(claim.record.plate.clone());
    let bill: Kept<Bill> = records.get(&claim.record.bill.to_string())?.ok_or_else(unknown)?;
    let due = bill.record.due();
    let amount = amount.unwrap_or(due);
    if !amount.is_positive() || amount.minus(due)?.is_positive() {
        return Err(ForgiveRefusal::Amount { due });
    }
    let cause = Cause::Person { name: by.to_owned(), reason: reason.to_owned() };
    let mut change = Change::new(ChangeKind::ArrearsChanged, now, cause);
    change.rely_on(&claim.record.bill.to_string(), Some(&bill));
    change.rely_on(&Arrears::key_of(&claim.record.plate, claim.record.bill), Some(claim));
    let before = bill.record.state;
    let mut bill = bill.record;
    bill.lines.push(FeeLine {
        text: Words::new("欠费减免", "Arrears forgiven"),
        rule: "forgiven".into(),
        from: bill.assessed_to,
        to: now.max(bill.assessed_to),
        quantity: Decimal::ONE,
        unit_price: amount.negated().decimal(),
        amount: amount.negated(),
    });
    bill.total = bill.total.minus(amount)?;
    if bill.due().is_zero() {
        bill.state = if bill.paid.is_zero() { BillState::Void } else { BillState::Paid };
    }
    change.postings.extend(bill.fix(now)?);
    bill.write(&mut change, Some(before));
    let mut claim = claim.record.clone();
    claim.forgiven.push(Forgiven { amount, by: by.to_owned(), reason: reason.to_owned(), at: now });
    change.put(&claim);
    Ok((change, claim, amount))
}
