//! Owns the errors that both providers' readers and writers share, each with what can be done about it. It must not know a
//! provider.

use tollhouse_core::money::MoneyError;

use crate::key::KeyError;

/// What came is not as agreed. Of an answer it means *unknown*: query again under the same number, never conclude a failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than we take.
    #[error("{what} has {bytes} bytes, more than the {limit} that are taken")]
    TooLong {
        /// What was too long.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// No JSON, or JSON of another shape.
    #[error("{what} cannot be read: {why}")]
    Shape {
        /// What was read.
        what: &'static str,
        /// The reader's words; they hold positions and expected types, no values.
        why: String,
    },
    /// A field that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field holds what it must not.
    #[error("{field} is not as agreed: {why}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A field stands twice.
    #[error("a field stands twice: {0}")]
    Repeated(String),
}

impl Malformed {
    pub(crate) fn field(field: &'static str, why: impl Into<String>) -> Self {
        Self::Field { field, why: why.into() }
    }

    pub(crate) fn shape(what: &'static str, why: &dyn std::fmt::Display) -> Self {
        Self::Shape { what, why: why.to_string().chars().take(200).collect() }
    }
}

/// A request that we will not send. Nothing has left the box; the caller has to put it right.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// A field that the provider would refuse.
    #[error("{field}: {why}")]
    Field {
        /// The provider's name of the field.
        field: &'static str,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// It could not be signed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A statement that is not taken. No row of it has been handed out: fetch it again, and open a case when it stays so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Larger than we take, packed or unpacked: a bomb, or not ours.
    #[error("the statement is too large: {what}, at most {limit}")]
    TooLarge {
        /// What there was too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// It cannot be unpacked.
    #[error("the statement cannot be unpacked: {0}")]
    Packing(String),
    /// Its bytes are not those that the provider announced.
    #[error("the statement's SHA-1 is {found}, the provider announced {announced}")]
    Hash {
        /// What the provider said.
        announced: String,
        /// What the bytes have.
        found: String,
    },
    /// Not in its character set.
    #[error("the statement is not in {0}")]
    CharacterSet(&'static str),
    /// The table cannot be found.
    #[error("the statement has no {0}")]
    NoTable(&'static str),
    /// A line is not as agreed.
    #[error("line {line} of the statement: {why}")]
    Line {
        /// Its number in the file, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// The rows do not add up to what the statement says of itself.
    #[error("the statement's {what}: it says {announced}, its rows give {found}")]
    Totals {
        /// Which total.
        what: &'static str,
        /// The statement's word.
        announced: String,
        /// The sum of the rows.
        found: String,
    },
}

impl StatementError {
    pub(crate) fn line(line: usize, why: impl Into<String>) -> Self {
        Self::Line { line, why: why.into() }
    }

    pub(crate) fn money(line: usize, column: &str, fault: &MoneyError) -> Self {
        Self::line(line, format!("{column}: {fault}"))
    }
}
