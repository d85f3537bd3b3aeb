//! The window beside the lane: cash opens it, the shift is counted, the day is reconciled with the sandbox's book, and a
//! stranger's program agrees with the books.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tollhouse_tests::story::enters_from_the_backlog;
use tollhouse_tests::{PATIENCE, Page, Retained, Site, TheBox, eventually, plate_number};

const TWO_HOURS: Duration = Duration::from_secs(110 * 60);

/// The smallest picture that a browser draws: a JPEG of one grey point.
fn picture() -> Vec<u8> {
    let quantisation = [&[0xff, 0xdb, 0, 67, 0][..], &[1; 64]].concat();
    let frame = [0xff, 0xc0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0];
    // One code of one bit, for nothing, in both tables: of the first coefficient and of the others.
    let table = |which| [&[0xff, 0xc4, 0, 20, which, 1][..], &[0; 15], &[0]].concat();
    let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0b0011_1111];
    [&[0xff, 0xd8][..], &quantisation, &frame, &table(0), &table(0x10), &scan, &[0xff, 0xd9]].concat()
}

fn post(site: &Site, path: &str, key: &str, body: &Value) -> Value {
    let answer = site.http().post_as_admin(&site.the_box.admin_password, path, key, body);
    assert_eq!(answer.status, 201, "{path}: {}", answer.body);
    answer.json()
}

/// A car that came in almost two hours ago stands at the exit and owes 10.00. The camera sends a picture of it.
fn waits_at_the_exit(site: &Site, number: usize) -> Value {
    let plate = plate_number(number);
    enters_from_the_backlog(&site.entry(), &plate, TWO_HOURS);
    let exit = site.exit();
    let event = exit.camera.plate(&plate);
    exit.camera.send(&format!("blob/{}", event.event_id), &picture(), Retained::No);
    exit.camera.publish(&event);
    let bill = site.bill_at_the_exit(&plate);
    assert_eq!(bill["amount"], "10.00");
    bill
}

fn hledger(file: &Path) -> BTreeMap<String, String> {
    let mut command = Command::new("hledger");
    command.args(["balance", "--flat", "--no-total", "--output-format", "csv", "--file"]).arg(file);
    let output = command.env("LANG", "C.UTF-8").output().expect("hledger runs: tests/run installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let rows = text.lines().skip(1).filter_map(|line| line.trim_matches('"').split_once("\",\""));
    rows.map(|(account, balance)| (account.to_owned(), balance.replace(" CNY", ""))).collect()
}

#[test]
fn cash_opens_the_lane_and_the_books_are_read_by_a_stranger() {
    let mut site = Site::demo();
    let shift = post(&site, "/api/v1/shifts", "shift", &json!({ "float": "200.00" }));
    let bill = waits_at_the_exit(&site, 1);
    let exit = site.exit();
    // A phone has an order for it too: it is closed before the cash is taken.
    let order = site.order(&bill, "phone").field("order_id");
    let cash = json!({ "bill": bill["bill_id"], "method": "cash", "tendered": "50.00" });
    let paid = post(&site, "/api/v1/payments", "cash", &cash);
    assert_eq!(
        (paid["receipt"]["amount"].as_str(), paid["receipt"]["change"].as_str()),
        (Some("10.00"), Some("40.00"))
    );
    let again = post(&site, "/api/v1/payments", "cash", &cash);
    assert_eq!(again, paid, "the same key takes no cash twice");
    let opened = exit.barrier.command("open", 0, PATIENCE).expect("cash opens the lane for the car that waits");
    assert!(exit.barrier.has_answered(&opened, PATIENCE));
    exit.camera.publish(&exit.camera.passed());
    assert!(site.pay(&order).status >= 400 || site.http().get(&format!("/api/v1/pay/orders/{order}")).status == 200);

    let bill = waits_at_the_exit(&site, 2);
    let order = site.order(&bill, "second").field("order_id");
    assert!(site.pay(&order).status < 300);
    site.await_order(&order, "paid");

    let closing = json!({ "counted": "210.50", "reason": "fifty too much" });
    let path = format!("/api/v1/shifts/{}/closings", shift["id"].as_str().expect("an id"));
    assert_eq!(post(&site, &path, "count", &closing)["closing"]["difference"], "0.50");

    let data = site.data.display().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("books.ledger");
    let sheet = folder.path().join("books.xlsx");
    for target in [&file, &sheet] {
        let output = TheBox::command(&["export", "books", &target.display().to_string(), "--data", &data]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(std::fs::read(&sheet).expect("written").starts_with(b"PK"));
    let credentials = site.the_box.admin_password.clone();
    let balance = site.http().get_as_admin(&credentials, "/api/v1/accounts").json();
    let items = balance["items"].as_array().expect("items");
    let ours: BTreeMap<String, String> = items
        .iter()
        .filter(|one| one["closing"] != "0.00")
        .map(|one| {
            (
                one["account"].as_str().unwrap_or_default().to_owned(),
                one["closing"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    assert_eq!(hledger(&file), ours);
    assert_eq!(ours["safe"], "10.50");

    reconciles(&data);
    site.end_and_verify();
    reconciles(&data);
}

/// The lot's date.
fn today() -> String {
    let china = chrono::FixedOffset::east_opt(8 * 3_600).expect("an offset");
    chrono::Utc::now().with_timezone(&china).date_naive().to_string()
}

/// The day of the sandbox is closed, with one row matched.
fn reconciles(data: &str) {
    let today = today();
    let ask = ["reconcile", "--provider", "sandbox", "--date", &today, "--json", "--data", data];
    let output = TheBox::command(&ask);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let reports: Value = serde_json::from_str(&text).expect("JSON");
    let day = &reports[0]["reconciliation"];
    assert_eq!(day["state"], "closed", "{day}");
    assert_eq!(day["classes"].as_object().map(serde_json::Map::len), Some(1), "{day}");
    let total = &day["classes"]["matched"];
    let total = if total.is_null() { &day["classes"]["carried_to_next_day"] } else { total };
    assert_eq!((total["rows"].as_u64(), total["amount"].as_str()), (Some(1), Some("10.00 CNY")), "{day}");
}

/// The driver's page says what is owed of the earlier visit, when that was and why, and shows the car; it leads to the old bill.
fn asked_on_the_page(site: &Site, owed: &Value) {
    let picture = owed["picture"].as_str().expect("a camera has sent one");
    assert_eq!(site.http().status_and_kind(picture), (200, "image/jpeg".to_owned()));
    let mut page = Page::open(&site.http().url("/pay/lanes/out-1?lang=en"));
    page.await_text("Owed of earlier visits");
    page.await_text("Let out by hand, not paid");
    eventually("the car's picture", PATIENCE, || page.shows_picture("#owed .car").then_some(()));
    page.picture_to_target("arrears-page.png");
    page.press("#owed a");
    let old = format!("/pay/bills/{}", owed["bill_id"].as_str().expect("an id"));
    eventually("the old bill's page", PATIENCE, || (page.path() == old).then_some(()));
    page.await_text("Not paid because");
}

#[test]
fn a_car_that_was_let_go_is_asked_for_it_at_its_next_visit() {
    let mut site = Site::demo();
    let first = waits_at_the_exit(&site, 7);
    let exit = site.exit();
    post(&site, "/api/v1/lanes/out-1/openings", "go", &json!({ "reason": "the payment page was away" }));
    let opened = exit.barrier.command("open", 0, PATIENCE).expect("a person opens");
    assert!(exit.barrier.has_answered(&opened, PATIENCE));
    exit.camera.publish(&exit.camera.passed());
    let password = site.the_box.admin_password.clone();
    let claims = || {
        let answer = site.http().get_as_admin(&password, "/api/v1/arrears?state=open");
        let items = answer.json()["items"].as_array().cloned().unwrap_or_default();
        (!items.is_empty()).then_some(items)
    };
    let claim = eventually("the claim to be noted", PATIENCE, claims).remove(0);
    assert_eq!((claim["bill"].clone(), claim["how"].as_str()), (first["bill_id"].clone(), Some("by_hand")));

    let second = waits_at_the_exit(&site, 7);
    assert_eq!(second["arrears"][0]["bill_id"], first["bill_id"], "{second}");
    assert_eq!((second["amount"].as_str(), second["arrears"][0]["amount"].as_str()), (Some("10.00"), Some("10.00")));
    asked_on_the_page(&site, &second["arrears"][0]);
    for (bill, key) in [(&first, "old"), (&second, "new")] {
        let order = site.order(bill, key).field("order_id");
        assert!(site.pay(&order).status < 300);
        site.await_order(&order, "paid");
    }
    assert!(exit.barrier.command("open", 1, PATIENCE).is_some(), "the new bill is what opens");
    let left = site.http().get_as_admin(&password, "/api/v1/arrears?state=open").json();
    assert_eq!(left["items"], json!([]));
    let mut page =
        Page::open(&site.http().url(&format!("/pay/bills/{}?lang=en", first["bill_id"].as_str().expect("id"))));
    page.await_text("Paid. Thank you.");
    site.end_and_verify();
}

#[test]
fn a_reconciliation_is_done_once_under_its_key() {
    let mut site = Site::demo();
    let bill = waits_at_the_exit(&site, 3);
    let order = site.order(&bill, "phone").field("order_id");
    assert!(site.pay(&order).status < 300);
    site.await_order(&order, "paid");
    let ask = json!({ "provider": "sandbox", "day": today() });
    let first = post(&site, "/api/v1/reconciliations", "day", &ask);
    let exit = site.exit();
    let opened = exit.barrier.command("open", 0, PATIENCE).expect("it was paid");
    assert!(exit.barrier.has_answered(&opened, PATIENCE));
    exit.camera.publish(&exit.camera.passed());
    // Another payment: what was answered stays the answer under the key, and a new key sees it.
    let bill = waits_at_the_exit(&site, 4);
    let order = site.order(&bill, "another").field("order_id");
    assert!(site.pay(&order).status < 300);
    site.await_order(&order, "paid");
    assert_eq!(post(&site, "/api/v1/reconciliations", "day", &ask), first);
    let now = post(&site, "/api/v1/reconciliations", "again", &ask);
    assert_eq!((&first["items"][0]["statement_rows"], &now["items"][0]["statement_rows"]), (&json!(1), &json!(2)));
    let other = json!({ "provider": "sandbox", "day": "2020-01-01" });
    let answer = site.http().post_as_admin(&site.the_box.admin_password, "/api/v1/reconciliations", "day", &other);
    assert_eq!(answer.status, 422, "{}", answer.body);
    site.end_and_verify();
}
