//! What is on record of reconciliations: days, matched rows, differences and who handles them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{Class, Kind, Proposal};
use crate::id::DifferenceId;
use crate::money::Money;
use crate::record::{Record, Table};

/// The most notes on one case.
const MAX_NOTES: usize = 100;

/// Rows of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassTotal {
    /// How many.
    pub rows: u32,
    /// What they come to: payments less refunds.
    pub amount: Money,
}

/// How a day of a provider stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayState {
    /// Something differs that nobody owns.
    Open,
    /// It balances, or every difference has an owner.
    Closed,
}

impl DayState {
    /// The word in records and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// The statement that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Its rows.
    pub rows: u32,
}

/// A provider's day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// Whose.
    pub provider: String,
    /// Our merchant account there.
    pub merchant: String,
    /// The day, the provider's.
    pub day: NaiveDate,
    /// When it was matched last.
    pub at: DateTime<Utc>,
    /// The statement.
    pub statement: Seen,
    /// Rows by class, after what could be repaired.
    pub classes: BTreeMap<Class, ClassTotal>,
    /// Rows of the statement that were booked by its evidence, in all runs.
    pub repaired: u32,
    /// The provider's fees of the day, as posted.
    pub fees: Money,
    /// What the provider gave payers of our money, as posted.
    pub discounts: Money,
    /// The differences, in the order of the statement.
    pub differences: Vec<DifferenceId>,
    /// How it stands.
    pub state: DayState,
}

impl Reconciliation {
    /// The key of a day of one account at a provider.
    pub fn key_of(provider: &str, day: NaiveDate, merchant: &str) -> String {
        format!("{provider}/{day}/{merchant}")
    }
}

impl Record for Reconciliation {
    const TABLE: Table = Table::Reconciliations;
    fn key(&self) -> String {
        Self::key_of(&self.provider, self.day, &self.merchant)
    }
}

/// A row of the books that a statement has matched, or that was left to the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciled {
    /// The provider.
    pub provider: String,
    /// The row's key.
    pub row: String,
    /// By the statement of which day.
    pub day: NaiveDate,
    /// In which class.
    pub class: Class,
    /// The day whose statement lacked it and left it to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_from: Option<NaiveDate>,
}

impl Reconciled {
    /// The key of a row.
    pub fn key_of(provider: &str, row: &str) -> String {
        format!("{provider}/{row}")
    }
}

impl Record for Reconciled {
    const TABLE: Table = Table::Reconciled;
    fn key(&self) -> String {
        Self::key_of(&self.provider, &self.row)
    }
}

/// One side of a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// What it is about.
    pub kind: Kind,
    /// When.
    pub at: DateTime<Utc>,
    /// The provider's number.
    pub transaction: String,
    /// The order's number.
    pub order: String,
    /// The refund's number; empty for a payment.
    pub refund: String,
    /// How much.
    pub amount: Money,
    /// In the statement: its line. In the books: the record.
    pub place: String,
}

/// A difference: both sides, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Derived from provider, day, class and row.
    pub id: DifferenceId,
    /// The provider.
    pub provider: String,
    /// Our merchant account there.
    pub merchant: String,
    /// The day of the statement.
    pub day: NaiveDate,
    /// What differs.
    pub class: Class,
    /// The statement's row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Side>,
    /// The books' row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Side>,
    /// What is proposed.
    pub proposal: Proposal,
    /// When it was found.
    pub at: DateTime<Utc>,
}

impl Record for Difference {
    const TABLE: Table = Table::Differences;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// How a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandlingState {
    /// Nobody has it.
    Open,
    /// Somebody has it.
    Assigned,
    /// It is settled, and why stands with it.
    Resolved,
}

/// A word on a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// What was done or found.
    pub text: String,
}

/// Who handles a case, of the gate or of reconciliation, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handling {
    /// Which case.
    pub case: String,
    /// Who has it.
    #[serde(default)]
    pub owner: Option<String>,
    /// How it stands.
    pub state: HandlingState,
    /// What was done, in order.
    #[serde(default)]
    pub notes: Vec<Note>,
}

impl Record for Handling {
    const TABLE: Table = Table::Handlings;
    fn key(&self) -> String {
        self.case.clone()
    }
}

impl Handling {
    /// Of a case that nobody has touched.
    pub fn untouched(case: &str) -> Self {
        Self { case: case.to_owned(), owner: None, state: HandlingState::Open, notes: vec![] }
    }

    /// Notes what was done. The oldest notes make room.
    pub fn note(&mut self, at: DateTime<Utc>, by: &str, text: &str) {
        if self.notes.len() >= MAX_NOTES {
            self.notes.remove(0);
        }
        self.notes.push(Note { at, by: by.to_owned(), text: text.to_owned() });
    }

    /// Whether somebody has it or has settled it.
    pub fn is_owned(&self) -> bool {
        self.state != HandlingState::Open
    }
}
