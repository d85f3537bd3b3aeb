//! Rows that are ready to be written: each adds to a change, over records that may be ahead of the store.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use tollhouse_core::record::{Change, Overlay, Records};

use super::{Kind, MovedIn};
use crate::charging::fault::ChargingFault;
use crate::store::Snapshot;

/// What rows are written over.
pub(super) type Over<'s> = Overlay<'s, Snapshot>;

/// What a row did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrote {
    /// It is in the change.
    Written,
    /// It was there already.
    ThereAlready,
}

/// Writes one row.
pub(super) type Write = Box<dyn Fn(&Over<'_>, &mut Change) -> Result<Wrote, ChargingFault> + Send + Sync>;

/// A row that was read.
pub(super) struct Row {
    /// Of which table.
    pub(super) kind: Kind,
    /// As the spreadsheet counts; 0 where a record has several rows.
    pub(super) line: usize,
    /// Writes it.
    pub(super) write: Write,
}

/// Writes a row at most once, by what it says: `of` are its texts, with how many like it came before in the table.
pub(super) fn once(
    records: &Over<'_>,
    change: &mut Change,
    kind: Kind,
    of: &[&str],
    put: impl FnOnce(&mut Change) -> Result<(), ChargingFault>,
) -> Result<Wrote, ChargingFault> {
    let digest = Sha256::digest(of.join("\u{1f}").as_bytes());
    let mut row = format!("{kind}/");
    for byte in digest.iter().take(16) {
        // Writing to a text does not fail.
        let _ = write!(row, "{byte:02x}");
    }
    if records.get::<MovedIn>(&row)?.is_some() {
        return Ok(Wrote::ThereAlready);
    }
    change.rely_on::<MovedIn>(&row, None);
    change.put(&MovedIn { row });
    put(change)?;
    Ok(Wrote::Written)
}
