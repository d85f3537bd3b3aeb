//! The desk: trial balances, statements of accounts, and pages of entries.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::books::{AccountDay, HandPosting, Tally, Voucher, VoucherRefusal, post_by_hand};
use tollhouse_core::charging::label::HolderId;
use tollhouse_core::id::IdKey;
use tollhouse_core::money::{Currency, Money, MoneyError};
use tollhouse_core::record::{By, ReadError, Revision};

use super::closing::close_days;
use super::entry::{Between, Page, PostedEntry, entries, is_of, last_closed};
use super::holder::{HolderStatement, holder_statement};
use crate::clock::BoxClock;
use crate::store::journal::JournalFault;
use crate::store::{CommitError, Snapshot, Store, Undone};

/// Entries of one page of a statement or of a trial balance.
const PAGE: usize = 2_000;

/// Why the books cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum BooksFault {
    /// The records cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The journal cannot be read.
    #[error("the journal cannot be read: {0}")]
    Journal(#[from] JournalFault),
    /// Amounts that cannot be added.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A day could not be closed; it is tried again.
    #[error("the day cannot be closed: {0}")]
    Commit(#[from] CommitError),
    /// A statement for people who want all of it.
    #[error("more than {0} entries: ask for fewer days, or export the books")]
    TooMany(usize),
    /// A statement of nobody.
    #[error("there is no holder {0}")]
    NoHolder(String),
}

/// Every account as of the end of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialBalance {
    /// The day.
    pub as_of: NaiveDate,
    /// The last entry of the journal that it knows of.
    pub position: Revision,
    /// Accounts with a balance, in the order of accounts: opening and movements are those of the day.
    pub accounts: Vec<AccountDay>,
}

impl TrialBalance {
    /// Debits less credits by currency: zero, always.
    pub fn sums(&self) -> Result<BTreeMap<Currency, Money>, MoneyError> {
        let mut sums = BTreeMap::new();
        for one in &self.accounts {
            let currency = one.closing.currency();
            let sum: &mut Money = sums.entry(currency).or_insert(Money::zero(currency));
            *sum = sum.plus(one.closing)?;
        }
        Ok(sums)
    }
}

/// What happened on an account, or on all of one name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Statement {
    /// The account.
    pub account: String,
    /// Balances, by account, at the beginning and the end, with the movements between.
    pub accounts: Vec<AccountDay>,
    /// The entries, in order.
    pub entries: Vec<PostedEntry>,
}

/// The books' desk.
#[derive(Clone)]
pub struct BooksDesk {
    store: Store,
    clock: BoxClock,
    key: IdKey,
    zone: Tz,
}

impl BooksDesk {
    /// Over this store, with the lot's midnight.
    pub fn new(store: Store, clock: BoxClock, key: IdKey, zone: Tz) -> Self {
        Self { store, clock, key, zone }
    }

    /// The lot's clock.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The lot's date.
    pub fn today(&self) -> NaiveDate {
        self.clock.now().with_timezone(&self.zone).date_naive()
    }

    /// Closes the days that are over; says how many.
    pub async fn close_days(&self) -> Result<usize, BooksFault> {
        close_days(&self.store, self.zone, self.clock.now()).await
    }

    /// Posts by hand, or takes such an entry back.
    pub async fn post_by_hand(
        &self,
        by: &By,
        what: HandPosting,
        amount: Money,
        reason: &str,
    ) -> Result<Voucher, Undone<VoucherRefusal>> {
        let reversed = match what {
            HandPosting::Reversal { of } => self.entry_at(of).map_err(|fault| Undone::Failed(fault.to_string()))?,
            _ => None,
        };
        let decide = |records: &Snapshot| {
            let entry = reversed.as_ref().map(|entry| (entry.kind, entry.postings.as_slice()));
            let when = (self.clock.now(), &self.key);
            let (change, voucher) = post_by_hand(what.clone(), amount, entry, (by.name(), reason), when, records)?;
            Ok((voucher, Some(change)))
        };
        self.store.decide(by, decide).await
    }

    fn entry_at(&self, position: Revision) -> Result<Option<PostedEntry>, BooksFault> {
        let Some(before) = position.checked_sub(1) else { return Ok(None) };
        let page = self.entries(&Between::default(), Some(before), 1)?;
        Ok(page.entries.into_iter().find(|entry| entry.position == position))
    }

    /// A page of entries.
    pub fn entries(&self, wanted: &Between, after: Option<Revision>, limit: usize) -> Result<Page, BooksFault> {
        entries(&self.store, self.zone, wanted, after, limit)
    }

    /// Every account as of the end of `as_of`; of today, as of now.
    pub fn trial_balance(&self, as_of: NaiveDate) -> Result<TrialBalance, BooksFault> {
        trial_balance(&self.store, self.zone, as_of)
    }

    /// What happened on an account between two days.
    pub fn statement(
        &self,
        account: &str,
        (from, until): (NaiveDate, NaiveDate),
        most: usize,
    ) -> Result<Statement, BooksFault> {
        let before = from.pred_opt().map(|before| self.trial_balance(before)).transpose()?;
        let opening = before.map(|before| before.accounts).unwrap_or_default();
        let mut tally = Tally::from_closing(opening.iter().filter(|one| is_of(&one.account, account)));
        let wanted = Between { from: Some(from), until: Some(until), account: Some(account.to_owned()) };
        let mut found = vec![];
        each(&self.store, self.zone, &wanted, None, |entry| {
            for posting in entry.postings.iter().filter(|posting| is_of(&posting.account, account)) {
                tally.add(posting)?;
            }
            if found.len() >= most {
                return Err(BooksFault::TooMany(most));
            }
            found.push(entry);
            Ok(())
        })?;
        Ok(Statement { account: account.to_owned(), accounts: tally.accounts(), entries: found })
    }

    /// What a holder owed, was charged and paid between two days. It reads the whole journal.
    pub fn holder_statement(
        &self,
        (holder, currency): (&HolderId, Currency),
        days: (NaiveDate, NaiveDate),
        most: usize,
    ) -> Result<HolderStatement, BooksFault> {
        holder_statement(&self.store, (self.zone, currency), holder, days, most)
    }
}

/// Every account as of the end of `as_of`; of today, as of now.
pub fn trial_balance(store: &Store, zone: Tz, as_of: NaiveDate) -> Result<TrialBalance, BooksFault> {
    let records = store.snapshot();
    let position = records.position();
    let last = last_closed(as_of, &records)?;
    drop(records);
    if let Some(day) = last.as_ref().filter(|day| day.day == as_of) {
        return Ok(TrialBalance { as_of, position: day.through, accounts: day.accounts.clone() });
    }
    let mut tally = Tally::after(last.as_ref());
    let from = last.as_ref().and_then(|day| day.day.succ_opt());
    let wanted = Between { from, until: Some(as_of), account: None };
    let mut day = from;
    let after = last.map(|day| day.next_from.saturating_sub(1));
    each(store, zone, &wanted, after, |entry| {
        if day != Some(entry.day) && entry.day == as_of {
            tally.begin_anew();
        }
        day = Some(entry.day);
        entry.postings.iter().try_for_each(|posting| tally.add(posting)).map_err(BooksFault::from)
    })?;
    if day.is_some_and(|day| day < as_of) {
        tally.begin_anew();
    }
    Ok(TrialBalance { as_of, position, accounts: tally.accounts() })
}

/// Shows every entry that is wanted, in order.
fn each(
    store: &Store,
    zone: Tz,
    wanted: &Between,
    mut after: Option<Revision>,
    mut look: impl FnMut(PostedEntry) -> Result<(), BooksFault>,
) -> Result<(), BooksFault> {
    loop {
        let page = entries(store, zone, wanted, after, PAGE)?;
        page.entries.into_iter().try_for_each(&mut look)?;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}
