//! Asserts that the demo is what its two lines in the README promise: there in a moment, and alive.

use std::time::Duration;

use tempfile::TempDir;
use tollhouse_tests::{Entry, Estate, TheBox, eventually, plate_number, story};

#[test]
fn the_demo_is_ready_within_3_s_and_its_cars_drive() {
    let folder = TempDir::new().expect("a temporary folder");
    let mut demo = TheBox::demo(&folder.path().join("demo"), Estate::Driving);
    assert!(demo.ready_after < Duration::from_secs(3), "ready after {:?}", demo.ready_after);
    assert!(demo.admin_password.trim().len() >= 8, "an administrator's password is printed");
    assert_eq!(demo.http.get("/healthz").status, 200);
    for lane in ["in-1", "in-2"] {
        eventually(&format!("a car at {lane}"), Duration::from_secs(60), || {
            (demo.http.metrics().sum("tollhouse_passages_total", &[("lane", lane)]) >= 1.0).then_some(())
        });
    }
    let page = demo.http.get("/");
    assert!(page.status == 200 && page.body.contains("<html"), "{page:?}");
    let (status, took) = demo.terminate();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
}

#[test]
fn a_demo_that_is_started_again_goes_on_where_it_was() {
    let folder = TempDir::new().expect("a temporary folder");
    let data = folder.path().join("demo");
    let mut demo = TheBox::demo(&data, Estate::Quiet);
    let plate = plate_number(1);
    story::enters_from_the_backlog(&Entry::connect(demo.broker(), 1), &plate, Duration::from_secs(110 * 60));
    let (status, _) = demo.terminate();
    assert!(status.success());
    demo.start_again();
    // A plate that is not inside would owe nothing.
    let answer = demo.http.get("/api/v1/pay/plates/%E7%B2%A4A00001?token=demo");
    assert_eq!((answer.field("plate"), answer.field("amount")), (plate, "10.00".to_owned()), "{answer:?}");
}

#[test]
fn commands_say_what_is_wrong_with_them() {
    assert_eq!(TheBox::command(&["demo", "--no-such-thing"]).status.code(), Some(2), "wrong usage is 2");
    let folder = TempDir::new().expect("a temporary folder");
    let missing = folder.path().join("nowhere").display().to_string();
    let output = TheBox::command(&["verify", "--data", &missing]);
    assert_eq!(output.status.code(), Some(1), "what is not true is 1");
    assert!(!output.stderr.is_empty(), "and it says why");
}
