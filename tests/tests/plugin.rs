//! Asserts that a driver which dies takes nothing with it: its process is killed, started again, and its lanes go on,
//! while the others never notice. The demo's in-2 and out-2 stand behind such a driver.

use std::fs;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tollhouse_tests::{Estate, PATIENCE, TheBox, eventually};

/// The demo's cars come at their own pace.
const NEXT_CAR: Duration = Duration::from_secs(60);

/// The processes that the box itself has started.
fn children(parent: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{parent}/task")).expect("the box runs");
    let listed = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok());
    listed.flat_map(|line| line.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>()).collect()
}

fn passages(demo: &TheBox, lane: &str) -> f64 {
    demo.http.metrics().sum("tollhouse_passages_total", &[("lane", lane)])
}

#[test]
fn a_driver_that_is_killed_comes_back_and_its_lane_goes_on() {
    let folder = TempDir::new().expect("a temporary folder");
    let demo = TheBox::demo(&folder.path().join("demo"), Estate::Driving);
    eventually("a car at in-2", NEXT_CAR, || (passages(&demo, "in-2") >= 1.0).then_some(()));
    let drivers = children(demo.process_id());
    assert!(!drivers.is_empty(), "the demo's driver has a process of its own");
    for driver in &drivers {
        let killed = Command::new("kill").args(["-KILL", &driver.to_string()]).status().expect("kill is there");
        assert!(killed.success(), "{driver} was one of the box's own a moment ago");
    }
    eventually("the driver to be started again", PATIENCE, || {
        (demo.http.metrics().sum("tollhouse_driver_restarts_total", &[]) >= 1.0).then_some(())
    });
    let before = ["in-1", "in-2"].map(|lane| (lane, passages(&demo, lane)));
    for (lane, passed) in before {
        eventually(&format!("the next car at {lane}"), NEXT_CAR, || (passages(&demo, lane) > passed).then_some(()));
    }
    let now = children(demo.process_id());
    assert!(!now.is_empty() && drivers.iter().all(|driver| !now.contains(driver)), "{drivers:?} became {now:?}");
    let metrics = demo.http.metrics();
    assert!(metrics.sum("tollhouse_lane_restarts_total", &[]).abs() < f64::EPSILON, "no lane noticed");
}
