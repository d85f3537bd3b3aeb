//! Asserts what becomes of a payment that nobody waited for: made while the box is down, or at the next lane. And that nobody
//! pays by the sandbox where money is taken.

use std::time::Duration;

use chrono::Utc;
use serde_json::Value;
use tollhouse::actors::payment::sandbox::{BANK_FILE, SandboxBank};
use tollhouse_tests::{
    Exit, Mosquitto, PATIENCE, Site, TheBox, configuration, eventually, free_port, plate_number, story,
};

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

/// What `tollhouse` says of a configuration in which this stands instead of the words that switch the sandbox on.
fn with_the_sandbox(line: &str, command: &str) -> (bool, String) {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let http = ([127, 0, 0, 1], free_port()).into();
    let broker = ([127, 0, 0, 1], free_port()).into();
    let text = configuration(http, broker, &folder.path().join("data"), 1);
    let path = folder.path().join("tollhouse.toml");
    std::fs::write(&path, text.replace("sandbox = \"no money is taken\"", line)).expect("written");
    let output = TheBox::command(&[command, "--config", &path.display().to_string()]);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), said)
}

#[test]
fn the_sandbox_does_not_start_on_an_installed_box_but_with_the_words_that_no_money_is_taken() {
    for almost in ["sandbox = \"yes\"", "sandbox = \"on\"", "sandbox = \"No money is taken\""] {
        // It would not come back by itself if it started.
        let (started, said) = with_the_sandbox(almost, "run");
        assert!(!started && said.contains("no money is taken"), "{almost}: {said}");
    }
    // Without a word of it the box runs, and has no such provider.
    let mut site =
        Site::configured(Mosquitto::start(), 1, |text| text.replace("sandbox = \"no money is taken\"\n", ""));
    let (entry, exit) = (site.entry(), site.exit());
    story::enters_from_the_backlog(&entry, &plate_number(1), STAY);
    exit.camera.publish(&exit.camera.plate(&plate_number(1)));
    let bill = site.bill_at_the_exit(&plate_number(1));
    let refused = site.order(&bill, "only");
    assert_eq!((refused.status, refused.field("type").as_str()), (422, "urn:tollhouse:problem:unknown-provider"));
    assert_eq!(site.pay("0000000000000000000000000000").status, 404);
    site.end_and_verify();
}
