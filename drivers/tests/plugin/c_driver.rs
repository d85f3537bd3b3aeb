//! The example that vendors start from: a barrier in C, with nothing but the header.

use serde_json::json;

use crate::rig::{Rig, c_library};

#[tokio::test]
async fn a_barrier_in_c_made_from_the_header_alone_opens() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let library = c_library(folder.path(), "../plugins/examples/c/barrier.c", &[]);
    let mut rig = Rig::start(&library, json!({"device": "gate-in-2"}), &["gate-in-2"]);
    assert_eq!(rig.take(2).await, ["gate-in-2 Online", "gate-in-2 down"]);
    let driver = rig.host.status().driver.expect("it said who it is");
    assert_eq!((driver.id.as_str(), driver.version.as_str()), ("example.barrier", "1.0.0"));
    rig.send("gate-in-2", "open", json!({}));
    assert_eq!(rig.take(2).await, ["gate-in-2 up", "gate-in-2 Confirmed"]);
    rig.send("gate-in-2", "speak", json!({"text": "hello"}));
    assert_eq!(rig.next().await, "gate-in-2 Rejected");
    rig.host.shutdown().await;
}
