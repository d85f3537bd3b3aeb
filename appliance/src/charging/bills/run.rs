//! The bill run on the box: chunk after chunk over all cards, watched while it goes, and going on where it was after
//! anything that stopped it.
//!
//! Owns which cards come next, how many at once, and what a watcher sees. What is drawn is core's to say.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tollhouse_core::charging::bills::{
    BillRun, Bounds, CardBill, CardStep, Chunk, RunSums, RunTerms, bill_card, run_chunk,
};
use tollhouse_core::charging::calendar::in_bounds;
use tollhouse_core::charging::cards::Card;
use tollhouse_core::charging::estate::Space;
use tollhouse_core::charging::fees::{FeeItem, FeeList};
use tollhouse_core::charging::label::SpaceNumber;
use tollhouse_core::charging::timeline::Note;
use tollhouse_core::record::{By, ChangeKind, Kept, ReadError, Record, Records, Table};

use super::super::{ChargingFault, ChargingParts, Decided};
use super::committing::{Committed, commit};
use crate::store::Snapshot;

/// Cards in one change: the writer is held for a few milliseconds, so that no lane waits for the run.
pub const CHUNK: usize = 200;
/// So often a chunk is decided anew when others write its cards meanwhile.
const MOST_TRIES: usize = 50;
/// Writes that the store may have before it before the run gives way: a quarter of those at which lanes wait.
const MOST_UNAPPLIED: usize = 32 << 10;
/// So often it is looked whether there are fewer, and at most for so long before a chunk.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The most bills that a preview shows in full.
pub const MOST_SHOWN: usize = 1_000;
/// Rows read at once where only keys count.
const KEYS_AT_ONCE: usize = 2_000;

/// How a run goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunProgress {
    /// The run as it is on record.
    pub run: BillRun,
    /// Cards that there were when it began, or went on.
    pub of_cards: u64,
}

/// What a run would draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPreview {
    /// As of which day.
    pub as_of: NaiveDate,
    /// In all.
    pub sums: RunSums,
    /// The first bills, at most a thousand.
    pub bills: Vec<CardBill>,
}

/// Draws bills, one run at a time.
#[derive(Clone)]
pub struct BillRunner {
    parts: ChargingParts,
    at_work: Arc<Mutex<()>>,
    progress: watch::Sender<Option<RunProgress>>,
}

/// Which space is meant, out of a snapshot.
fn estate(records: &Snapshot) -> impl Fn(&SpaceNumber) -> Option<Space> + '_ {
    |number| match records.get::<Space>(number.as_str()) {
        Ok(kept) => kept.map(|kept| kept.record),
        Err(fault) => {
            tracing::error!(%fault, "a space cannot be read; its card is parked");
            None
        }
    }
}

/// The price list of a snapshot. What was saved was checked when it was saved.
pub fn price_list(records: &impl Records) -> Result<FeeList, ChargingFault> {
    let (mut items, mut from) = (Vec::new(), String::new());
    loop {
        let page = records.list::<FeeItem>(&from, KEYS_AT_ONCE)?;
        let full = page.len() == KEYS_AT_ONCE;
        if let Some(last) = page.last() {
            from = format!("{}\u{0}", last.record.key());
        }
        items.extend(page.into_iter().map(|kept| kept.record));
        if !full {
            break;
        }
    }
    FeeList::new(items).map_err(|faults| {
        let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
        ChargingFault::conflict(format!("the price list is faulty: {}", all.join("; ")))
    })
}

impl BillRunner {
    /// Over the box's parts.
    pub fn new(parts: ChargingParts) -> Self {
        Self { parts, at_work: Arc::default(), progress: watch::Sender::new(None) }
    }

    /// To watch runs as they go; `None` before the first.
    pub fn watch(&self) -> watch::Receiver<Option<RunProgress>> {
        self.progress.subscribe()
    }

    fn checked(as_of: NaiveDate) -> Result<NaiveDate, ChargingFault> {
        if in_bounds(as_of) {
            return Ok(as_of);
        }
        Err(ChargingFault::wrong("as_of", "日期须在1900年至2399年之间", "a date lies between 1900 and 2399"))
    }

    /// Draws every bill whose issue date is not after `as_of`. A run that was interrupted goes on; one that was through
    /// looks again, and draws what has come since. `step` is told after each chunk.
    pub fn run(&self, as_of: NaiveDate, by: &By, mut step: impl FnMut(&RunProgress)) -> Result<BillRun, ChargingFault> {
        let as_of = Self::checked(as_of)?;
        let _one_at_a_time = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        let records = self.parts.store.snapshot();
        let of_cards = count(&records, Table::Cards)?;
        let known = records.get::<BillRun>(&as_of.to_string())?.map(|kept| kept.record);
        drop(records);
        let mut run = match known {
            Some(run) => run.again(),
            None => BillRun::new(as_of, self.parts.now()),
        };
        while run.ended_at.is_none() {
            self.gives_way();
            run = self.chunk(&run, by)?;
            let progress = RunProgress { run: run.clone(), of_cards };
            step(&progress);
            self.progress.send_replace(Some(progress));
        }
        Ok(run)
    }

    /// Puts a run on record, once under the request's key, and lets it go on a thread of its own.
    pub async fn begin(&self, as_of: NaiveDate, by: &By) -> Result<BillRun, ChargingFault> {
        let as_of = Self::checked(as_of)?;
        let begun = self.parts.carry_out(by, |records| {
            let before = records.get::<BillRun>(&as_of.to_string())?;
            let mut change = self.parts.change(ChangeKind::BillsRun, by);
            change.rely_on(&as_of.to_string(), before.as_ref());
            let run = match before {
                Some(kept) => kept.record.again(),
                None => BillRun::new(as_of, self.parts.now()),
            };
            change.put(&run);
            Ok(Decided { change, outcome: run })
        });
        let (run, runner) = (begun.await?, self.clone());
        let by = By { once: None, ..by.clone() };
        // One that goes already takes this up as well: it goes on until the run that is on record has ended.
        tokio::task::spawn_blocking(move || {
            if let Err(fault) = runner.run(as_of, &by, |_| ()) {
                tracing::error!(%fault, %as_of, "the bill run did not end; the next one goes on where it was");
            }
        });
        Ok(run)
    }

    /// The lot's date.
    pub fn today(&self) -> NaiveDate {
        self.parts.today()
    }

    /// Waits until the store has caught up with what the run has written: before the lanes would have to.
    fn gives_way(&self) {
        let began = Instant::now();
        while self.parts.store.unapplied() > MOST_UNAPPLIED && began.elapsed() < LONGEST_WAIT {
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// One chunk: decided against a snapshot, committed, and decided anew when somebody was faster.
    fn chunk(&self, run: &BillRun, by: &By) -> Result<BillRun, ChargingFault> {
        for _ in 0..MOST_TRIES {
            let records = self.parts.store.snapshot();
            let before = records.get::<BillRun>(&run.key())?;
            let fees = price_list(&records)?;
            let terms = self.terms(&fees, run.as_of);
            let cards = next_cards(&records, run)?;
            let now = self.parts.now();
            let chunk = run_chunk(before.as_ref(), run, &cards, &estate(&records), &terms, now, &records)?;
            drop(records);
            let Chunk { mut change, run, .. } = chunk;
            change.cause = by.cause.clone();
            match commit(&self.parts.store, change)? {
                Committed::Durable(_) => return Ok(run),
                Committed::Stale => {}
            }
        }
        Err(ChargingFault::Busy)
    }

    fn terms<'r>(&'r self, fees: &'r FeeList, as_of: NaiveDate) -> RunTerms<'r> {
        RunTerms {
            fees,
            as_of,
            today: self.parts.today(),
            currency: self.parts.currency(),
            bounds: Bounds::default(),
            key: &self.parts.key,
        }
    }

    /// What a run would do: the same, and nobody writes it down.
    pub fn preview(&self, as_of: NaiveDate) -> Result<RunPreview, ChargingFault> {
        let as_of = Self::checked(as_of)?;
        let records = self.parts.store.snapshot();
        let fees = price_list(&records)?;
        let terms = self.terms(&fees, as_of);
        let note = Note::new(self.parts.now(), terms.today, "run", "preview");
        let mut preview = RunPreview { as_of, sums: RunSums::default(), bills: vec![] };
        let mut run = BillRun::new(as_of, self.parts.now());
        loop {
            let cards = next_cards(&records, &run)?;
            let Some(last) = cards.last() else { return Ok(preview) };
            run.after = Some(last.record.number.clone());
            for kept in &cards {
                preview.sums.cards += 1;
                match bill_card(&kept.record, &estate(&records), &terms, &note, &records)? {
                    Err(why) => preview.sums.park(&kept.record.number, &why),
                    Ok(None) => {}
                    Ok(Some(step)) => {
                        preview.sums.add(&step);
                        let room = MOST_SHOWN - preview.bills.len();
                        let drawn = step.moves.into_iter().filter(|one| one.before.is_none()).map(|one| one.after);
                        preview.bills.extend(drawn.take(room));
                    }
                }
            }
        }
    }

    /// The runs that there were, the newest first.
    pub fn runs(&self, limit: usize) -> Result<Vec<BillRun>, ChargingFault> {
        let mut runs: Vec<BillRun> =
            self.parts.store.snapshot().list::<BillRun>("", usize::MAX)?.into_iter().map(|kept| kept.record).collect();
        runs.reverse();
        runs.truncate(limit);
        Ok(runs)
    }

    /// The run as of a day.
    pub fn run_of(&self, as_of: NaiveDate) -> Result<BillRun, ChargingFault> {
        let kept = self.parts.store.snapshot().get::<BillRun>(&as_of.to_string())?;
        kept.map(|kept| kept.record).ok_or_else(|| ChargingFault::unknown("bill run", as_of))
    }
}

/// Bills one card by a price list, as a run as of today would.
pub(super) fn bill_one(
    parts: &ChargingParts,
    card: &Card,
    fees: &FeeList,
    note: &Note,
    records: &Snapshot,
) -> Result<Option<CardStep>, ChargingFault> {
    let terms = RunTerms {
        fees,
        as_of: note.on,
        today: note.on,
        currency: parts.currency(),
        bounds: Bounds::default(),
        key: &parts.key,
    };
    bill_card(card, &estate(records), &terms, note, records)?.map_err(ChargingFault::conflict)
}

fn next_cards(records: &Snapshot, run: &BillRun) -> Result<Vec<Kept<Card>>, ReadError> {
    let from = run.after.as_ref().map(|last| format!("{last}\u{0}")).unwrap_or_default();
    records.list::<Card>(&from, CHUNK)
}

fn count(records: &Snapshot, table: Table) -> Result<u64, ReadError> {
    let (mut count, mut from) = (0, String::new());
    loop {
        let page = records.range(table, &from, KEYS_AT_ONCE)?;
        count += page.len() as u64;
        match page.last() {
            Some((key, _)) if page.len() == KEYS_AT_ONCE => from = format!("{key}\u{0}"),
            _ => return Ok(count),
        }
    }
}
