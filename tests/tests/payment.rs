//! Asserts what becomes of a payment that nobody waited for: made while the box is down, or at the next lane.

use std::time::Duration;

use chrono::Utc;
use serde_json::Value;
use tollhouse::actors::payment::sandbox::{BANK_FILE, SandboxBank};
use tollhouse_tests::{Exit, PATIENCE, Site, eventually, plate_number, story};

const STAY: Duration = Duration::from_secs(110 * 60);

/// The number under which the bank knows its only order.
fn number_at_the_bank(site: &Site) -> String {
    let book = std::fs::read_to_string(site.data.join(BANK_FILE)).expect("the sandbox's bank has a book");
    let lines = book.lines().map(|line| serde_json::from_str::<Value>(line).expect("lines of JSON"));
    let numbers: Vec<String> = lines.filter_map(|line| line["opened"]["number"].as_str().map(str::to_owned)).collect();
    assert_eq!(numbers.len(), 1, "one order is known there: {book}");
    numbers[0].clone()
}

#[test]
fn a_payment_made_while_the_box_is_down_opens_the_lane_once_when_it_is_back() {
    let mut site = Site::installed(1);
    let (entry, exit) = (site.entry(), site.exit());
    let plate = plate_number(1);
    story::enters_from_the_backlog(&entry, &plate, STAY);
    exit.camera.publish(&exit.camera.plate(&plate));
    let bill = site.bill_at_the_exit(&plate);
    let order = site.order(&bill, "only").field("order_id");

    site.the_box.kill();
    let bank = SandboxBank::open(&site.data).expect("the bank is open although the box is down");
    bank.pay(&number_at_the_bank(&site), Utc::now()).expect("the wallet pays");
    drop(bank);
    assert_eq!(exit.openings(), 0, "the box is down");
    site.start_again();

    let opened = exit.barrier.command("open", 0, PATIENCE).expect("it opens when the box is back");
    assert!(exit.barrier.has_answered(&opened, PATIENCE));
    site.await_order(&order, "paid");
    assert_eq!(site.pay(&order).status, 409, "an order is paid once");
    exit.camera.publish(&exit.camera.passed());
    eventually("the lane to be free", PATIENCE, || {
        (site.http().get("/api/v1/pay/lanes/out-1").status == 404).then_some(())
    });
    assert_eq!(exit.openings(), 1, "one payment, one opening");
    site.end_and_verify();
}

#[test]
fn a_payment_opens_the_lane_where_its_car_waits_and_no_other() {
    let mut site = Site::installed(2);
    let entry = site.entry();
    let exits = [1, 2].map(|number| Exit::connect(site.broker, number));
    let plates = [1, 2].map(plate_number);
    entry.camera.publish(&entry.camera.plate_captured(&plates[0], STAY));
    story::enters_from_the_backlog(&entry, &plates[1], STAY);
    for (exit, plate) in exits.iter().zip(&plates) {
        exit.camera.publish(&exit.camera.plate(plate));
    }
    let bill = site.bill_at_the_exit(&plates[0]);
    let other = eventually("a bill at out-2", PATIENCE, || {
        let answer = site.http().get("/api/v1/pay/lanes/out-2");
        (answer.status == 200).then(|| answer.json()).filter(|bill| bill["plate"] == *plates[1])
    });
    for (place, bill) in [(1, &other), (0, &bill)] {
        let order = site.order(bill, &format!("at-{place}")).field("order_id");
        assert!((200..300).contains(&site.pay(&order).status));
        let opened = exits[place].barrier.command("open", 0, PATIENCE).expect("it opens when paid");
        assert!(exits[place].barrier.has_answered(&opened, PATIENCE));
        assert_eq!(exits[0].openings() + exits[1].openings(), 2 - place, "only where it was paid");
        exits[place].camera.publish(&exits[place].camera.passed());
    }
    site.end_and_verify();
}
