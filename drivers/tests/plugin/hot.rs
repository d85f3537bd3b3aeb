//! A driver is replaced, set back, released and taken away while its host runs.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use tollhouse_drivers::link::LinkState;
use tollhouse_drivers::plugin::{Patience, PluginStatus, SealedLibrary, Standing};

use crate::rig::{DEADLINE, Rig, patience};
use crate::vendor::Vendor;

const DEVICE: &str = "gate-in-2";

fn version(rig: &Rig) -> String {
    rig.host.status().driver.expect("it said who it is").version
}

async fn until(rig: &Rig, wanted: impl FnMut(&PluginStatus) -> bool) -> PluginStatus {
    let mut watched = rig.host.watch();
    let seen = tokio::time::timeout(DEADLINE, watched.wait_for(wanted)).await;
    seen.unwrap_or_else(|_| panic!("{:?}", rig.host.status())).expect("the host lives").clone()
}

async fn started(vendor: &Vendor, version: &str) -> Rig {
    let library = vendor.release(version, &[]);
    let trust = vendor.trust(&["acme.barrier"]);
    let mut rig = Rig::start_trusting(&library, json!({"device": DEVICE}), &[DEVICE], trust).expect("trusted");
    assert_eq!(rig.take(2).await, ["gate-in-2 Online", "gate-in-2 down"]);
    rig
}

#[tokio::test]
async fn another_version_takes_over_and_the_command_that_was_open_is_unknown() {
    let vendor = Vendor::new();
    let mut rig = started(&vendor, "1.0.0").await;
    rig.send(DEVICE, "x-wait", json!({}));
    assert_eq!(rig.next().await, "gate-in-2 up", "it has the command, and never completes it");
    let newer = SealedLibrary::take(&vendor.release("1.1.0", &[]), &vendor.trust(&["acme.barrier"])).expect("trusted");
    let before = rig.boot_id();
    rig.host.replace(newer).await.expect("it becomes ready");
    let course = ["gate-in-2 OutcomeUnknown", "gate-in-2 Offline", "gate-in-2 Online", "gate-in-2 down"];
    assert_eq!(rig.take(4).await, course);
    assert_eq!(version(&rig), "1.1.0");
    assert_eq!(rig.host.identity().signed.expect("signed").0.version.to_string(), "1.1.0");
    assert_ne!(rig.boot_id(), before);
    rig.send(DEVICE, "open", json!({}));
    assert_eq!(rig.take(2).await, ["gate-in-2 up", "gate-in-2 Confirmed"]);
    assert_eq!(rig.host.status().restarts, 0, "what a person ordered is no restart");
    let links = rig.notes.links.lock().expect("not poisoned").clone();
    assert_eq!(links, [LinkState::Up, LinkState::Down, LinkState::Up]);
}

#[tokio::test]
async fn a_version_that_does_not_become_ready_gives_way_to_the_one_before_it() {
    let vendor = Vendor::new();
    let mut rig = started(&vendor, "1.0.0").await;
    let cases = [("DIES", "signal: 6"), ("WANTS_MORE", "wants an address"), ("SAYS=\"9.9.9\"", "calls itself")];
    for (define, words) in cases {
        let bad = vendor.release("1.1.0", &[define]);
        let bad = SealedLibrary::take(&bad, &vendor.trust(&["acme.barrier"])).expect("trusted");
        let why = rig.host.replace(bad).await.expect_err("it does not work");
        assert!(why.contains(words), "{why}");
        assert_eq!(rig.take(3).await, ["gate-in-2 Offline", "gate-in-2 Online", "gate-in-2 down"], "{define}");
        assert_eq!(version(&rig), "1.0.0", "{define}");
        assert_eq!(rig.host.identity().signed.expect("signed").0.version.to_string(), "1.0.0");
        rig.send_with(DEVICE, "open", json!({}), define, TimeDelta::seconds(10));
        assert_eq!(rig.take(2).await, ["gate-in-2 up", "gate-in-2 Confirmed"], "{define}");
    }
}

#[tokio::test]
async fn a_command_that_comes_while_versions_change_waits_and_is_carried_out() {
    let vendor = Vendor::new();
    let mut rig = started(&vendor, "1.0.0").await;
    let newer = SealedLibrary::take(&vendor.release("1.1.0", &[]), &vendor.trust(&["acme.barrier"])).expect("trusted");
    let (replaced, ()) = tokio::join!(rig.host.replace(newer), async {
        // Once the old one is gone and before the new one is there.
        until(&rig, |status| status.boot_id.is_none()).await;
        rig.send(DEVICE, "open", json!({}));
    });
    replaced.expect("it becomes ready");
    let mut said = rig.take(5).await;
    said.sort();
    let mut course = ["gate-in-2 Offline", "gate-in-2 Online", "gate-in-2 down", "gate-in-2 up", "gate-in-2 Confirmed"];
    course.sort_unstable();
    assert_eq!(said, course, "carried out once, by the new version");
}

#[tokio::test]
async fn a_person_releases_a_driver_from_quarantine() {
    let vendor = Vendor::new();
    let library = vendor.release("1.0.0", &[]);
    let trust = vendor.trust(&["acme.barrier"]);
    let hasty = Patience { most_failures: 1, ..patience() };
    let started = Rig::launch_trusting(&library, json!({"device": DEVICE}), &[DEVICE], hasty, trust);
    let mut rig = started.expect("trusted");
    assert_eq!(rig.take(2).await, ["gate-in-2 Online", "gate-in-2 down"]);
    rig.send(DEVICE, "x-die", json!({}));
    assert_eq!(rig.take(2).await, ["gate-in-2 OutcomeUnknown", "gate-in-2 Offline"]);
    let status = until(&rig, |status| status.standing == Standing::Quarantined).await;
    assert!(status.last_wait.is_some_and(|wait| wait > Duration::from_secs(400)), "{status:?}");
    rig.send(DEVICE, "open", json!({}));
    assert_eq!(rig.next().await, "gate-in-2 Failed", "nobody tries it");
    rig.host.release().await;
    assert_eq!(rig.take(2).await, ["gate-in-2 Online", "gate-in-2 down"]);
    assert_eq!(rig.host.status().standing, Standing::Ready);
}

#[tokio::test]
async fn a_driver_that_is_taken_away_leaves_its_devices_offline_and_no_command_open() {
    let vendor = Vendor::new();
    let mut rig = started(&vendor, "1.0.0").await;
    rig.send(DEVICE, "x-wait", json!({}));
    assert_eq!(rig.next().await, "gate-in-2 up", "it has the command, and never completes it");
    let pid = rig.pid();
    rig.host.retire().await;
    assert_eq!(rig.take(2).await, ["gate-in-2 OutcomeUnknown", "gate-in-2 Offline"]);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "its process is gone");
    rig.send(DEVICE, "open", json!({}));
    assert_eq!(rig.next().await, "gate-in-2 Failed", "a command that comes too late is answered all the same");
    rig.host.shutdown().await;
}
