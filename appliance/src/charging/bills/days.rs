//! How temporary bills reach property charging: the journal is read by cursor, in timed batches, and made into the figures
//! of days.
//!
//! Owns how much is read at once. What an entry means is core's; who calls, and how often, is the daily round's.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use tollhouse_core::audit::JournalEntry;
use tollhouse_core::charging::bills::{BillDay, CaughtUp, DayCursor, book_batch};
use tollhouse_core::record::{Op, Records, Revision, Table};

use super::super::{ChargingFault, ChargingParts};
use super::committing::{Committed, commit};

/// Entries of one batch.
const BATCH: usize = 2_000;
/// Entries in memory at once: one of a bill run has half a megabyte.
const AT_ONCE: usize = 32;
/// So often a batch is decided anew.
const MOST_TRIES: usize = 16;

/// The books of the days.
#[derive(Clone)]
pub struct DayBooks {
    parts: ChargingParts,
}

/// How far behind the journal property charging is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Lag {
    /// The last entry that is counted.
    pub position: Revision,
    /// Entries after it.
    pub entries: u64,
    /// When the last entry that is counted was posted; `None` before the first.
    pub at: Option<DateTime<Utc>>,
}

impl DayBooks {
    /// Over the box's parts.
    pub fn new(parts: ChargingParts) -> Self {
        Self { parts }
    }

    /// Counts all that the journal says and that is not counted yet, and closes the days that are over. Says how many
    /// entries that were. Reads files: not for serving threads.
    pub fn catch_up(&self) -> Result<u64, ChargingFault> {
        let mut counted = 0;
        loop {
            let (entries, caught_up) = self.batch()?;
            counted += entries;
            if caught_up == CaughtUp::Yes {
                return Ok(counted);
            }
        }
    }

    fn batch(&self) -> Result<(u64, CaughtUp), ChargingFault> {
        let parts = &self.parts;
        for _ in 0..MOST_TRIES {
            let records = parts.store.snapshot();
            let cursor = records.get::<DayCursor>(DayCursor::KEY)?;
            let after = cursor.as_ref().map_or(0, |kept| kept.record.position);
            let (entries, caught_up) = self.entries(after)?;
            let lot = (parts.lot.zone, parts.currency());
            let change = book_batch(cursor.as_ref(), &entries, caught_up, lot, parts.now(), &records)?;
            drop(records);
            let count = entries.len() as u64;
            let Some(change) = change else { return Ok((count, caught_up)) };
            // What only moves the cursor past entries of no concern waits until there is something to say, or much of it.
            if change.ops.len() < 2 && count < BATCH as u64 / 4 {
                return Ok((0, CaughtUp::Yes));
            }
            match commit(&parts.store, change)? {
                Committed::Durable(_) => return Ok((count, caught_up)),
                Committed::Stale => {}
            }
        }
        Err(ChargingFault::Busy)
    }

    /// The next entries, without what is of no concern.
    fn entries(&self, after: Revision) -> Result<(Vec<JournalEntry>, CaughtUp), ChargingFault> {
        let mut all: Vec<JournalEntry> = Vec::new();
        loop {
            let from = all.last().map_or(after, |entry| entry.position);
            let page = self.parts.store.follow(from, AT_ONCE);
            let page = page.map_err(|fault| ChargingFault::conflict(format!("the journal cannot be read: {fault}")))?;
            let ended = page.len() < AT_ONCE;
            all.extend(page.into_iter().map(lighter));
            if ended {
                return Ok((all, CaughtUp::Yes));
            }
            if all.len() >= BATCH {
                return Ok((all, CaughtUp::NotYet));
            }
        }
    }

    /// How far behind it is.
    pub fn lag(&self) -> Result<Lag, ChargingFault> {
        let newest = *self.parts.store.durable().borrow();
        let cursor = self.parts.store.snapshot().get::<DayCursor>(DayCursor::KEY)?.map(|kept| kept.record);
        let position = cursor.map_or(0, |cursor| cursor.position);
        Ok(Lag { position, entries: newest.saturating_sub(position), at: cursor.map(|cursor| cursor.at) })
    }

    /// The figures of days from one on, at most so many.
    pub fn days(&self, from: Option<NaiveDate>, limit: usize) -> Result<Vec<BillDay>, ChargingFault> {
        let from = from.map(|day| day.to_string()).unwrap_or_default();
        let days = self.parts.store.snapshot().list::<BillDay>(&from, limit)?;
        Ok(days.into_iter().map(|kept| kept.record).collect())
    }

    /// The figures of one day.
    pub fn day(&self, day: NaiveDate) -> Result<BillDay, ChargingFault> {
        let kept = self.parts.store.snapshot().get::<BillDay>(&day.to_string())?;
        kept.map(|kept| kept.record).ok_or_else(|| ChargingFault::unknown("day of temporary bills", day))
    }
}

fn lighter(mut entry: JournalEntry) -> JournalEntry {
    let of_concern = [Table::Bills.name(), Table::Refunds.name()];
    let concerns = |op: &Op| matches!(op, Op::Put { table, .. } if of_concern.contains(&table.as_ref()));
    if !entry.change.ops.iter().any(concerns) {
        entry.change.ops.clear();
        entry.change.postings.clear();
    }
    entry
}
