//! Alone in its process, because it counts what the process holds: two hundred restarts leave nothing behind.

#[path = "../plugin/rig.rs"]
mod rig;

use std::time::Duration;

use serde_json::json;

use rig::{Rig, c_library, kill, patience};
use tollhouse_drivers::plugin::Patience;

const RESTARTS: u64 = 200;

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux").count()
}

/// Children of this process, alive or not yet reaped.
fn children() -> Vec<String> {
    let me = std::process::id().to_string();
    let stats = std::fs::read_dir("/proc").expect("Linux").filter_map(Result::ok);
    let stats = stats.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    // After the name in parentheses: state, parent.
    stats
        .filter(|stat| stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)) == Some(me.as_str()))
        .collect()
}

#[tokio::test]
async fn two_hundred_restarts_leave_no_zombie_and_no_descriptor() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let library = c_library(folder.path(), "../plugins/examples/c/barrier.c", &[]);
    let quick = Patience { longest_backoff: Duration::from_millis(20), most_failures: 1000, ..patience() };
    let started = Rig::try_start(&library, json!({"device": "gate-in-2"}), &["gate-in-2"], quick);
    let mut rig = started.expect("a library");
    assert_eq!(rig.take(2).await, ["gate-in-2 Online", "gate-in-2 down"]);
    let before = open_descriptors();
    for _ in 0..RESTARTS {
        kill(rig.pid());
        assert_eq!(rig.take(3).await, ["gate-in-2 Offline", "gate-in-2 Online", "gate-in-2 down"]);
    }
    assert_eq!(open_descriptors(), before);
    assert_eq!(children().len(), 1, "{:?}", children());
    assert_eq!(rig.host.status().restarts, RESTARTS);
    rig.host.shutdown().await;
    assert_eq!(children(), Vec::<String>::new());
}
