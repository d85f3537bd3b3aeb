//! The store does what `core::record::Memory` does.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use tollhouse_core::record::{Memory, Records, Refusal, Table};

use super::changes::{Dice, model_rows, put, random_change, rows};
use crate::store::{Busy, Store, StoreOptions, Told};

const DEADLINE: Duration = Duration::from_secs(20);

/// Small limits, so that segments, layers and the redb file all turn over in a short test.
fn small() -> StoreOptions {
    let on_failure = Arc::new(|failure: &crate::store::StoreFailure| panic!("{failure}"));
    StoreOptions { segment_bytes: 16 << 10, apply_after: 50, hold_at_most: 400, on_failure, ..StoreOptions::default() }
}

#[test]
fn the_store_does_what_the_model_does_and_is_the_same_after_opening_again() {
    for seed in 0..8 {
        let folder = tempfile::tempdir().expect("a folder");
        let mut dice = Dice(seed);
        let mut model = Memory::new();
        let mut behind = model.clone();
        let mut refused = 0;
        for _ in 0..4 {
            let store = Store::open(folder.path(), small()).expect("opens");
            assert_eq!(rows(&store.snapshot()), model_rows(&model), "seed {seed}");
            let (tell, told) = mpsc::channel();
            let mut expected = vec![];
            for _ in 0..100 {
                let change = random_change(&mut dice, &behind);
                expected.push(match model.take(&change) {
                    Ok(position) => Told::Durable { position },
                    Err(refusal) => Told::Refused(refusal),
                });
                if dice.one_in(4) {
                    behind = model.clone();
                }
                let tell = tell.clone();
                store.submit(change, move |outcome| tell.send(outcome).expect("heard")).expect("room");
            }
            for expected in expected {
                refused += usize::from(matches!(expected, Told::Refused(Refusal::Stale { .. })));
                assert_eq!(told.recv_timeout(DEADLINE).expect("told in time"), expected, "seed {seed}");
            }
            assert_eq!(rows(&store.snapshot()), model_rows(&model), "seed {seed}");
            store.close();
        }
        assert!(refused > 10, "the test has to meet stale changes, seed {seed}: {refused}");
    }
}

#[test]
fn what_was_told_is_in_the_next_snapshot_for_every_submitter() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), small()).expect("opens");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..16)
            .map(|task| {
                let store = store.clone();
                tokio::spawn(async move {
                    for value in 0..100u64 {
                        let key = format!("{task}");
                        let position = store.commit(put(&key, value)).await.expect("taken");
                        let snapshot = store.snapshot();
                        assert!(snapshot.position() >= position);
                        let stored = snapshot.stored(Table::Stays, &key).expect("readable").expect("there");
                        assert_eq!(stored.revision, position);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic");
        }
    });
    assert_eq!(store.snapshot().position(), 1600);
    let entries = store.follow(700, 1000).expect("readable");
    assert_eq!(entries.iter().map(|entry| entry.position).collect::<Vec<_>>(), (701..=1600).collect::<Vec<_>>());
}

#[test]
fn a_follower_sees_every_entry_once_by_cursor() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), small()).expect("opens");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut cursor = 0;
    for value in 0..300u64 {
        runtime.block_on(store.commit(put(&"k".repeat(50), value))).expect("taken");
        if value % 7 == 0 {
            for entry in store.follow(cursor, 5).expect("readable") {
                assert_eq!(entry.position, cursor + 1);
                cursor = entry.position;
            }
        }
    }
    assert!(cursor > 100);
    assert_eq!(store.follow(cursor, 10_000).expect("readable").len() as u64, 300 - cursor);
    assert_eq!(*store.durable().borrow(), 300);
}

#[test]
fn two_processes_cannot_have_one_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), small()).expect("opens");
    let second = Store::open(folder.path(), small()).map(|_| ()).expect_err("locked");
    assert!(second.to_string().contains("in use by another tollhouse"), "{second}");
    drop(store);
    assert!(Store::open(folder.path(), small()).is_ok());
}

#[test]
fn a_full_queue_answers_busy_and_a_closed_store_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), StoreOptions { queue: 1, ..small() }).expect("opens");
    let (release, released) = mpsc::channel::<()>();
    let (tell_held, held) = mpsc::channel();
    store
        .submit(put("a", 1), move |_| {
            tell_held.send(()).expect("heard");
            released.recv().expect("released");
        })
        .expect("room");
    held.recv_timeout(DEADLINE).expect("the writer is held");
    store.submit(put("b", 1), |_| {}).expect("the queue holds one");
    assert_eq!(store.submit(put("c", 1), |_| {}), Err(Busy::Full));
    release.send(()).expect("the writer waits");
    store.close();
    assert_eq!(store.submit(put("d", 1), |_| {}), Err(Busy::Stopped));
}
