//! Why a desk refuses: each says what to do, and whoever asked by HTTP or by a command is told the same.
//! It must not know statuses and exit codes.

use std::fmt;

use serde::{Deserialize, Serialize};
use tollhouse_core::charging::table::RowFault;
use tollhouse_core::record::ReadError;
use tollhouse_core::words::Words;
use utoipa::ToSchema;

use crate::store::Undone;

/// One thing that is wrong with what was handed in, where it can be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// The row of a table as a spreadsheet counts, 1 being the header; absent where there is no table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<usize>,
    /// The sheet of a workbook, or the file of a folder; absent where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The column or field; empty for the row or the whole.
    pub field: String,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// What is wrong, in English.
    pub en: String,
}

impl Finding {
    /// A field that is wrong.
    pub fn of(field: &str, text: &Words) -> Self {
        Self { row: None, sheet: None, field: field.to_owned(), zh: text.zh.clone(), en: text.en.clone() }
    }

    /// The same in a row of a table.
    #[must_use]
    pub fn in_row(mut self, row: usize) -> Self {
        self.row = Some(row);
        self
    }

    /// The same in a sheet.
    #[must_use]
    pub fn in_sheet(mut self, sheet: &str) -> Self {
        self.sheet = Some(sheet.to_owned());
        self
    }
}

impl From<RowFault> for Finding {
    fn from(fault: RowFault) -> Self {
        Self::of(&fault.column, &fault.text).in_row(fault.row)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(sheet) = &self.sheet {
            write!(f, "{sheet}: ")?;
        }
        if let Some(row) = self.row {
            write!(f, "row {row}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{}（{}）", self.en, self.zh)
    }
}

/// Why something could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChargingFault {
    /// There is nothing of that name.
    #[error("there is no {kind} {name}")]
    Unknown {
        /// What was looked for.
        kind: &'static str,
        /// Its name, as it was asked for.
        name: String,
    },
    /// There is one already.
    #[error("there is a {kind} {name} already")]
    Exists {
        /// What.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// It does not go together with what is on record.
    #[error("{0}")]
    Conflict(String),
    /// What was handed in is wrong; everything that is, at once.
    #[error("{}", all(.0))]
    Wrong(Vec<Finding>),
    /// The request's key stands for another request.
    #[error("this Idempotency-Key stands for another request: use a new one")]
    KeyReused,
    /// Others wrote the same records each time; or the store has too much waiting.
    #[error("the box is busy: try again later")]
    Busy,
    /// The records cannot be read, or the change is wrong: a fault of the box, for its log.
    #[error("the box cannot do it: {0}; its log says more, `tollhouse verify` tells whether its data is whole")]
    Broken(String),
}

fn all(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl ChargingFault {
    /// One field that is wrong.
    pub fn wrong(field: &str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Wrong(vec![Finding::of(field, &Words::new(zh, en))])
    }

    /// There is nothing of that name.
    pub fn unknown(kind: &'static str, name: impl fmt::Display) -> Self {
        Self::Unknown { kind, name: name.to_string() }
    }

    /// There is one already.
    pub fn exists(kind: &'static str, name: impl fmt::Display) -> Self {
        Self::Exists { kind, name: name.to_string() }
    }

    /// It does not go together with what is on record.
    pub fn conflict(why: impl fmt::Display) -> Self {
        Self::Conflict(why.to_string())
    }
}

impl From<ReadError> for ChargingFault {
    fn from(fault: ReadError) -> Self {
        Self::Broken(fault.to_string())
    }
}

impl From<Undone<ChargingFault>> for ChargingFault {
    fn from(undone: Undone<ChargingFault>) -> Self {
        match undone {
            Undone::Refused(fault) => fault,
            Undone::KeyReused => Self::KeyReused,
            Undone::Busy => Self::Busy,
            Undone::Failed(why) => Self::Broken(why),
        }
    }
}
