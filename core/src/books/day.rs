//! Days of the books: to which day an entry belongs, and what a closed day holds.
//!
//! The time of posting decides. A day is closed by a record that names the last entry it was drawn from; what is written
//! after that belongs to the day after at the earliest, whatever its own date says, so that a closed day never changes.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{Account, Posting};
use crate::money::{Currency, Money, MoneyError};
use crate::record::{Record, Revision, Table};

/// An account over a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDay {
    /// Which.
    pub account: Account,
    /// Its balance when the day began, debits positive.
    pub opening: Money,
    /// Debits of the day.
    pub debit: Money,
    /// Credits of the day, as a positive amount.
    pub credit: Money,
    /// Its balance at the end of the day.
    pub closing: Money,
}

/// A closed day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookDay {
    /// Which.
    pub day: NaiveDate,
    /// When it was closed.
    pub closed_at: DateTime<Utc>,
    /// The last entry of the journal that it was drawn from.
    pub through: Revision,
    /// The first entry that may belong to a later day.
    pub next_from: Revision,
    /// How many entries posted on it.
    pub entries: u64,
    /// Each account that had a balance or a posting.
    pub accounts: Vec<AccountDay>,
}

impl BookDay {
    /// The key of a day.
    pub fn key_of(day: NaiveDate) -> String {
        day.to_string()
    }
}

impl Record for BookDay {
    const TABLE: Table = Table::BookDays;
    fn key(&self) -> String {
        Self::key_of(self.day)
    }
}

/// The days that are closed, as far as they say to which day an entry belongs.
#[derive(Debug, Clone, Default)]
pub struct ClosedDays {
    closed: Vec<(Revision, NaiveDate)>,
}

impl ClosedDays {
    /// In the order of their days.
    pub fn new(days: impl IntoIterator<Item = (Revision, NaiveDate)>) -> Self {
        Self { closed: days.into_iter().collect() }
    }

    /// The day of an entry that was written on `date`, the lot's.
    pub fn day_of(&self, position: Revision, date: NaiveDate) -> NaiveDate {
        let before = self.closed.partition_point(|(through, _)| *through < position);
        let open = before.checked_sub(1).and_then(|last| self.closed[last].1.succ_opt());
        open.map_or(date, |open| date.max(open))
    }

    /// The last day that is closed.
    pub fn last(&self) -> Option<NaiveDate> {
        self.closed.last().map(|(_, day)| *day)
    }
}

/// Adds postings up, account by account.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    sums: BTreeMap<(Account, Currency), Sums>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    opening: i64,
    debit: i64,
    credit: i64,
}

impl Sums {
    fn closing(self) -> i64 {
        self.opening + self.debit - self.credit
    }
}

impl Tally {
    /// Goes on from the end of a day.
    pub fn after(day: Option<&BookDay>) -> Self {
        Self::from_closing(day.map(|day| day.accounts.as_slice()).unwrap_or_default())
    }

    /// Goes on from these accounts.
    pub fn from_closing<'a>(accounts: impl IntoIterator<Item = &'a AccountDay>) -> Self {
        let mut tally = Self::default();
        for one in accounts {
            let place = (one.account.clone(), one.closing.currency());
            tally.sums.insert(place, Sums { opening: one.closing.minor(), ..Sums::default() });
        }
        tally
    }

    /// One more posting.
    pub fn add(&mut self, posting: &Posting) -> Result<(), MoneyError> {
        let sums = self.sums.entry((posting.account.clone(), posting.amount.currency())).or_default();
        let minor = posting.amount.minor();
        let side = if minor >= 0 { &mut sums.debit } else { &mut sums.credit };
        *side = side.checked_add(minor.checked_abs().ok_or(MoneyError::Overflow)?).ok_or(MoneyError::Overflow)?;
        Ok(())
    }

    /// What another tally has moved, moves here too.
    pub fn join(&mut self, other: &Self) -> Result<(), MoneyError> {
        let add = |one: i64, more: i64| one.checked_add(more).ok_or(MoneyError::Overflow);
        for (place, more) in &other.sums {
            let sums = self.sums.entry(place.clone()).or_default();
            sums.debit = add(sums.debit, more.debit)?;
            sums.credit = add(sums.credit, more.credit)?;
        }
        Ok(())
    }

    /// What is opening and has moved becomes the opening of what follows.
    pub fn begin_anew(&mut self) {
        for sums in self.sums.values_mut() {
            *sums = Sums { opening: sums.closing(), ..Sums::default() };
        }
    }

    /// Each account that has a balance or has moved, in the order of accounts.
    pub fn accounts(&self) -> Vec<AccountDay> {
        let live = self.sums.iter().filter(|(_, sums)| sums.opening != 0 || sums.debit != 0 || sums.credit != 0);
        let row = |((account, currency), sums): (&(Account, Currency), &Sums)| {
            let money = |minor| Money::new(minor, *currency);
            AccountDay {
                account: account.clone(),
                opening: money(sums.opening),
                debit: money(sums.debit),
                credit: money(sums.credit),
                closing: money(sums.closing()),
            }
        };
        live.map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, number).expect("a date")
    }

    #[test]
    fn what_is_written_after_a_day_was_closed_belongs_to_the_next_one() {
        let closed = ClosedDays::new([(10, day(1)), (20, day(2))]);
        let cases = [(9, 1, 1), (10, 1, 1), (10, 2, 2), (11, 1, 2), (20, 2, 2), (21, 1, 3), (21, 2, 3), (21, 5, 5)];
        for (position, written, belongs) in cases {
            assert_eq!(closed.day_of(position, day(written)), day(belongs), "entry {position} of {written}");
        }
        assert_eq!(ClosedDays::default().day_of(1, day(4)), day(4));
    }

    #[test]
    fn a_day_goes_on_where_the_one_before_ended() {
        let yuan = |minor| Money::new(minor, Currency::Cny);
        let mut tally = Tally::default();
        for posting in [Posting::debit(Account::Safe, yuan(500)), Posting::credit(Account::Safe, yuan(200))] {
            tally.add(&posting).expect("fits");
        }
        let first = tally.accounts();
        assert_eq!((first[0].opening, first[0].debit, first[0].credit), (yuan(0), yuan(500), yuan(200)));
        tally.begin_anew();
        tally.add(&Posting::credit(Account::Safe, yuan(300))).expect("fits");
        let second = tally.accounts();
        assert_eq!((second[0].opening, second[0].closing), (yuan(300), yuan(0)));
        tally.begin_anew();
        assert!(tally.accounts().is_empty());
    }
}
