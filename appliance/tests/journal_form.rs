//! The journal's form as docs/journal.md has it, checked by a program that shares no code with the box; and erasing.

use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::DateTime;
use serde_json::json;
use tollhouse::store::{Store, StoreOptions, journal, verify};
use tollhouse_core::record::{Cause, Change, ChangeKind, Op, Records, Table};

const PLATE: &str = "粤B12345";
const NAME: &str = "O\"Neil \\ put";

fn change(number: usize) -> Change {
    let cause = Cause::Person { name: NAME.into(), reason: format!("{PLATE} waits") };
    let mut change = Change::new(ChangeKind::PassageGranted, DateTime::UNIX_EPOCH, cause);
    let record = json!({"plate": PLATE, "other": format!("粤B{number:05}"), "note": format!("{NAME}\n{PLATE}{PLATE}")});
    let record = serde_json::value::to_raw_value(&record).expect("JSON");
    change.ops.push(Op::Put { table: Table::Inside.name().into(), key: PLATE.into(), record });
    // Short texts, structural words and a piece of another text have to be harmless.
    for text in [PLATE, NAME, "粤B", "put", "plate", "12345", "person", "inside", "no"] {
        change.personal(text);
    }
    change
}

fn filled(folder: &Path) -> Store {
    let options = StoreOptions { segment_bytes: 8 << 10, ..StoreOptions::default() };
    let store = Store::open(folder, options).expect("opens");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for number in 0..60 {
        runtime.block_on(store.commit(change(number))).expect("taken");
    }
    store
}

/// What the stranger's checker says, and whether it is content.
fn stranger(folder: &Path) -> (bool, String) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/check_journal.py");
    let output = Command::new("python3").arg(script).arg(folder).output().expect("python3 runs");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

/// The segments and their bytes, in order.
fn segments(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder.join("journal")).expect("listed");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).expect("readable"))).collect()
}

fn occurrences(folder: &Path, text: &str) -> usize {
    let bytes: Vec<u8> = segments(folder).into_iter().flat_map(|(_, bytes)| bytes).collect();
    bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}

#[test]
fn a_stranger_can_check_the_journal_from_its_description() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path()).close();
    assert!(segments(folder.path()).len() > 3, "several segments");
    let (content, said) = stranger(folder.path());
    assert!(content, "{said}");
    assert!(said.starts_with("entries 60 personal ") && said.contains(" erased 0 "), "{said}");
}

#[test]
fn a_stranger_finds_flipped_bits_and_so_does_verify() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path()).close();
    assert!(verify(folder.path(), vec![]).expect("looked at").ok);
    let (path, bytes) = segments(folder.path()).swap_remove(1);
    for byte in (0..bytes.len()).step_by(397) {
        let mut flipped = bytes.clone();
        flipped[byte] ^= 4;
        std::fs::write(&path, &flipped).expect("written");
        assert!(!stranger(folder.path()).0, "byte {byte}");
        assert!(!verify(folder.path(), vec![]).expect("looked at").ok, "byte {byte}");
    }
}

#[test]
fn what_is_read_back_is_what_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = filled(folder.path());
    let entries = store.follow(0, 100).expect("readable");
    for (number, entry) in entries.iter().enumerate() {
        let (read, written) = (serde_json::to_value(&entry.change), serde_json::to_value(change(number)));
        assert_eq!(read.expect("JSON"), written.expect("JSON"));
    }
    assert_eq!(entries.len(), 60);
    store.close();
    assert_eq!(occurrences(folder.path(), PLATE), 60, "a plate stands once an entry: beside the chain");
}

#[test]
fn an_erased_plate_is_gone_and_the_chain_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path()).close();
    let (_, before) = stranger(folder.path());
    assert_eq!(journal::erase(folder.path(), PLATE).expect("erased").len(), 60);
    let (content, after) = stranger(folder.path());
    assert!(content && after.contains(" erased 60 "), "{after}");
    assert_eq!(before.split(" head ").last(), after.split(" head ").last(), "no hash has changed");
    assert_eq!(occurrences(folder.path(), PLATE), 0);
    let entry = journal::read(folder.path()).expect("opens").last().expect("an entry").expect("whole");
    let json = serde_json::to_string(&entry.change).expect("JSON");
    assert!(json.contains("\"plate\":\"▇\"") && json.contains("Neil"), "{json}");
    assert!(journal::erase(folder.path(), PLATE).expect("looked at").is_empty(), "nothing is left to erase");
    let verdict = verify(folder.path(), vec![]).expect("looked at");
    assert!(verdict.ok, "{verdict:?}");
    // The records still hold it: they follow from the changes as they were when they were taken.
    let store = Store::open(folder.path(), StoreOptions::default()).expect("opens");
    assert!(store.snapshot().stored(Table::Inside, PLATE).expect("readable").is_some());
}
