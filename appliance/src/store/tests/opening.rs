//! What opening does with a redb file or a journal that is not as it was left, and what a failing medium does.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tollhouse_core::record::{Memory, Table};

use super::changes::{Dice, model_rows, put, random_change, rows};
use super::simulated::SimulatedDisk;
use crate::store::journal::Sync;
use crate::store::{Busy, Store, StoreError, StoreOptions, Told, check_records};

const REDB: &str = "store.redb";
const FIRST_SEGMENT: &str = "journal/00000000000000000001.seg";
const DEADLINE: Duration = Duration::from_secs(20);

fn options() -> StoreOptions {
    StoreOptions { segment_bytes: 8 << 10, apply_after: 40, on_failure: Arc::new(|_| {}), ..StoreOptions::default() }
}

/// A store with some changes, closed, and what its records are.
fn filled(disk: &SimulatedDisk) -> Memory {
    let store = Store::open_on(Arc::new(disk.clone()), options(), Sync::Durable).expect("opens");
    let (mut model, mut dice) = (Memory::new(), Dice(7));
    for _ in 0..120 {
        let change = random_change(&mut dice, &model);
        // A refused one is refused by both.
        let _ = model.take(&change);
        let (tell, told) = mpsc::channel();
        // One by one, so that segments turn over.
        store.submit(change, move |outcome| tell.send(outcome).expect("heard")).expect("room");
        told.recv_timeout(DEADLINE).expect("told in time");
    }
    store.close();
    model
}

fn open(disk: &SimulatedDisk) -> Result<Store, StoreError> {
    Store::open_on(Arc::new(disk.clone()), options(), Sync::Durable)
}

#[test]
fn a_lost_redb_file_is_rebuilt_from_the_journal() {
    let disk = SimulatedDisk::new(1 << 40);
    let model = filled(&disk);
    disk.remove(REDB);
    let store = open(&disk).expect("opens");
    assert_eq!(rows(&store.snapshot()), model_rows(&model));
    assert!(store.verify(vec![]).expect("looked at").ok);
}

#[test]
fn a_redb_file_whose_head_is_damaged_is_set_aside_and_rebuilt() {
    let disk = SimulatedDisk::new(1 << 40);
    let model = filled(&disk);
    (0..16).for_each(|byte| disk.flip(REDB, byte));
    let store = open(&disk).expect("opens");
    assert_eq!(rows(&store.snapshot()), model_rows(&model));
    assert!(disk.len_of("store-damaged-1.redb") > 0, "what was damaged is kept");
}

#[test]
fn a_damaged_record_is_found_by_its_own_check() {
    let disk = SimulatedDisk::new(1 << 40);
    filled(&disk);
    let mut found = 0;
    // Somewhere in the file stand records; a flipped bit in one is told, and never read as if it were well.
    for byte in disk.find(REDB, b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx") {
        if found == 2 {
            break;
        }
        disk.flip(REDB, byte);
        let store = open(&disk).expect("opens");
        let (_, faults) = check_records(&store.snapshot());
        if !faults.is_empty() {
            assert!(faults[0].contains("is damaged"), "{faults:?}");
            assert!(!store.verify(vec![]).expect("looked at").ok);
            found += 1;
        }
        store.close();
        disk.flip(REDB, byte);
    }
    assert!(found > 0, "no flipped bit was in a live record");
}

#[test]
fn damage_in_the_journal_that_is_no_torn_end_is_an_error_and_nothing_is_cut() {
    let disk = SimulatedDisk::new(1 << 40);
    filled(&disk);
    disk.remove(REDB);
    let before = disk.len_of(FIRST_SEGMENT);
    disk.flip(FIRST_SEGMENT, before / 2);
    let fault = open(&disk).map(|_| ()).expect_err("damaged");
    assert!(matches!(fault, StoreError::Journal(_)), "{fault}");
    assert!(fault.to_string().contains("restore the newest backup"), "{fault}");
    assert_eq!(disk.len_of(FIRST_SEGMENT), before);
}

#[test]
fn a_journal_that_ends_before_the_records_is_an_error() {
    let disk = SimulatedDisk::new(1 << 40);
    filled(&disk);
    let last = disk.names("journal").pop().expect("segments");
    disk.remove(&format!("journal/{last}"));
    assert!(matches!(open(&disk).map(|_| ()), Err(StoreError::JournalShort { .. })));
}

#[test]
fn records_without_the_beginning_of_their_journal_cannot_be_rebuilt() {
    let disk = SimulatedDisk::new(1 << 40);
    filled(&disk);
    disk.remove(REDB);
    disk.remove(FIRST_SEGMENT);
    assert!(matches!(open(&disk).map(|_| ()), Err(StoreError::NoBeginning(_))));
}

#[test]
fn after_the_medium_has_failed_nothing_is_told_and_nothing_is_taken() {
    let disk = SimulatedDisk::new(1 << 40);
    let (fail, failed) = mpsc::channel();
    let on_failure = Arc::new(move |failure: &crate::store::StoreFailure| {
        fail.send(failure.to_string()).expect("heard");
    });
    let options = StoreOptions { on_failure, ..options() };
    let store = Store::open_on(Arc::new(disk.clone()), options, Sync::Durable).expect("opens");
    disk.cut_after(0);
    let (tell, told) = mpsc::channel::<Told>();
    store.submit(put("a", 1), move |outcome| tell.send(outcome).expect("heard")).expect("room");
    let failure = failed.recv_timeout(DEADLINE).expect("the failure is told");
    assert!(failure.contains("the journal could not be written"), "{failure}");
    assert!(told.recv().is_err(), "nobody is told that it is durable");
    store.close();
    assert_eq!(store.submit(put("b", 1), |_| {}), Err(Busy::Stopped));
    assert_eq!(store.snapshot().position(), 0);
}

/// Bytes of format 1, as the first release wrote them: every later release opens them.
#[test]
fn files_of_format_1_open() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format-1");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("journal")).expect("made");
    for name in [REDB, FIRST_SEGMENT] {
        std::fs::copy(fixture.join(name), folder.path().join(name)).expect("copied");
    }
    let store = Store::open(folder.path(), options()).expect("opens");
    let expected = std::fs::read_to_string(fixture.join("records.json")).expect("readable");
    assert_eq!(as_json(&store), expected.trim_end());
    assert!(store.verify(vec![]).expect("looked at").ok);
    assert!(store.snapshot().position() > 5, "there are entries");
}

/// Writes the bytes of the current format. Run by hand, once a format is released; the name says where.
#[test]
fn the_current_format_is_written_where_asked() {
    let Some(place) = std::env::var_os("TOLLHOUSE_WRITE_FIXTURE") else { return };
    let place = Path::new(&place);
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), options()).expect("opens");
    let (mut model, mut dice) = (Memory::new(), Dice(1));
    let mut submit = |store: &Store, count| {
        let (tell, told) = mpsc::channel();
        for _ in 0..count {
            let change = random_change(&mut dice, &model);
            let _ = model.take(&change);
            let tell = tell.clone();
            store.submit(change, move |outcome| tell.send(outcome).expect("heard")).expect("room");
        }
        drop(tell);
        told.iter().count()
    };
    submit(&store, 8);
    store.close();
    drop(store);
    let store = Store::open(folder.path(), StoreOptions { segment_bytes: 1 << 20, ..options() }).expect("opens");
    submit(&store, 1);
    std::fs::create_dir_all(place.join("journal")).expect("made");
    for name in [REDB, FIRST_SEGMENT] {
        std::fs::copy(folder.path().join(name), place.join(name)).expect("copied");
    }
    std::fs::write(place.join("records.json"), as_json(&store) + "\n").expect("written");
}

fn as_json(store: &Store) -> String {
    let row = |(table, key, stored): (Table, String, tollhouse_core::record::Stored)| {
        let record: serde_json::Value = serde_json::from_str(&stored.json).expect("JSON");
        serde_json::json!({"table": table.name(), "key": key, "revision": stored.revision, "record": record})
    };
    let rows: Vec<_> = rows(&store.snapshot()).into_iter().map(row).collect();
    serde_json::to_string_pretty(&rows).expect("JSON")
}
