//! What a change does to the records: checks what it relied on, then yields plain writes. The one place that knows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Change, Op, ReadError, Record, Records, Table};
use crate::books::{BooksError, balance_key, sum_is_zero};
use crate::money::{Money, MoneyError};

/// A write that follows from a change: `json` of `None` removes the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// In which table.
    pub table: Table,
    /// Under which key.
    pub key: String,
    /// The record, or its end.
    pub json: Option<String>,
}

/// Why a change was not taken. Nothing of it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody wrote meanwhile what the change relied on: look again and decide again.
    #[error("{table:?}/{key} has changed since it was read")]
    Stale {
        /// In which table.
        table: Table,
        /// Under which key.
        key: String,
    },
    /// A bounded counter is full: look again and decide again.
    #[error("counter {0} is at its bound")]
    Full(String),
    /// The postings do not sum to zero, or cannot be added: a bug in whoever made the change.
    #[error("the postings are wrong: {0}")]
    Books(#[from] BooksError),
    /// A table's name that this release does not know: the data is of a later release.
    #[error("the table {0:?} belongs to a later release")]
    UnknownTable(String),
    /// It cannot be journalled as it is (too large, or a character that the journal needs for itself): a bug, or an
    /// outside input that was not bounded.
    #[error("the change cannot be journalled: {0}")]
    Unfit(String),
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// A balance of the books as a record: account and currency are its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Debits less credits.
    pub sum: Money,
}

/// A counter as a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Its key.
    pub counter: String,
    /// Its value.
    pub value: i64,
}

impl Record for Counter {
    const TABLE: Table = Table::Counters;
    fn key(&self) -> String {
        self.counter.clone()
    }
}

/// What `change` writes, given the records as they are: each key at most once, in a fixed order.
pub fn resolve(change: &Change, records: &impl Records) -> Result<Vec<Write>, Refusal> {
    for relied in &change.relied {
        let now = records.stored(relied.table, &relied.key)?.map(|stored| stored.revision);
        if now != relied.revision {
            return Err(Refusal::Stale { table: relied.table, key: relied.key.clone() });
        }
    }
    sum_is_zero(&change.postings)?;
    let mut writes: BTreeMap<(Table, String), Option<String>> = BTreeMap::new();
    for op in &change.ops {
        match op {
            Op::Put { table, key, record } => {
                writes.insert((table_of(table)?, key.clone()), Some(record.get().to_owned()));
            }
            Op::Delete { table, key } => {
                writes.insert((table_of(table)?, key.clone()), None);
            }
            Op::Count { counter, by, at_most } => {
                let place = (Table::Counters, counter.clone());
                let value = current::<Counter>(&writes, records, &place)?.map_or(0, |c| c.value);
                let next = value.checked_add(*by).ok_or_else(|| Refusal::Full(counter.clone()))?;
                if *by > 0 && at_most.is_some_and(|most| next > most) {
                    return Err(Refusal::Full(counter.clone()));
                }
                let record = Counter { counter: counter.clone(), value: next };
                writes.insert(place, Some(to_json(&record)));
            }
        }
    }
    for posting in &change.postings {
        let place = (Table::Balances, balance_key(&posting.account, posting.amount.currency()));
        let before = current::<Balance>(&writes, records, &place)?;
        let before = before.map_or(Money::zero(posting.amount.currency()), |balance| balance.sum);
        let sum = before.plus(posting.amount).map_err(|fault: MoneyError| BooksError::Money(fault))?;
        writes.insert(place, Some(to_json(&Balance { sum })));
    }
    Ok(writes.into_iter().map(|((table, key), json)| Write { table, key, json }).collect())
}

fn table_of(name: &str) -> Result<Table, Refusal> {
    Table::by_name(name).ok_or_else(|| Refusal::UnknownTable(name.to_owned()))
}

fn to_json(record: &impl Serialize) -> String {
    serde_json::to_string(record).expect("records serialise: text keys, no fallible types")
}

fn current<T: serde::de::DeserializeOwned>(
    writes: &BTreeMap<(Table, String), Option<String>>,
    records: &impl Records,
    place: &(Table, String),
) -> Result<Option<T>, Refusal> {
    let json = match writes.get(place) {
        Some(written) => written.clone(),
        None => records.stored(place.0, &place.1)?.map(|stored| stored.json),
    };
    let Some(json) = json else { return Ok(None) };
    serde_json::from_str(&json).map(Some).map_err(|fault| {
        Refusal::Read(ReadError::Damaged { table: place.0, key: place.1.clone(), detail: fault.to_string() })
    })
}
