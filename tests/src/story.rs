//! Owns what a lane must do whatever broker stands between: told once here, run on the demo and on an installed box.
//! Each story starts from a site on which nothing has happened yet, and ends with its books verified.

use std::time::Duration;

use serde_json::{Value, json};

use crate::device::{DeviceEvent, Retained, plate_number};
use crate::lane::Entry;
use crate::site::Site;
use crate::wait::{PATIENCE, eventually};

const MINUTE: Duration = Duration::from_secs(60);

/// A fresh entry opens within a second, and a plate event sent twice opens once.
///
/// # Panics
/// When it is not so.
pub fn a_fresh_entry_opens_once(mut site: Site) {
    let entry = site.entry();
    let event = entry.camera.plate(&plate_number(1));
    let (opened, took) = entry.drive_in(&event);
    assert!(took < Duration::from_secs(1), "it opened after {took:?}");
    assert!(opened.body["expires_at"].is_string(), "a command expires: {}", opened.body);

    let twice = entry.camera.plate(&plate_number(2));
    entry.camera.publish(&twice);
    entry.drive_in(&twice);
    entry.camera.publish(&twice);
    entry.another_car(&plate_number(3));
    assert_eq!(entry.openings(), 3, "three cars, three openings, however often an event comes");
    site.end_and_verify();
}

/// A backlog entry opens nothing but makes the stay; its car waits at the exit, pays, leaves once, and what is paid twice
/// is given back.
///
/// # Panics
/// When it is not so.
pub fn a_car_from_the_backlog_pays_and_leaves(mut site: Site, ago: Duration, due: &str) {
    let (entry, exit) = (site.entry(), site.exit());
    let plate = plate_number(1);
    enters_from_the_backlog(&entry, &plate, ago);

    exit.camera.publish(&exit.camera.plate(&plate));
    let bill = site.bill_at_the_exit(&plate);
    assert_due(&bill, due);
    assert!(exit.shows(due), "the display shows {due}");
    assert_eq!(exit.openings(), 0, "nobody leaves before paying");

    let (first, second) = (site.order(&bill, "first"), site.order(&bill, "second"));
    let repeated = site.order(&bill, "first");
    assert!((200..300).contains(&first.status) && (200..300).contains(&second.status), "{first:?} {second:?}");
    assert_eq!(first.field("order_id"), repeated.field("order_id"), "the same key gives the same order");
    assert_ne!(first.field("order_id"), second.field("order_id"), "another key gives another order");
    assert_eq!(first.field("amount"), due);
    let (first, second) = (first.field("order_id"), second.field("order_id"));

    for order in [&first, &second] {
        let paid = site.pay(order);
        assert!((200..300).contains(&paid.status), "{paid:?}");
    }
    let opened = exit.barrier.command("open", 0, PATIENCE).expect("it opens when paid");
    assert!(exit.barrier.has_answered(&opened, PATIENCE));
    site.await_order(&first, "paid");
    site.await_order(&second, "refunded");
    for order in [&first, &second] {
        assert_eq!(site.pay(order).status, 409, "an order is paid once");
    }
    exit.camera.publish(&exit.camera.passed());

    // One more car, in and out for nothing: when it is gone, all that the first could still cause has been.
    let short = plate_number(2);
    entry.another_car(&short);
    exit.camera.publish(&exit.camera.plate(&short));
    let opened = exit.barrier.command("open", 1, PATIENCE).expect("a short stay leaves for nothing");
    assert!(exit.barrier.has_answered(&opened, PATIENCE));
    exit.camera.publish(&exit.camera.passed());
    eventually("the lane to be free", PATIENCE, || {
        (site.http().get("/api/v1/pay/lanes/out-1").status == 404).then_some(())
    });
    assert_eq!(exit.openings(), 2, "each car opened its exit once");
    site.end_and_verify();
}

/// Brings a car in that was read some time ago, and sees that nothing opens for it.
///
/// # Panics
/// When something opens.
pub fn enters_from_the_backlog(entry: &Entry, plate: &str, ago: Duration) {
    entry.camera.publish(&entry.camera.plate_captured(plate, ago));
    let before = entry.openings();
    entry.another_car(&plate_number(9_000));
    assert_eq!(entry.openings(), before + 1, "a backlog entry opens nothing");
}

fn assert_due(bill: &Value, due: &str) {
    for (field, value) in [("total", due), ("paid", "0.00"), ("amount", due), ("currency", "CNY"), ("state", "due")] {
        assert_eq!(bill[field], value, "{field} of {bill}");
    }
    let lines = bill["lines"].as_array().expect("a bill has lines");
    assert!(
        !lines.is_empty() && lines.iter().all(|line| line["text"].is_string() && line["amount"].is_string()),
        "{bill}"
    );
}

/// Input that no device should send is counted, and changes nothing.
///
/// # Panics
/// When it is not so.
pub fn bad_input_is_counted_and_nothing_else(mut site: Site) {
    let entry = site.entry();
    assert!(site.refused("cam-in-1").abs() < f64::EPSILON);
    let camera = &entry.camera;
    let mut too_long = camera.plate(&"粤".repeat(500));
    let mut too_large = camera.plate(&plate_number(1));
    too_large.body["padding"] = json!("x".repeat(65 * 1024));
    let mut bad_text = camera.plate(&plate_number(2)).body.to_string().into_bytes();
    let place = bad_text.iter().position(|byte| !byte.is_ascii()).expect("a plate begins with a province");
    bad_text[place] = 0xff;
    too_long.body["colour"] = json!("blue");

    let cases: [(&str, Vec<u8>); 5] = [
        ("JSON of another kind", br#"{"hello":["world"]}"#.to_vec()),
        ("no JSON", b"open the gate".to_vec()),
        ("65 KiB", bytes(&too_large)),
        ("bad UTF-8", bad_text),
        ("a plate of 500 characters", bytes(&too_long)),
    ];
    for (number, (what, payload)) in (1_u32..).zip(cases) {
        camera.send("event/plate", &payload, Retained::No);
        let counted = || (site.refused("cam-in-1") - f64::from(number)).abs() < f64::EPSILON;
        eventually(&format!("{what} to be counted once"), PATIENCE, || counted().then_some(()));
    }
    entry.another_car(&plate_number(3));
    assert_eq!(entry.openings(), 1, "nothing opened for what was refused");
    let passages = site.http().metrics().sum("tollhouse_passages_total", &[("lane", "in-1")]);
    assert!((passages - 1.0).abs() < f64::EPSILON, "{passages} passages were counted");
    site.end_and_verify();
}

fn bytes(event: &DeviceEvent) -> Vec<u8> {
    event.body.to_string().into_bytes()
}

/// Two stays that cost differently: 10.00 for less than two hours, 15.00 for more.
pub const STAYS: [(Duration, &str); 2] =
    [(MINUTE.saturating_mul(110), "10.00"), (Duration::from_secs(120 * 60 + 30), "15.00")];
