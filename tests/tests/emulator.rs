//! Holds the emulator of the payment providers to its judges: the independent npm clients must be content with it, and must
//! find every defect that is planted in it. It must not know what the judges look at; tests/emulator/check runs them.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use tollhouse_tests::{PATIENCE, PaymentProviders, eventually, packages_of_the_tests};

const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/emulator/check");
/// The issue asks for ten defects; each provider has that many for itself.
const FEWEST_DEFECTS: usize = 10;

fn check_with(packages: &Path, only: &[&str]) -> Output {
    let mut check = Command::new(packages_of_the_tests().join("venv/bin/python"));
    check.arg(CHECK).arg("--packages").arg(packages).arg("--only").args(only);
    check.output().expect("Python runs")
}

/// The lines of the check about what it was asked for. All of it must have passed.
fn passed(only: &[&str]) -> Vec<String> {
    let output = check_with(&packages_of_the_tests().join("judges"), only);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{said}");
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    said.lines().filter_map(|line| line.strip_prefix("pass ")).map(str::to_owned).collect()
}

fn assert_defects_found(group: &str) {
    let found = passed(&[group]);
    assert!(found.len() >= FEWEST_DEFECTS, "only {} defects are planted", found.len());
    assert!(found.iter().all(|line| line.starts_with("defect ") && line.contains(" is found by ")), "{found:?}");
}

#[test]
fn the_emulator_agrees_with_the_published_samples() {
    assert_eq!(passed(&["selftest"]).len(), 1);
}

#[test]
fn the_independent_clients_are_content_with_the_emulator() {
    let verdicts = passed(&["wechat", "alipay"]);
    assert_eq!(verdicts.len(), 2, "{verdicts:?}");
}

#[test]
fn every_defect_planted_at_wechat_is_found() {
    assert_defects_found("defects-of-wechat");
}

#[test]
fn every_defect_planted_at_alipay_is_found() {
    assert_defects_found("defects-of-alipay");
}

#[test]
fn a_check_that_cannot_look_does_not_pass() {
    let nowhere = tempfile::tempdir().expect("a folder of our own");
    assert!(!check_with(nowhere.path(), &["wechat"]).status.success(), "it passes without its judges");
    assert!(
        !check_with(&packages_of_the_tests().join("judges"), &["nothing"]).status.success(),
        "it passes with nothing to look at"
    );
}

#[test]
fn one_seed_gives_the_same_payments_and_another_gives_others() {
    let pay = |seed| -> Value {
        let providers = PaymentProviders::start(seed);
        for provider in ["wechat", "alipay"] {
            providers.tell("foreign_payment", &json!({"provider": provider, "amount": 500, "notify_url": ""}));
        }
        let mut orders = providers.ask("orders");
        let movements = providers.ask("movements");
        orders["payers"] =
            movements.as_array().expect("a list").iter().map(|movement| movement["payer"].clone()).collect();
        orders
    };
    let (first, again, other) = (pay(1), pay(1), pay(2));
    assert_eq!(first["payers"].as_array().map(Vec::len), Some(2), "{first}");
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test]
fn a_test_can_be_the_phone_the_clock_and_misfortune() {
    let providers = PaymentProviders::start(7);
    assert!(providers.address().starts_with("http://127.0.0.1:"));
    let client = providers.client();
    let key = client["wechat"]["private_key"].as_str().expect("a file is named");
    assert!(providers.keys().join(key).is_file());
    assert!(providers.try_tell("pay", &json!({"provider": "wechat", "order": "nobody00"})).is_err());

    providers.faults(&json!({"callback_delay": {"seconds": 3600}}));
    // Nobody listens at port 9 of loopback: that an attempt was made is seen in the log.
    let far = json!({"provider": "alipay", "amount": 500, "notify_url": "http://127.0.0.1:9/"});
    let order = providers.tell("foreign_payment", &far)["order"].clone();
    assert_eq!(providers.ask("faults")["struck"][0]["about"], order);
    assert_eq!(providers.ask("callbacks"), json!([]));
    providers.later(Duration::from_secs(3601));
    eventually("the delayed callback to be tried", PATIENCE, || {
        providers
            .ask("callbacks")
            .as_array()
            .and_then(|tried| tried.first().cloned())
            .filter(|tried| tried["about"] == order)
    });
    let foreign = client["alipay"]["seller_id"].as_str().expect("there is a seller");
    assert!(providers.ask("totals")["alipay"].get(foreign).is_none(), "another merchant's money is counted as ours");
}
