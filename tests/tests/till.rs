//! The window beside the lane: cash opens it, the shift is counted, the day is reconciled with the sandbox's book, and a
//! stranger's program agrees with the books.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tollhouse_tests::story::enters_from_the_backlog;
use tollhouse_tests::{PATIENCE, Site, TheBox, eventually, plate_number};

const TWO_HOURS: Duration = Duration::from_secs(110 * 60);

fn post(site: &Site, path: &str, key: &str, body: &Value) -> Value {
    let answer = site.http().post_as_admin(&site.the_box.admin_password, path, key, body);
    assert_eq!(answer.status, 201, "{path}: {}", answer.body);
    answer.json()
}

/// A car that came in almost two hours ago stands at the exit and owes 10.00.
fn waits_at_the_exit(site: &Site, number: usize) -> Value {
    let plate = plate_number(number);
    enters_from_the_backlog(&site.entry(), &plate, TWO_HOURS);
    let exit = site.exit();
    exit.camera.publish(&exit.camera.plate(&plate));
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

/// The day of the sandbox is closed, with one row matched.
fn reconciles(data: &str) {
    let china = chrono::FixedOffset::east_opt(8 * 3_600).expect("an offset");
    let today = chrono::Utc::now().with_timezone(&china).date_naive().to_string();
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
    for (bill, key) in [(&first, "old"), (&second, "new")] {
        let order = site.order(bill, key).field("order_id");
        assert!(site.pay(&order).status < 300);
        site.await_order(&order, "paid");
    }
    assert!(exit.barrier.command("open", 1, PATIENCE).is_some(), "the new bill is what opens");
    let left = site.http().get_as_admin(&password, "/api/v1/arrears?state=open").json();
    assert_eq!(left["items"], json!([]));
    site.end_and_verify();
}
