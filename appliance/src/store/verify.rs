//! Proving that journal and records agree: what `tollhouse verify` runs, on a stopped box or on a running one.
//!
//! It changes nothing and repairs nothing. What must hold in the domain comes in as [`Invariant`]s.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tollhouse_core::audit::{Invariant, JournalEntry, Texts};
use tollhouse_core::books::sum_is_zero;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::record::{Balance, Change, ReadError, Records, Refusal, Revision, Stored, Table, Write, resolve};

use super::disk::{DataFolder, Disk};
use super::journal::{Chain, JournalFault};
use super::layer::Layer;
use super::opening::{is_torn_end, sorted_segments, try_redb};
use super::snapshot::{Snapshot, View};
use super::tables;
use super::{Store, StoreError, StoreOptions};

/// Rows read at a time.
const PAGE: usize = 512;
/// Faults that are told in full; the rest is counted.
const MOST_TOLD: usize = 5;

/// What was proved, check by check.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether all checks hold.
    pub ok: bool,
    /// The last entry of the journal that was looked at.
    pub position: Revision,
    /// Each check, in order.
    pub checks: Vec<Check>,
}

/// One thing that was checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Check {
    /// What must hold.
    pub name: String,
    /// Whether it does.
    pub ok: bool,
    /// What was found, in a sentence.
    pub detail: String,
    /// How many things were looked at.
    pub count: u64,
}

/// Proves a stopped box's data. Fails only if the folder cannot be looked at; damage is part of the verdict.
pub fn verify(dir: &Path, invariants: Vec<Box<dyn Invariant>>) -> Result<Verdict, StoreError> {
    verify_on(Arc::new(DataFolder::lock(dir)?), invariants)
}

pub(crate) fn verify_on(disk: Arc<dyn Disk>, invariants: Vec<Box<dyn Invariant>>) -> Result<Verdict, StoreError> {
    if !disk.list("")?.iter().any(|name| name == tables::FILE) {
        let detail = "store.redb is missing; starting the box rebuilds it from the journal".to_owned();
        return Ok(verdict(0, vec![check("the records can be opened", 0, Err(detail))]));
    }
    let (_database, base) = match try_redb(&*disk, StoreOptions::default().cache_bytes) {
        Ok(opened) => opened,
        Err(fault) => return Ok(verdict(0, vec![check("the records can be opened", 0, Err(fault.to_string()))])),
    };
    let position = base.applied.position;
    let view = View { base: Arc::new(base), applying: None, latest: Layer::new(), position };
    prove(disk, view, Revision::MAX, invariants)
}

impl Store {
    /// Proves what is durable now, in the calling thread, while the box runs. It reads the whole journal and holds one
    /// snapshot for as long.
    pub fn verify(&self, invariants: Vec<Box<dyn Invariant>>) -> Result<Verdict, StoreError> {
        let view = View::clone(&self.inner.shared.view.load());
        let until = view.position;
        prove(self.inner.shared.disk.clone(), view, until, invariants)
    }
}

/// Walks the whole journal up to `until`, then holds the view against what follows from it.
fn prove(
    disk: Arc<dyn Disk>,
    mut view: View,
    until: Revision,
    mut invariants: Vec<Box<dyn Invariant>>,
) -> Result<Verdict, StoreError> {
    let applied = view.base.applied;
    let (segments, torn) = sorted_segments(&*disk, applied)?;
    let first = segments.first().copied().unwrap_or(1);
    let mut chain = Chain::new(disk, segments, 0, until);
    let mut walk = Walk { first, torn: torn.map(|torn| format!("segment {torn} holds nothing")), ..Walk::default() };
    loop {
        match next(&mut chain) {
            Ok(None) => break,
            Ok(Some(entry)) => {
                if entry.position == applied.position && chain.hash() != applied.hash {
                    walk.foreign = true;
                }
                walk.entry(&entry, &mut view);
                for invariant in &mut invariants {
                    invariant.entry(&entry);
                }
            }
            Err(fault) if until == Revision::MAX && is_torn_end(&fault, applied) => {
                walk.torn = Some(fault.to_string());
                break;
            }
            Err(fault) => {
                walk.broken = Some(fault.to_string());
                break;
            }
        }
    }
    let mut checks = vec![walk.chain(), walk.reaches(applied.position), walk.postings()];
    checks.push(check("the books sum to zero in every currency", 0, ledger(&view)));
    checks.push(compare(&walk, &view));
    for mut invariant in invariants {
        let outcome = invariant.end(&view);
        let count = *outcome.as_ref().unwrap_or(&0);
        checks.push(check(invariant.name(), count, outcome.map(|_| String::new())));
    }
    Ok(verdict(walk.position, checks))
}

fn next(chain: &mut Chain) -> Result<Option<JournalEntry>, JournalFault> {
    let Some(linked) = chain.next()? else { return Ok(None) };
    chain.entry(&linked).map(Some)
}

fn verdict(position: Revision, checks: Vec<Check>) -> Verdict {
    Verdict { ok: checks.iter().all(|check| check.ok), position, checks }
}

fn check(name: &str, count: u64, outcome: Result<String, String>) -> Check {
    let ok = outcome.is_ok();
    let detail = outcome.unwrap_or_else(|fault| fault);
    Check { name: name.to_owned(), ok, detail, count }
}

/// What was seen on the way through the journal.
#[derive(Default)]
struct Walk {
    first: Revision,
    entries: u64,
    position: Revision,
    fold: Fold,
    lopsided: Vec<String>,
    unreplayable: Option<String>,
    torn: Option<String>,
    broken: Option<String>,
    foreign: bool,
}

impl Walk {
    fn entry(&mut self, entry: &JournalEntry, view: &mut View) {
        self.entries += 1;
        self.position = entry.position;
        if let Err(fault) = sum_is_zero(&entry.change.postings) {
            self.lopsided.push(format!("entry {}: {fault}", entry.position));
        }
        if entry.texts == Texts::Erased {
            self.fold.erased.insert(entry.position);
        }
        let mut taken = self.fold.take(&entry.change, entry.position);
        if entry.position > view.position {
            // What the next start would replay.
            taken = taken.and_then(|()| {
                let writes = resolve(&entry.change, view)?;
                view.latest.take(writes, entry.position);
                view.position = entry.position;
                Ok(())
            });
        }
        if let Err(refusal) = taken {
            self.unreplayable.get_or_insert_with(|| format!("entry {} cannot be replayed: {refusal}", entry.position));
        }
    }

    fn chain(&self) -> Check {
        let outcome = match (&self.broken, &self.torn) {
            (Some(broken), _) => Err(broken.clone()),
            (None, Some(torn)) => Ok(format!("a torn end, which the next start cuts: {torn}")),
            (None, None) => Ok(format!("entries {} to {} follow each other", self.first, self.position)),
        };
        check("every entry of the journal follows the one before, without a gap", self.entries, outcome)
    }

    fn reaches(&self, applied: Revision) -> Check {
        let outcome = if self.foreign {
            Err(format!("at entry {applied} the records are those of another journal"))
        } else if self.position < applied {
            Err(format!("the records hold entry {applied}, the journal ends at {}", self.position))
        } else {
            Ok(format!("store.redb is at entry {applied}"))
        };
        check("the records belong to this journal", applied, outcome)
    }

    fn postings(&self) -> Check {
        let outcome = if self.lopsided.is_empty() { Ok(String::new()) } else { Err(told(&self.lopsided)) };
        check("the postings of every entry sum to zero", self.entries, outcome)
    }
}

fn told(faults: &[String]) -> String {
    let first = faults.iter().take(MOST_TOLD).cloned().collect::<Vec<_>>().join("; ");
    if faults.len() > MOST_TOLD { format!("{first}; and {} more", faults.len() - MOST_TOLD) } else { first }
}

fn ledger(view: &View) -> Result<String, String> {
    let mut sums: BTreeMap<Currency, Money> = BTreeMap::new();
    let faults = each_row(view, Table::Balances, |key, stored| {
        let balance: Balance = serde_json::from_str(&stored.json).map_err(|fault| format!("{key}: {fault}"))?;
        let sum = sums.entry(balance.sum.currency()).or_insert(Money::zero(balance.sum.currency()));
        *sum = sum.plus(balance.sum).map_err(|fault| fault.to_string())?;
        Ok(())
    });
    match sums.values().find(|sum| !sum.is_zero()) {
        Some(sum) => Err(format!("they sum to {sum}")),
        None if faults.is_empty() => Ok(String::new()),
        None => Err(told(&faults)),
    }
}

/// Whether the view is what follows from the journal, record by record, revisions included.
fn compare(walk: &Walk, view: &View) -> Check {
    const NAME: &str = "the records are what follows from the journal, and each one's own check holds";
    if walk.first != 1 {
        let detail = format!("not provable here: the journal begins with entry {}", walk.first);
        return check(NAME, 0, Err(detail));
    }
    let mut count = 0;
    let mut faults: Vec<String> = walk.unreplayable.iter().cloned().collect();
    for table in Table::ALL {
        let (mut seen, mut compared) = (0, 0u64);
        faults.extend(each_row(view, *table, |key, stored| {
            seen += 1;
            if walk.fold.erased.contains(&stored.revision) {
                // Key and content of the entry are gone: nothing is left to compare with.
                return Ok(());
            }
            compared += 1;
            match walk.fold.digests.get(&(*table, key.to_owned())) {
                Some(digest) if *digest == digest_of(stored.revision, &stored.json) => Ok(()),
                Some(_) => Err(format!("{table:?}/{key} differs from the journal")),
                None => Err(format!("{table:?}/{key} is not in the journal")),
            }
        }));
        let expected = walk.fold.comparable(*table);
        if compared < expected {
            faults.push(format!("{table:?}: {} records are missing", expected - compared));
        }
        count += seen;
    }
    check(NAME, count, if faults.is_empty() { Ok(String::new()) } else { Err(told(&faults)) })
}

/// Reads every record of a snapshot, and so its own check. What is damaged comes back; the count is of what is whole.
pub fn check_records(snapshot: &Snapshot) -> (u64, Vec<String>) {
    let mut whole = 0;
    let mut faults = vec![];
    for table in Table::ALL {
        faults.extend(each_row(snapshot, *table, |_, _| {
            whole += 1;
            Ok(())
        }));
    }
    (whole, faults)
}

/// Looks at each row of a table, page by page, going on behind a damaged one.
fn each_row(
    records: &dyn Records,
    table: Table,
    mut look: impl FnMut(&str, &Stored) -> Result<(), String>,
) -> Vec<String> {
    let mut faults = vec![];
    let (mut from, mut page) = (String::new(), PAGE);
    loop {
        match records.range(table, &from, page) {
            Ok(rows) => {
                faults.extend(rows.iter().filter_map(|(key, stored)| look(key, stored).err()));
                let Some((last, _)) = rows.last() else { return faults };
                from = format!("{last}\0");
            }
            // The rows before the damaged one come singly, then it is passed over.
            Err(_) if page > 1 => {
                page = 1;
                continue;
            }
            Err(fault) => {
                faults.push(fault.to_string());
                let ReadError::Damaged { key, .. } = fault else { return faults };
                from = format!("{key}\0");
            }
        }
        page = PAGE;
    }
}

/// The records as they follow from the journal, as digests: whole only where `resolve` reads them again.
#[derive(Default)]
struct Fold {
    digests: BTreeMap<(Table, String), RowDigest>,
    sums: BTreeMap<(Table, String), Stored>,
    /// Entries with erased texts.
    erased: BTreeSet<Revision>,
}

/// A row's revision and half of its SHA-256: enough against accident, and it is not for anything else.
type RowDigest = (Revision, [u8; 16]);

fn digest_of(revision: Revision, json: &str) -> RowDigest {
    let digest = Sha256::digest(json);
    (revision, *digest.first_chunk().expect("SHA-256 is longer than this"))
}

impl Fold {
    fn take(&mut self, change: &Change, revision: Revision) -> Result<(), Refusal> {
        for Write { table, key, json } in resolve(change, self)? {
            let place = (table, key);
            let Some(json) = json else {
                self.digests.remove(&place);
                self.sums.remove(&place);
                continue;
            };
            self.digests.insert(place.clone(), digest_of(revision, &json));
            if matches!(table, Table::Counters | Table::Balances) {
                self.sums.insert(place, Stored { revision, json });
            }
        }
        Ok(())
    }
}

impl Fold {
    /// How many records of a table have to be found.
    fn comparable(&self, table: Table) -> u64 {
        let rows = self.digests.range((table, String::new())..).take_while(|((of, _), _)| *of == table);
        rows.filter(|(_, (revision, _))| !self.erased.contains(revision)).count() as u64
    }
}

impl Records for Fold {
    fn stored(&self, table: Table, key: &str) -> Result<Option<Stored>, ReadError> {
        Ok(self.sums.get(&(table, key.to_owned())).cloned())
    }

    fn range(&self, _: Table, _: &str, _: usize) -> Result<Vec<(String, Stored)>, ReadError> {
        Err(ReadError::Store("folded records are not listed".into()))
    }
}
