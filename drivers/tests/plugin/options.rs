//! What a driver may offer beyond the plain commands: an answer that is the command, a whitelist, a schema.

use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use crate::hostile::fault_of;
use crate::rig::{Rig, c_library};

fn library() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let library = c_library(folder.path(), "tests/plugin/options.c", &[]);
    (folder, library)
}

#[tokio::test]
async fn an_open_while_a_plate_waits_for_its_answer_is_that_answer_once() {
    let (_folder, library) = library();
    let mut rig = Rig::start(&library, json!({"serial": "A7"}), &["cam-in-2", "gate-in-2"]);
    assert_eq!(rig.take(2).await, ["cam-in-2 Online", "gate-in-2 Online"]);
    rig.send("cam-in-2", "x-read", json!({}));
    assert_eq!(rig.take(2).await, ["cam-in-2 plate A12345", "cam-in-2 Confirmed"]);
    rig.send_with("gate-in-2", "open", json!({}), "first", chrono::TimeDelta::seconds(5));
    assert_eq!(rig.take(2).await, ["cam-in-2 up", "gate-in-2 Confirmed"], "it came as a reply to the camera");
    rig.send_with("gate-in-2", "open", json!({}), "second", chrono::TimeDelta::seconds(5));
    assert_eq!(rig.next().await, "gate-in-2 Confirmed", "it came as an open");
    rig.host.shutdown().await;
}

#[tokio::test]
async fn a_whitelist_goes_to_the_option_and_is_refused_where_there_is_none() {
    let (_folder, library) = library();
    let mut rig = Rig::start(&library, json!({"serial": "A7"}), &["cam-in-2"]);
    assert_eq!(rig.next().await, "cam-in-2 Online");
    let part = json!({"revision": "7", "part": 1, "parts": 1, "plates": [{"plate": "A12345"}]});
    rig.send("cam-in-2", "whitelist", part.clone());
    assert_eq!(rig.next().await, "cam-in-2 Confirmed");
    rig.host.shutdown().await;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let plain = c_library(folder.path(), "../plugins/examples/c/barrier.c", &[]);
    let mut rig = Rig::start(&plain, json!({"device": "gate-in-2"}), &["gate-in-2"]);
    assert_eq!(rig.take(2).await, ["gate-in-2 Online", "gate-in-2 down"]);
    rig.send("gate-in-2", "whitelist", part);
    assert_eq!(rig.next().await, "gate-in-2 Rejected");
    rig.host.shutdown().await;
}

#[tokio::test]
async fn a_configuration_that_breaks_the_schema_never_reaches_the_driver_and_is_told_without_its_values() {
    let (_folder, library) = library();
    let rig = Rig::start(&library, json!({"serial": "far too long", "password": "hunter2"}), &["cam-in-2"]);
    let fault = fault_of(&rig, "does not fit").await;
    assert!(fault.contains("/serial") && fault.contains("/password") && fault.contains("integer"), "{fault}");
    assert!(!fault.contains("hunter2"), "{fault}");
}
