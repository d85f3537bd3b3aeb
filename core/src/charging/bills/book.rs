//! Writing card bills: the one way in which an event that moved bills reaches the records and the books.
//!
//! Owns what has to be written beside a bill so that all of it agrees: the way from its public id to its card, whether it
//! is open, how many bills there are of each state, what it posts, and what its days will earn. It must not know what
//! moved the bills. What each day earns is kept as a sum over all bills, so that a day is earned by reading a few sums
//! and no bill at all, however many there are.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::bill::{CardBill, Standing};
use super::position::{Move, postings};
use crate::bill::{BillKind, BillState, bills_counter};
use crate::books::{Account, Posting};
use crate::charging::calendar::days_after;
use crate::charging::earned::Earned;
use crate::charging::estate::Room;
use crate::charging::label::{CardNumber, HolderId};
use crate::id::BillId;
use crate::money::{Currency, Money};
use crate::record::{Cause, Change, ChangeKind, Counter, Kept, ReadError, Record, Records, Table};

/// The most days that one change earns.
const MOST_DAYS: u32 = 400;

/// An open bill by its due date: what is reminded, dunned and charged for being late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenBill {
    /// The last day on which it can be paid without being late.
    pub due_on: NaiveDate,
    /// Whose.
    pub card: CardNumber,
    /// Which.
    pub bill: BillId,
    /// Who owes it.
    pub payer: HolderId,
    /// By which clerks dun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Room>,
}

impl Record for OpenBill {
    const TABLE: Table = Table::OpenBills;
    fn key(&self) -> String {
        Self::key_of(self.due_on, &self.card, self.bill)
    }
}

impl OpenBill {
    /// Ordered by due date.
    pub fn key_of(due_on: NaiveDate, card: &CardNumber, bill: BillId) -> String {
        format!("{due_on}/{card}/{bill}")
    }

    fn of(bill: &CardBill) -> Self {
        let heading = bill.heading.clone();
        Self { due_on: bill.due_on, card: heading.card, bill: bill.id, payer: heading.payer, room: heading.room }
    }
}

/// A bill before and after an event.
#[derive(Debug, Clone)]
pub struct Moved {
    /// As it was read; `None`: it is new.
    pub before: Option<Kept<CardBill>>,
    /// As it is.
    pub after: CardBill,
}

impl Moved {
    /// A bill that was drawn.
    pub fn drawn(bill: CardBill) -> Self {
        Self { before: None, after: bill }
    }

    /// A bill to which something was done.
    pub fn from(before: Kept<CardBill>, done: impl FnOnce(&mut CardBill)) -> Self {
        let mut after = before.record.clone();
        done(&mut after);
        Self { before: Some(before), after }
    }
}

/// The books of card bills as a change found them.
#[derive(Debug, Clone)]
pub struct BillBooks {
    kept: Option<Kept<Earned>>,
    through: NaiveDate,
}

/// The counter of what a holder has to their credit, in smallest units.
pub fn credit_counter(holder: &HolderId) -> String {
    format!("credit/{holder}")
}

/// The counter of what a day of all bills earns on an account.
fn day_counter(day: NaiveDate, account: &Account) -> String {
    format!("earn/{day}/{account}")
}

/// Which day a counter of earnings is for, and on which account its amount waits until then; `None`: it is none of these.
pub fn day_of_counter(counter: &str) -> Option<(NaiveDate, Account)> {
    let (day, account) = counter.strip_prefix("earn/")?.split_once('/')?;
    let (_, waits) = EARNS.into_iter().find(|(income, _)| income.to_string() == account)?;
    Some((day.parse().ok()?, waits))
}

/// What a day can be earned on, and where it waits until then.
pub(super) const EARNS: [(Account, Account); 3] = [
    (Account::Revenue, Account::Deferred),
    (Account::PublicIncome, Account::PublicDeferred),
    (Account::TaxDue, Account::TaxPending),
];

impl BillBooks {
    /// The books as these records have them; `on` is the lot's date, from which a new box begins to earn.
    pub fn open(records: &impl Records, on: NaiveDate) -> Result<Self, ReadError> {
        let kept = records.get::<Earned>(Earned::KEY)?;
        let through = kept.as_ref().map_or(on, |kept| kept.record.through);
        Ok(Self { kept, through })
    }

    /// Days before this one are earned.
    pub fn through(&self) -> NaiveDate {
        self.through
    }

    /// Writes the bills that an event moved, and all that follows from them. `other` is the account that money came from
    /// (debited) or goes to (credited); events that move no money leave it alone. A bill stands in `moves` once.
    pub fn write(&self, change: &mut Change, moves: Vec<Moved>, other: &Account) {
        if moves.is_empty() {
            return;
        }
        change.rely_on::<Earned>(Earned::KEY, self.kept.as_ref());
        if self.kept.is_none() {
            change.put(&Earned { through: self.through });
        }
        let mut states: BTreeMap<String, i64> = BTreeMap::new();
        let mut days: BTreeMap<(NaiveDate, usize), i64> = BTreeMap::new();
        let steps: Vec<Move<'_>> = moves
            .iter()
            .map(|one| Move { before: one.before.as_ref().map(|kept| &kept.record), after: &one.after })
            .collect();
        change.postings.extend(postings(&steps, self.through, other));
        for step in &steps {
            count_state(&mut states, step);
            self.schedule(&mut days, step);
            if *other == Account::Credit {
                let to_credit = postings(&[*step], self.through, other);
                let credited = to_credit.iter().find(|posting| posting.account == Account::Credit);
                let minor = credited.map_or(0, |posting| -posting.amount.minor());
                *states.entry(credit_counter(&step.after.heading.payer)).or_default() += minor;
            }
        }
        for ((day, place), minor) in days {
            *states.entry(day_counter(day, &EARNS[place].0)).or_default() += minor;
        }
        for (counter, by) in states.into_iter().filter(|(_, by)| *by != 0) {
            change.count(&counter, by, None);
        }
        for one in moves {
            write_one(change, one);
        }
    }

    /// Adds what the days that are not earned yet will earn, less what they would have earned before.
    fn schedule(&self, days: &mut BTreeMap<(NaiveDate, usize), i64>, step: &Move<'_>) {
        let both = step.before.into_iter().map(|bill| (bill, -1)).chain([(step.after, 1)]);
        for (bill, sign) in both {
            for line in &bill.lines {
                let place = usize::from(line.tax.payee == crate::books::Payee::Owners);
                line.schedule(self.through, |day, income, tax| {
                    if income != 0 {
                        *days.entry((day, place)).or_default() += sign * income;
                    }
                    if tax != 0 {
                        *days.entry((day, 2)).or_default() += sign * tax;
                    }
                });
            }
        }
    }
}

fn count_state(counts: &mut BTreeMap<String, i64>, step: &Move<'_>) {
    let (kind, now): (BillKind, BillState) = (step.after.kind, step.after.state());
    let was = step.before.map(CardBill::state);
    if was == Some(now) {
        return;
    }
    *counts.entry(bills_counter(kind, now)).or_default() += 1;
    if let Some(was) = was {
        *counts.entry(bills_counter(kind, was)).or_default() -= 1;
    }
}

/// Whether a bill is to be paid, reminded and dunned.
pub(super) fn is_open(bill: &CardBill) -> bool {
    bill.standing == Standing::Issued && bill.due().is_positive()
}

fn write_one(change: &mut Change, one: Moved) {
    let Moved { before, mut after } = one;
    change.rely_on(&after.key(), before.as_ref());
    if before.is_none() {
        // Card and payment have it with this very change; the gate follows by its cursor.
        after.reached.card.get_or_insert(change.at);
        after.reached.payment.get_or_insert(change.at);
        change.put(&super::pay::Payable::of(&after));
    }
    let was_open = before.as_ref().is_some_and(|kept| is_open(&kept.record));
    match (was_open, is_open(&after)) {
        (false, true) => change.put(&OpenBill::of(&after)),
        (true, false) => change.delete(Table::OpenBills, &OpenBill::of(&after).key()),
        _ => {}
    }
    change.put(&after);
}

/// Earns the days that are over by `today`, for all bills at once: one change, or `None` when there is nothing to do. A
/// box that was off catches up; at most 400 days at once, so call it until there is nothing more to do.
pub fn earn_days(
    records: &impl Records,
    now: DateTime<Utc>,
    today: NaiveDate,
    currency: Currency,
) -> Result<Option<Change>, ReadError> {
    let Some(kept) = records.get::<Earned>(Earned::KEY)? else { return Ok(None) };
    let Earned { through } = kept.record;
    if through >= today {
        return Ok(None);
    }
    let until = today.min(days_after(through, MOST_DAYS));
    let mut change = Change::new(ChangeKind::DaysEarned, now, Cause::Time);
    change.rely_on(Earned::KEY, Some(&kept));
    let mut sums: BTreeMap<Account, i64> = BTreeMap::new();
    for day in through.iter_days().take_while(|day| *day < until) {
        for (income, waits) in &EARNS {
            let counter = day_counter(day, income);
            let kept = records.get::<Counter>(&counter)?;
            change.rely_on(&counter, kept.as_ref());
            if let Some(kept) = kept {
                *sums.entry(income.clone()).or_default() -= kept.record.value;
                *sums.entry(waits.clone()).or_default() += kept.record.value;
                change.delete(Table::Counters, &counter);
            }
        }
    }
    let amounts = sums.into_iter().filter(|(_, minor)| *minor != 0);
    change.postings =
        amounts.map(|(account, minor)| Posting { account, amount: Money::new(minor, currency) }).collect();
    change.put(&Earned { through: until });
    Ok(Some(change))
}
