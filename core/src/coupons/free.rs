//! The free list (免费车) as a clerk keeps it: who, why, until when. The gate obeys the pass that is written with it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::pass::{GatePass, Grants};
use crate::plate::Plate;
use crate::record::{Cause, Change, ChangeKind, Kept, ReadError, Record, Records, Table};

/// Nobody is on the list for longer without being looked at again.
const LONGEST_DAYS: i64 = 366;
const MOST_NOTE_CHARS: usize = 200;

/// A car on the free list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeEntry {
    /// Which car.
    pub plate: Plate,
    /// On what ground.
    pub reason: FreeReason,
    /// In the clerk's words: the firm, the flat, the job.
    pub note: String,
    /// The last moment at which it is free.
    pub until: DateTime<Utc>,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Who put it there.
    pub by: String,
}

/// On what ground a car is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreeReason {
    /// 快递
    Courier,
    /// 搬家
    Mover,
    /// 施工
    Contractor,
    /// 公务: police, fire, ambulance, army that no plate kind tells.
    Official,
    /// 来访
    Guest,
    /// Anything else; the note says what.
    Other,
}

impl Record for FreeEntry {
    const TABLE: Table = Table::FreeList;
    fn key(&self) -> String {
        self.plate.to_string()
    }
}

/// Why a car is not put on the list, or not taken off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FreeRefusal {
    /// The car is on the block list.
    #[error("this car is on the block list: take it off first")]
    Blocked,
    /// It is not on the list.
    #[error("this car is not on the free list")]
    NotListed,
    /// An end that is past, or too far away.
    #[error("an entry of the free list ends within a year from now")]
    End,
    /// No reason in words.
    #[error("an entry of the free list needs a note of 1 to 200 characters: who, and what for")]
    Note,
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

fn pass_of(plate: &Plate, records: &impl Records) -> Result<Option<Kept<GatePass>>, FreeRefusal> {
    let pass: Option<Kept<GatePass>> = records.get(plate.as_str())?;
    match pass.as_ref().map(|kept| &kept.record.grants) {
        None | Some(Grants::Free { .. }) => Ok(pass),
        Some(_) => Err(FreeRefusal::Blocked),
    }
}

/// Puts a car on the free list, or gives it another end: the gate's pass is written in the same change.
pub fn list_free(entry: &FreeEntry, now: DateTime<Utc>, records: &impl Records) -> Result<Change, FreeRefusal> {
    if entry.until <= now || entry.until > now + TimeDelta::days(LONGEST_DAYS) {
        return Err(FreeRefusal::End);
    }
    let length = entry.note.trim().chars().count();
    if length == 0 || length > MOST_NOTE_CHARS || entry.note.chars().any(char::is_control) {
        return Err(FreeRefusal::Note);
    }
    let key = entry.plate.as_str();
    let pass = pass_of(&entry.plate, records)?;
    let before: Option<Kept<FreeEntry>> = records.get(key)?;
    let cause = Cause::Person { name: entry.by.clone(), reason: entry.note.clone() };
    let mut change = Change::new(ChangeKind::FreeListChanged, now, cause);
    change.rely_on(key, pass.as_ref());
    change.rely_on(key, before.as_ref());
    change.personal(key);
    change.put(entry);
    let grants = Grants::Free { until: Some(entry.until) };
    change.put(&GatePass::new(entry.plate.clone(), grants));
    Ok(change)
}

/// Takes a car off the free list. A car that is inside stays free until it leaves: that was promised at its entry.
pub fn drop_free(
    plate: &Plate,
    by: &str,
    reason: &str,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<Change, FreeRefusal> {
    let before: Kept<FreeEntry> = records.get(plate.as_str())?.ok_or(FreeRefusal::NotListed)?;
    let pass = pass_of(plate, records)?;
    let cause = Cause::Person { name: by.to_owned(), reason: reason.to_owned() };
    let mut change = Change::new(ChangeKind::FreeListChanged, now, cause);
    change.rely_on(plate.as_str(), Some(&before));
    change.rely_on(plate.as_str(), pass.as_ref());
    change.personal(plate.as_str());
    change.delete(Table::FreeList, plate.as_str());
    if pass.is_some() {
        change.delete(Table::Passes, plate.as_str());
    }
    Ok(change)
}
