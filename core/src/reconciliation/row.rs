//! Rows of both sides, what they are matched by, and the classes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::money::Money;

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Money came.
    Paid,
    /// Money went back.
    Refund,
    /// A payment was taken back as a whole before anybody booked it (撤销).
    Reversed,
}

impl Kind {
    /// The word in records and keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Refund => "refund",
            Self::Reversed => "reversed",
        }
    }
}

/// What two rows have in common that are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it is about.
    pub kind: Kind,
    /// The provider's number. It may stand at more than one order.
    pub transaction: String,
    /// The order's number.
    pub order: String,
    /// The refund's number; empty for a payment.
    pub refund: String,
}

impl Key {
    /// As a text, for records and ids.
    pub fn text(&self) -> String {
        format!("{}/{}/{}/{}", self.kind.as_str(), self.transaction, self.order, self.refund)
    }
}

/// Whether money has moved, or is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It has moved.
    Yes,
    /// It is on its way.
    NotYet,
}

/// A row of the provider's statement. Amounts are of the row: not below zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theirs {
    /// Its line in the statement.
    pub line: usize,
    /// When.
    pub at: DateTime<Utc>,
    /// To which merchant account.
    pub merchant: String,
    /// What it is matched by.
    pub key: Key,
    /// What the payer paid or got back: the whole.
    pub amount: Money,
    /// What of that the provider settles with us, before its fee.
    pub settled: Money,
    /// The provider's fee; below zero where one is given back.
    pub fee: Money,
    /// Whether it has moved.
    pub done: Done,
}

/// How a row came into the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// By an order or a refund of ours.
    Ours,
    /// A statement showed that it was made in the provider's console.
    Console,
}

/// A row of the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    /// When.
    pub at: DateTime<Utc>,
    /// What it is matched by.
    pub key: Key,
    /// How much.
    pub amount: Money,
    /// Whether it has moved.
    pub done: Done,
    /// How it came into the books.
    pub origin: Origin,
    /// Whether the statement of the day before lacked it and left it to this one.
    pub carried: Carried,
    /// The record, by table and key.
    pub record: String,
}

/// Whether a row was left to this day by the day before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// It was.
    Over,
    /// It was not.
    No,
}

/// Where a row belongs. The names stand in records, metrics and the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Both sides say the same.
    Matched,
    /// The provider has it and the books have not.
    MissingWithUs,
    /// The books have it and the provider has not.
    MissingWithThem,
    /// A payment of which both sides know, of another amount.
    AmountDiffers,
    /// A refund of which both sides know, of another amount.
    RefundDiffers,
    /// The statement has the row a second time.
    Twice,
    /// Another merchant's.
    Foreign,
    /// Too near to midnight to be missed: it is looked for in the next statement.
    CarriedToNextDay,
    /// A refund that was made in the provider's console.
    RefundedInConsole,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 9] = [
        Class::Matched,
        Class::MissingWithUs,
        Class::MissingWithThem,
        Class::AmountDiffers,
        Class::RefundDiffers,
        Class::Twice,
        Class::Foreign,
        Class::CarriedToNextDay,
        Class::RefundedInConsole,
    ];

    /// The word in records, metrics and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::MissingWithUs => "missing_with_us",
            Self::MissingWithThem => "missing_with_them",
            Self::AmountDiffers => "amount_differs",
            Self::RefundDiffers => "refund_differs",
            Self::Twice => "twice",
            Self::Foreign => "foreign",
            Self::CarriedToNextDay => "carried_to_next_day",
            Self::RefundedInConsole => "refunded_in_console",
        }
    }

    /// Whether a person has to look at it.
    pub fn is_difference(self) -> bool {
        !matches!(self, Self::Matched | Self::CarriedToNextDay)
    }
}

/// Rows in their class: of each side at most one, by its place in what was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classed {
    /// Where they belong.
    pub class: Class,
    /// The statement's.
    pub theirs: Option<usize>,
    /// The books'.
    pub ours: Option<usize>,
}
