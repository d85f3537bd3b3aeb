//! The desk: follows the journal by cursor, and brings the gate's passes up to what cards and bills come to, card by card
//! and in bounded batches.
//!
//! What it writes and how far it has come are one journal entry. So what was lost with the process is read again, and what
//! was done is not done twice. It must not know the lanes: whoever runs it is told when they should look again.

use std::collections::{BTreeMap, BTreeSet};

use tollhouse_core::charging::gate::{GateDay, PassCursor, PassPolicy, Touched, Wake, tell};
use tollhouse_core::charging::label::CardNumber;
use tollhouse_core::record::{Cause, Change, ChangeKind, Kept, Op, ReadError, Records, Refusal, Revision, Table};

use crate::clock::BoxClock;
use crate::store::journal::JournalFault;
use crate::store::{CommitError, Snapshot, Store};

/// Entries of the journal that are read in one go: one of a bill run is a megabyte or more.
const ENTRIES_AT_ONCE: usize = 32;
/// Cards that are looked at in one change: a lane that commits meanwhile waits for no more than that.
const CARDS_AT_ONCE: usize = 100;
/// Without anything to tell, the cursor is written after so many entries: so much is read again after a crash.
const ENTRIES_BETWEEN: Revision = 10_000;
/// So often a batch is decided anew when its records were written meanwhile.
const MOST_TRIES: usize = 16;

/// Why a round could not be made. It is made again later.
#[derive(Debug, thiserror::Error)]
pub enum PassFault {
    /// The journal could not be read.
    #[error("the journal could not be followed: {0}")]
    Journal(#[from] JournalFault),
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The passes could not be put on record.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// What a round leaves to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// There is more.
    More,
    /// The gate has all of it.
    Rest,
}

/// What is looked at, and how far the cursor stands when it is done.
struct Batch {
    cards: BTreeMap<CardNumber, BTreeSet<String>>,
    cursor: PassCursor,
    why: &'static str,
}

/// See the module.
pub struct PassDesk {
    store: Store,
    clock: BoxClock,
    policy: PassPolicy,
    /// What was read and not told yet, and how far it was read.
    touched: Touched,
    /// The same of bill runs, which are long: what people do meanwhile is told first.
    later: Touched,
    read_to: Option<Revision>,
}

impl PassDesk {
    /// Over a store, by the lot's policy.
    pub fn new(store: Store, clock: BoxClock, policy: PassPolicy) -> Self {
        Self { store, clock, policy, touched: Touched::default(), later: Touched::default(), read_to: None }
    }

    /// One bounded step. `wake` is called when cars that wait at lanes should be looked at again.
    pub async fn round(&mut self, wake: impl FnOnce()) -> Result<Round, PassFault> {
        let cursor = self.cursor(&self.store.snapshot())?;
        if self.touched.is_empty() {
            let read_to = self.read_to.unwrap_or(cursor.position).max(cursor.position);
            if self.read(read_to)? == Wake::Lanes {
                wake();
            }
        }
        // Taken after the journal was read: it holds at least what stands there.
        let Some(batch) = self.batch(cursor, &self.store.snapshot())? else { return Ok(Round::Rest) };
        self.write(&batch).await?;
        let told = if self.touched.is_empty() { &mut self.later } else { &mut self.touched };
        for number in batch.cards.keys() {
            told.cards.remove(number);
        }
        Ok(Round::More)
    }

    /// How far the gate has come; a store that nobody has followed is looked at whole, and so is one under another policy.
    fn cursor(&self, records: &Snapshot) -> Result<PassCursor, ReadError> {
        let kept = records.get::<PassCursor>(PassCursor::KEY)?.map(|kept| kept.record);
        let new = |position| PassCursor::new(position, self.clock.now(), &self.policy);
        Ok(match kept {
            Some(cursor) if cursor.under == self.policy.mark() => cursor,
            Some(cursor) => new(cursor.position),
            None => new(records.position()),
        })
    }

    fn read(&mut self, after: Revision) -> Result<Wake, PassFault> {
        let entries = self.store.follow(after, ENTRIES_AT_ONCE)?;
        let mut wake = Wake::Nobody;
        for entry in &entries {
            let touched = if is_of_a_run(&entry.change) { &mut self.later } else { &mut self.touched };
            if touched.note(&entry.change) == Wake::Lanes {
                wake = Wake::Lanes;
            }
        }
        self.read_to = Some(entries.last().map_or(after, |entry| entry.position));
        Ok(wake)
    }

    /// What comes next: what the journal touched, then what all has to be looked at, then what a day has changed.
    fn batch(&mut self, cursor: PassCursor, records: &Snapshot) -> Result<Option<Batch>, ReadError> {
        let read_to = self.read_to.unwrap_or(cursor.position);
        self.touched.find_holders(records)?;
        let waiting = if self.touched.is_empty() { &self.later } else { &self.touched };
        if !waiting.is_empty() {
            let cards: BTreeMap<_, _> = waiting.cards.iter().take(CARDS_AT_ONCE).map(owned).collect();
            // Nothing that was read and not told may lie before the cursor.
            let all = cards.len() == self.touched.cards.len() + self.later.cards.len();
            let position = if all { read_to } else { cursor.position };
            let cursor = PassCursor { position, ..cursor };
            return Ok(Some(Batch { cards, cursor, why: "cards or their bills have changed" }));
        }
        if let Some(from) = &cursor.walking {
            let rows = records.range(Table::Cards, from, CARDS_AT_ONCE)?;
            let walking = rows.last().filter(|_| rows.len() == CARDS_AT_ONCE).map(|(key, _)| format!("{key}\u{0}"));
            let cards = rows.iter().filter_map(|(key, _)| CardNumber::new(key).ok()).map(without_bills).collect();
            let cursor = PassCursor { position: read_to, walking, ..cursor };
            return Ok(Some(Batch { cards, cursor, why: "all cards are looked at" }));
        }
        let today = self.clock.now().with_timezone(&self.policy.zone).date_naive();
        let due = records.list::<GateDay>("", CARDS_AT_ONCE)?;
        let due = due.into_iter().map(|kept| kept.record).take_while(|day| day.on <= today);
        let cards: BTreeMap<_, _> = due.map(|day| without_bills(day.card)).collect();
        if cards.is_empty() && read_to - cursor.position < ENTRIES_BETWEEN {
            return Ok(None);
        }
        let cursor = PassCursor { position: read_to, ..cursor };
        Ok(Some(Batch { cards, cursor, why: "a day has begun" }))
    }

    async fn write(&self, batch: &Batch) -> Result<(), PassFault> {
        let mut tries = 0;
        loop {
            tries += 1;
            let change = self.change(batch)?;
            match self.store.commit(change).await {
                Ok(_) => return Ok(()),
                // A lane has written a card's cars meanwhile: look again.
                Err(CommitError::Refused(Refusal::Stale { .. })) if tries < MOST_TRIES => {}
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    fn change(&self, batch: &Batch) -> Result<Change, ReadError> {
        let (now, records) = (self.clock.now(), self.store.snapshot());
        let kind = if batch.cards.is_empty() { ChangeKind::CursorMoved } else { ChangeKind::PassWritten };
        let mut change = Change::new(kind, now, Cause::Box(batch.why.to_owned()));
        let known: Option<Kept<PassCursor>> = records.get(PassCursor::KEY)?;
        change.rely_on(PassCursor::KEY, known.as_ref());
        tell(&mut change, &batch.cards, now, &self.policy, &records)?;
        change.put(&PassCursor { at: now, ..batch.cursor.clone() });
        Ok(change)
    }
}

/// Whether a change is a chunk of a bill run, which stands in it.
fn is_of_a_run(change: &Change) -> bool {
    let run = |op: &Op| matches!(op, Op::Put { table, .. } if table.as_ref() == Table::BillRuns.name());
    change.kind == ChangeKind::BillsRun && change.ops.iter().rev().any(run)
}

fn owned((number, bills): (&CardNumber, &BTreeSet<String>)) -> (CardNumber, BTreeSet<String>) {
    (number.clone(), bills.clone())
}

fn without_bills(number: CardNumber) -> (CardNumber, BTreeSet<String>) {
    (number, BTreeSet::new())
}
