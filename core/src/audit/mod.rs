//! What must hold over the whole journal: the shape of an invariant that `tollhouse verify` proves.
//!
//! An invariant sees every entry once, in order, and the records at the end. It knows nothing of files and chains:
//! those are the store's to check.

mod bill_books;
mod charging;
mod coupons;
mod covers;
mod invariants;
mod invoices;
mod money;

pub use invariants::all;

use crate::record::{Change, Records, Revision};

/// An entry of the journal: a change that was taken, and its place.
#[derive(Debug, Clone)]
pub struct JournalEntry {
    /// 1 for the first entry ever; the revision of every record that it wrote.
    pub position: Revision,
    /// What was decided. What it relied on is not journalled.
    pub change: Change,
    /// Whether all of it can still be read.
    pub texts: Texts,
}

/// What has become of an entry's personal texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Texts {
    /// Nothing was erased.
    Whole,
    /// Some were erased: where they stood is `▇`, and records that it wrote are no longer those of the store.
    Erased,
}

/// Something that must hold over all entries and the records that follow from them.
pub trait Invariant {
    /// What must hold, as a short sentence for the report.
    fn name(&self) -> &'static str;

    /// Looks at the next entry. What it finds wrong it keeps until the end.
    fn entry(&mut self, entry: &JournalEntry);

    /// The verdict, with the records as they are after the last entry: how much was checked, or what does not hold.
    fn end(&mut self, records: &dyn Records) -> Result<u64, String>;
}
