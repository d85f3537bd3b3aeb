//! A holder's statement: what was owed at the beginning of some days, what was charged, credited and paid on them, and what is
//! owed at their end. Read from the journal, entry by entry, so that it adds up by construction: each line is what an entry
//! changed of the holder's bills and credit.

use std::collections::HashMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::audit::JournalEntry;
use tollhouse_core::charging::bills::{CardBill, credit_counter};
use tollhouse_core::charging::holders::Holder;
use tollhouse_core::charging::label::HolderId;
use tollhouse_core::id::BillId;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::record::{ChangeKind, Op, ReadError, Record, Records, Revision};
use tollhouse_core::words::Words;

use super::BooksFault;
use super::entry::closed_days;
use crate::store::Store;

/// Entries read from the journal at once.
const BATCH: usize = 1_000;

/// What an entry changed for a holder: of one bill, or of the credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderLine {
    /// The entry of the journal.
    pub position: Revision,
    /// The day of the books that it belongs to.
    pub day: NaiveDate,
    /// What happened.
    pub kind: ChangeKind,
    /// Of which bill; `None`: of the holder's credit.
    pub bill: Option<BillId>,
    /// What the bill is for.
    pub text: Words,
    /// What was charged; below zero it was credited.
    pub charged: Money,
    /// What was paid; below zero it came free again.
    pub paid: Money,
    /// What was given up as lost; below zero it is claimed again.
    pub lost: Money,
    /// What was added to the credit; below zero it was used.
    pub credit: Money,
    /// What is owed then, less the credit.
    pub balance: Money,
}

/// A holder's statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderStatement {
    /// Whose.
    pub holder: String,
    /// What was owed at the beginning, less the credit.
    pub opening: Money,
    /// Charged less credited.
    pub charged: Money,
    /// Paid less what came free.
    pub paid: Money,
    /// Given up as lost.
    pub lost: Money,
    /// What the credit grew by.
    pub credit: Money,
    /// What is owed at the end, less the credit: opening + charged − paid − lost − credit.
    pub closing: Money,
    /// Line by line.
    pub lines: Vec<HolderLine>,
}

/// What a bill came to when it was last written.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    charged: i64,
    paid: i64,
    lost: i64,
}

impl Known {
    fn of(bill: &CardBill) -> Self {
        let (charged, paid, due) = (bill.total().minor(), bill.paid().minor(), bill.due().minor());
        Self { charged, paid, lost: charged - paid - due }
    }

    fn since(self, before: Self) -> Self {
        Self { charged: self.charged - before.charged, paid: self.paid - before.paid, lost: self.lost - before.lost }
    }

    fn is_nothing(self) -> bool {
        self.charged == 0 && self.paid == 0 && self.lost == 0
    }
}

struct Reader<'h> {
    holder: &'h HolderId,
    counter: String,
    currency: Currency,
    bills: HashMap<BillId, Known>,
    balance: i64,
}

/// One step of a holder's account, before it is dated.
struct Step {
    bill: Option<BillId>,
    text: Words,
    moved: Known,
    credit: i64,
}

impl Reader<'_> {
    /// What an entry changed.
    fn read(&mut self, entry: &JournalEntry) -> Result<Vec<Step>, ReadError> {
        let mut steps = vec![];
        for op in &entry.change.ops {
            match op {
                // The holder stands in the record, so what does not name it need not be read.
                Op::Put { table, key, record }
                    if *table == CardBill::TABLE.name() && record.get().contains(self.holder.as_str()) =>
                {
                    steps.extend(self.bill(key, record.get())?);
                }
                Op::Count { counter, by, .. } if *counter == self.counter => {
                    let text = Words::new("余额", "Credit");
                    steps.push(Step { bill: None, text, moved: Known::default(), credit: *by });
                }
                _ => {}
            }
        }
        Ok(steps)
    }

    fn bill(&mut self, key: &str, json: &str) -> Result<Option<Step>, ReadError> {
        let damaged = |fault: serde_json::Error| ReadError::Damaged {
            table: CardBill::TABLE,
            key: key.to_owned(),
            detail: fault.to_string(),
        };
        let bill: CardBill = serde_json::from_str(json).map_err(damaged)?;
        if bill.heading.payer != *self.holder || bill.currency() != self.currency {
            return Ok(None);
        }
        let now = Known::of(&bill);
        let moved = now.since(self.bills.insert(bill.id, now).unwrap_or_default());
        let text = bill.lines[0].text.clone();
        Ok((!moved.is_nothing()).then_some(Step { bill: Some(bill.id), text, moved, credit: 0 }))
    }

    fn take(&mut self, step: &Step) -> i64 {
        self.balance += step.moved.charged - step.moved.paid - step.moved.lost - step.credit;
        self.balance
    }
}

/// A holder's statement of some days, both included. At most `most` lines.
pub fn holder_statement(
    store: &Store,
    (zone, currency): (Tz, Currency),
    holder: &HolderId,
    (from, until): (NaiveDate, NaiveDate),
    most: usize,
) -> Result<HolderStatement, BooksFault> {
    let money = |minor| Money::new(minor, currency);
    let records = store.snapshot();
    if records.get::<Holder>(holder.as_str())?.is_none() {
        return Err(BooksFault::NoHolder(holder.to_string()));
    }
    let (last, closed) = (records.position(), closed_days(&records)?);
    drop(records);
    let counter = credit_counter(holder);
    let mut reader = Reader { holder, counter, currency, bills: HashMap::new(), balance: 0 };
    let (mut opening, mut sums, mut credit, mut lines) = (0, Known::default(), 0, vec![]);
    let mut at = 0;
    while at < last {
        let batch = store.follow(at, BATCH)?;
        let Some(end) = batch.last().map(|entry| entry.position) else { break };
        for entry in batch {
            let steps = reader.read(&entry)?;
            if steps.is_empty() {
                continue;
            }
            let day = closed.day_of(entry.position, entry.change.at.with_timezone(&zone).date_naive());
            if day > until {
                continue;
            }
            for step in steps {
                let balance = reader.take(&step);
                if day < from {
                    opening = balance;
                    continue;
                }
                if lines.len() >= most {
                    return Err(BooksFault::TooMany(most));
                }
                let Step { bill, text, moved, credit: added } = step;
                sums.charged += moved.charged;
                sums.paid += moved.paid;
                sums.lost += moved.lost;
                credit += added;
                lines.push(HolderLine {
                    position: entry.position,
                    day,
                    kind: entry.change.kind,
                    bill,
                    text,
                    charged: money(moved.charged),
                    paid: money(moved.paid),
                    lost: money(moved.lost),
                    credit: money(added),
                    balance: money(balance),
                });
            }
        }
        at = end;
    }
    let closing = opening + sums.charged - sums.paid - sums.lost - credit;
    Ok(HolderStatement {
        holder: holder.to_string(),
        opening: money(opening),
        charged: money(sums.charged),
        paid: money(sums.paid),
        lost: money(sums.lost),
        credit: money(credit),
        closing: money(closing),
        lines,
    })
}
