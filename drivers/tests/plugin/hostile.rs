//! A driver that does what drivers must not: the box sees a device that goes and comes back, and no more.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;
use tempfile::TempDir;
use tollhouse_drivers::link::Refused;
use tollhouse_drivers::plugin::Patience;

use crate::rig::{DEADLINE, Rig, c_library, patience};

fn hostile(defines: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let library = c_library(folder.path(), "tests/plugin/hostile.c", defines);
    (folder, library)
}

/// Waits until the host says why the driver is down.
pub(crate) async fn fault_of(rig: &Rig, words: &str) -> String {
    let waited = tokio::time::timeout(DEADLINE, async {
        loop {
            match rig.host.status().last_fault {
                Some(fault) if fault.contains(words) => return fault,
                _ => tokio::task::yield_now().await,
            }
        }
    });
    waited.await.unwrap_or_else(|_| panic!("no fault with {words:?}, but {:?}", rig.host.status()))
}

#[tokio::test]
async fn whatever_ends_the_child_its_command_is_unknown_and_the_next_one_works() {
    let (_folder, library) = hostile(&[]);
    let cases = [
        ("x-crash", "signal: 6"),
        ("x-segfault", "signal: 11"),
        ("x-exit", "exit status: 0"),
        ("x-hang", "hangs"),
        ("x-garbage", "garbage"),
        ("x-orphan", "signal: 9"),
    ];
    for (name, words) in cases {
        let mut rig = Rig::start(&library, json!({}), &["gate-in-2"]);
        assert_eq!(rig.next().await, "gate-in-2 Online");
        rig.send("gate-in-2", name, json!({}));
        assert_eq!(rig.take(3).await, ["gate-in-2 OutcomeUnknown", "gate-in-2 Offline", "gate-in-2 Online"], "{name}");
        if name != "x-orphan" {
            let fault = rig.host.status().last_fault.expect("it went down");
            assert!(fault.contains(words), "{name}: {fault}");
        }
        rig.send("gate-in-2", "open", json!({}));
        assert_eq!(rig.next().await, "gate-in-2 Confirmed", "{name}");
        rig.host.shutdown().await;
    }
}

#[tokio::test]
async fn a_driver_that_lies_is_counted_and_changes_nothing() {
    let (_folder, library) = hostile(&[]);
    let mut rig = Rig::start(&library, json!({}), &["gate-in-2"]);
    rig.send("gate-in-2", "x-lie", json!({}));
    assert_eq!(rig.take(2).await, ["gate-in-2 Online", "gate-in-2 Confirmed"]);
    rig.send("gate-in-2", "x-nonsense", json!({}));
    assert_eq!(rig.next().await, "gate-in-2 Confirmed", "emit refused all the nonsense");
    assert_eq!(rig.refused(None, Refused::UnknownDevice), 1, "it spoke for another lane's device");
    assert_eq!(rig.refused(None, Refused::BadField), 2, "it completed a stranger's command, and its own twice");
    assert_eq!(rig.refused(Some("gate-in-2"), Refused::BadField), 1, "it confirmed what nobody asked");
}

#[tokio::test]
async fn a_flood_is_heard_slowly_and_the_driver_lives() {
    let (_folder, library) = hostile(&[]);
    let mut rig = Rig::try_start(&library, json!({}), &["gate-in-2"], Patience::default()).expect("a library");
    assert_eq!(rig.next().await, "gate-in-2 Online");
    let start = Instant::now();
    rig.send("gate-in-2", "x-flood", json!({}));
    let heard = rig.take(1501).await;
    // A second and a half's worth, of which a tenth of a second may come at once.
    assert!(start.elapsed() > Duration::from_millis(900), "1501 frames in {:?}", start.elapsed());
    assert!(heard[1..].iter().all(|event| event == "gate-in-2 occupied"));
    assert_eq!(rig.host.status().restarts, 0);
}

#[tokio::test]
async fn a_refusal_by_status_and_a_command_that_is_never_completed_are_told() {
    let (_folder, library) = hostile(&[]);
    let mut rig = Rig::start(&library, json!({}), &["gate-in-2"]);
    assert_eq!(rig.next().await, "gate-in-2 Online");
    rig.send("gate-in-2", "x-busy", json!({}));
    assert_eq!(rig.next().await, "gate-in-2 Rejected");
    rig.send_with("gate-in-2", "x-silent", json!({}), "silent", TimeDelta::milliseconds(200));
    assert_eq!(rig.next().await, "gate-in-2 OutcomeUnknown");
}

#[tokio::test]
async fn a_driver_that_hangs_or_refuses_while_it_starts_is_told_and_tried_again() {
    let (_folder, library) = hostile(&[]);
    let hurry = Patience { create: Duration::from_millis(200), ..patience() };
    let rig = Rig::try_start(&library, json!({"hang_in_create": 1}), &["gate-in-2"], hurry).expect("a library");
    fault_of(&rig, "not ready in time").await;
    let rig = Rig::start(&library, json!({"refuse_create": 1}), &["gate-in-2"]);
    fault_of(&rig, "no port is configured").await;
}

#[tokio::test]
async fn a_library_that_is_no_driver_of_this_version_is_refused_in_words() {
    let cases = [
        ("SHORT_TABLE", "its table has 40 bytes"),
        ("OTHER_MAJOR", "version 2"),
        ("NULL_COMMAND", "command is missing"),
    ];
    for (define, words) in cases {
        let (_folder, library) = hostile(&[define]);
        let rig = Rig::start(&library, json!({}), &["gate-in-2"]);
        fault_of(&rig, words).await;
    }
}

#[tokio::test]
async fn a_file_that_is_no_library_is_refused_before_a_process_starts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("driver.so");
    std::fs::write(&path, "I am a driver, honestly").expect("a file");
    let refusal = Rig::try_start(&path, json!({}), &["gate-in-2"], patience()).err().expect("refused").to_string();
    assert!(refusal.contains("driver.so") && refusal.contains("no shared library"), "{refusal}");
}
