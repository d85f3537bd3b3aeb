//! What people did by hand while a shift was open: openings, discounts, corrections; read from the journal, where each stands
//! with its name and reason.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::cash::Shift;
use tollhouse_core::id::LaneId;
use tollhouse_core::record::{Cause, ChangeKind, Revision};

use crate::store::Store;
use crate::store::journal::JournalFault;

/// Entries read from the journal at once.
const BATCH: usize = 1_000;
/// Entries that are looked at: a busy box writes about 20 for each car.
const MOST_SCANNED: usize = 200_000;
/// Deeds that are told.
const MOST_DEEDS: usize = 1_000;

/// Something that a person did by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Its entry in the journal.
    pub position: Revision,
    /// When.
    pub at: DateTime<Utc>,
    /// What, in the journal's word.
    pub kind: ChangeKind,
    /// At which lane, if at one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneId>,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What was done by hand during a shift, by anybody, in order. What moved its own drawer stands in its receipts.
pub fn deeds(store: &Store, shift: &Shift) -> Result<Vec<Deed>, JournalFault> {
    let until = shift.closing.as_ref().map(|closing| closing.at);
    let own = [
        ChangeKind::ShiftOpened,
        ChangeKind::ShiftClosed,
        ChangeKind::CashTaken,
        ChangeKind::CashMoved,
        ChangeKind::CashPaidOut,
        ChangeKind::StoredMoved,
    ];
    let (mut at, mut scanned, mut found) = (shift.opened_after, 0, vec![]);
    loop {
        let batch = store.follow(at, BATCH)?;
        let Some(last) = batch.last() else { return Ok(found) };
        at = last.position;
        scanned += batch.len();
        for entry in batch {
            let change = entry.change;
            if until.is_some_and(|until| change.at > until) {
                return Ok(found);
            }
            let Cause::Person { name, reason } = change.cause else { continue };
            if own.contains(&change.kind) || change.at < shift.opened_at {
                continue;
            }
            let (kind, lane) = (change.kind, change.lane);
            found.push(Deed { position: entry.position, at: change.at, kind, lane, by: name, reason });
            if found.len() >= MOST_DEEDS {
                return Ok(found);
            }
        }
        if scanned >= MOST_SCANNED {
            return Ok(found);
        }
    }
}
