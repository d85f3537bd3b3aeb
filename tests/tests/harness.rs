//! Asserts that the harness itself can be trusted: a device that misses a command, or a guard that leaves a program
//! behind, would make every other test a lie. It needs a real mosquitto and no box.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tollhouse_tests::{Manners, Mosquitto, PATIENCE, Page, Retained, Running, TestDevice, eventually};

/// Publishes a command as the box would; through the broker it comes back to the device itself.
fn command(device: &TestDevice, cmd_id: &str) {
    let body = json!({"cmd_id": cmd_id, "expires_at": "2030-01-01T00:00:00.000+08:00", "args": {}});
    device.send("cmd/open", body.to_string().as_bytes(), Retained::No);
}

#[test]
fn a_command_reaches_its_device_and_is_counted_once_however_often_it_comes() {
    let broker = Mosquitto::start();
    let barrier = TestDevice::connect(broker.address(), "gate-in-1", "barrier", Manners::Obliging);
    for cmd_id in ["first", "first", "second"] {
        command(&barrier, cmd_id);
    }
    let second = barrier.command("open", 1, PATIENCE).expect("two different commands arrive");
    assert_eq!(second.cmd_id, "second");
    assert!(barrier.has_answered(&second, PATIENCE));
    assert_eq!(barrier.commands("open").len(), 2);
    assert_eq!(barrier.acknowledged().iter().filter(|id| *id == "ack/first").count(), 2, "answered once, in two steps");
}

#[test]
fn a_device_knows_which_of_its_events_the_broker_has() {
    let broker = Mosquitto::start();
    let camera = TestDevice::connect(broker.address(), "cam-in-1", "camera", Manners::Silent);
    let (sent, unsent) = (camera.plate("粤B00001"), camera.plate("粤B00002"));
    camera.publish(&sent);
    assert!(camera.was_acknowledged(&sent, PATIENCE));
    assert!(!camera.was_acknowledged(&unsent, Duration::from_millis(1)));
}

#[test]
fn a_broker_that_was_killed_comes_back_with_its_devices() {
    let mut broker = Mosquitto::start_durable();
    let camera = TestDevice::connect(broker.address(), "cam-in-1", "camera", Manners::Silent);
    broker.kill();
    let event = camera.plate("粤B00003");
    camera.publish(&event);
    assert!(!camera.was_acknowledged(&event, Duration::from_millis(50)), "nobody is there to acknowledge it");
    broker.start_again();
    camera.await_connection(2);
    assert!(camera.was_acknowledged(&event, PATIENCE), "what was sent meanwhile goes out when the broker is back");
}

#[test]
fn a_guard_leaves_no_program_behind() {
    let running = Running::start("tail", Command::new("tail").args(["-f", "/dev/null"]));
    let place = format!("/proc/{}", running.id());
    assert!(Path::new(&place).exists(), "it runs as long as its guard lives");
    drop(running);
    eventually("the program to be gone", PATIENCE, || (!Path::new(&place).exists()).then_some(()));
}

#[test]
fn a_browser_sees_what_a_script_writes_and_presses_buttons() {
    let mut page = Page::open(
        "data:text/html,<button id=b onclick=\"document.title='x';this.textContent='pressed'\">press</button>",
    );
    page.await_text("press");
    assert!(!page.text().contains("pressed"), "nobody has pressed yet");
    page.press("#b");
    page.await_text("pressed");
}
