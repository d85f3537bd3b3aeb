//! Tables in and out: every kind of record as a file, and a whole estate that moves in from another system.
//!
//! An import is carried out twice: first over the records without writing anything, which tells every fault of every row;
//! and if there is none, in journal entries of bounded size. Each row says for itself whether it is there already, so the
//! same file again does nothing, and one that was broken off goes on where it stopped.

mod cards;
mod command;
mod export;
mod journal;
mod kind;
mod merchants;
mod plain;
mod run;
mod write;

use serde::{Deserialize, Serialize};
use tollhouse_core::record::{Record, Table};
use utoipa::ToSchema;

pub use command::{ExchangeAnswer, ExchangeCommand};
pub use kind::Kind;
pub use run::Mode;

use super::fault::Finding;
use super::parts::ChargingParts;

/// The desk.
#[derive(Clone)]
pub struct ExchangeDesk {
    parts: ChargingParts,
}

impl ExchangeDesk {
    /// Over the box's parts.
    pub fn new(parts: ChargingParts) -> Self {
        Self { parts }
    }
}

/// What came of an import, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Imported {
    /// Whether nothing was written down.
    pub dry_run: bool,
    /// Rows that were read.
    pub rows: usize,
    /// Rows that were written, or would be.
    pub written: usize,
    /// Rows that were there already.
    pub there_already: usize,
    /// Everything that is wrong; if anything is, nothing was written.
    pub faults: Vec<Finding>,
    /// The same by table, where there are several.
    #[serde(default)]
    pub tables: Vec<TableCount>,
}

/// How many rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TableCount {
    /// Which.
    pub table: String,
    /// Rows that were written, or would be.
    pub written: usize,
    /// Rows that were there already.
    pub there_already: usize,
}

/// The mark of a row that came in: it comes in once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MovedIn {
    /// The table and a digest of the row.
    pub(super) row: String,
}

impl Record for MovedIn {
    const TABLE: Table = Table::MovedIn;
    fn key(&self) -> String {
        self.row.clone()
    }
}
