//! Asserts that an installed box does over a real mosquitto what the demo does over its own broker, and that a broker
//! which is killed and comes back costs nothing that was acknowledged.

use std::process::Command;

use serde_json::json;
use tollhouse_tests::{
    Manners, Mosquitto, PATIENCE, Retained, STAYS, Site, TestDevice, eventually, plate_number, story,
};

#[test]
fn a_fresh_entry_opens_within_a_second_and_once_however_often_its_event_comes() {
    story::a_fresh_entry_opens_once(Site::installed(1));
}

#[test]
fn a_backlog_entry_owes_15_at_the_exit_and_leaves_once_when_it_is_paid() {
    let (ago, due) = STAYS[1];
    story::a_car_from_the_backlog_pays_and_leaves(Site::installed(1), ago, due);
}

#[test]
fn bad_input_is_counted_and_nothing_else_happens() {
    story::bad_input_is_counted_and_nothing_else(Site::installed(1));
}

#[test]
fn a_retained_command_is_cleared_and_counted_and_opens_nothing() {
    let mut site = Site::installed(1);
    let (status, _) = site.the_box.terminate();
    assert!(status.success());
    let barrier = TestDevice::connect(site.broker, "gate-in-1", "barrier", Manners::Silent);
    let body = json!({"cmd_id": "planted", "expires_at": "2099-01-01T00:00:00.000+08:00", "args": {}}).to_string();
    barrier.send("cmd/open", body.as_bytes(), Retained::Yes);
    assert!(barrier.command("open", 0, PATIENCE).is_some(), "the broker has it");
    assert!(is_retained(&site), "the broker keeps it");
    drop(barrier);

    site.start_again();
    eventually("the retained command to be counted", PATIENCE, || (site.refused("gate-in-1") >= 1.0).then_some(()));
    eventually("the retained command to be cleared", PATIENCE, || (!is_retained(&site)).then_some(()));
    let entry = site.entry();
    entry.another_car(&plate_number(1));
    assert!(entry.barrier.commands("open").iter().all(|command| command.cmd_id != "planted"));
}

/// Asks the broker itself for what it keeps under the command's topic.
fn is_retained(site: &Site) -> bool {
    let port = site.broker.port().to_string();
    let topic = "tollhouse/v1/demo/gate-in-1/cmd/open";
    let arguments = ["-p", &port, "-t", topic, "--retained-only", "-C", "1", "-W", "1"];
    let output = Command::new("mosquitto_sub").args(arguments).output().expect("mosquitto-clients is installed");
    !output.stdout.is_empty()
}

#[test]
fn a_broker_that_is_killed_and_comes_back_costs_nothing_that_was_acknowledged() {
    let mut site = Site::installed_with(Mosquitto::start_durable(), 1);
    let entry = site.entry();
    entry.another_car(&plate_number(1));

    let broker = site.mosquitto.as_mut().expect("an installed box has a mosquitto");
    broker.kill();
    let meanwhile = entry.camera.plate(&plate_number(2));
    entry.camera.publish(&meanwhile);
    broker.start_again();
    entry.camera.await_connection(2);
    entry.barrier.await_connection(2);
    let opened = entry.barrier.command("open", 1, PATIENCE).expect("the lane goes on when the broker is back");
    assert!(entry.barrier.has_answered(&opened, PATIENCE));
    entry.camera.publish(&entry.camera.passed());
    entry.another_car(&plate_number(3));
    assert_eq!(entry.openings(), 3, "each car opened once");
    site.end_and_verify();
}
