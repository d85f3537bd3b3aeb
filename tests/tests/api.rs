//! Asserts that the API is what its own description says: schemathesis makes requests from it, good ones and bad ones, and
//! holds every answer against it. And that accounts work from the command line, on a running box and on a stopped one.

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::json;
use tollhouse_tests::{Site, TheBox, packages_of_the_tests, plate_number, story};

/// So long it tries; what it draws comes from this seed.
const SECONDS: &str = "60";
const SEED: &str = "20261130";
const CONFIGURATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemathesis.toml");

fn user(site: &Site, arguments: &[&str]) -> Output {
    let data = site.data.display().to_string();
    TheBox::command(&[&["user"], arguments, &["--data", &data]].concat())
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn every_answer_is_as_described_and_none_is_a_fault_of_the_box() {
    let site = Site::demo();
    // Something to be found: a car inside, and one that waits with its bill.
    let (entry, exit) = (site.entry(), site.exit());
    story::enters_from_the_backlog(&entry, &plate_number(1), Duration::from_secs(110 * 60));
    exit.camera.publish(&exit.camera.plate(&plate_number(1)));
    site.bill_at_the_exit(&plate_number(1));
    let token = said(&user(&site, &["token", "admin"]));
    let output = Command::new(packages_of_the_tests().join("venv/bin/schemathesis"))
        .args(["--config-file", CONFIGURATION, "run", &site.http().url("/api/openapi.json")])
        .args(["-H", &format!("Authorization: Bearer {token}"), "--max-time", SECONDS, "--seed", SEED])
        .args(["--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-color", "--warnings", "off"])
        // A stream that never ends.
        .args(["--exclude-path", "/api/v1/live"])
        .current_dir(site.data.parent().expect("a folder"))
        .output()
        .expect("schemathesis is there: `tests/run setup` installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    // Otherwise it has heard nothing but 401.
    assert_eq!(site.http().get_as(&token, "/api/v1/sessions/current").status, 200);
}

#[test]
fn accounts_are_made_and_changed_on_a_running_box_and_on_a_stopped_one() {
    let mut site = Site::demo();
    let made = said(&user(&site, &["add", "mei", "--role", "clerk", "--display-name", "梅", "--json"]));
    let made: serde_json::Value = serde_json::from_str(&made).expect("JSON");
    assert_eq!((&made["name"], &made["roles"]), (&json!("mei"), &json!(["clerk"])));
    assert!(made["password"].as_str().is_some_and(|password| password.len() >= 10));
    let twice = user(&site, &["add", "mei", "--role", "clerk"]);
    assert_eq!(twice.status.code(), Some(1), "{twice:?}");
    let token = said(&user(&site, &["token", "mei"]));
    let who = site.http().get_as(&token, "/api/v1/sessions/current");
    assert_eq!((who.status, who.field("name").as_str()), (200, "mei"));

    site.the_box.terminate();
    assert!(said(&user(&site, &["role", "mei", "auditor"])).contains("auditor"));
    assert!(said(&user(&site, &["list"])).contains("梅"));
    assert!(!said(&user(&site, &["tokens", "mei"])).contains(&token));
    site.start_again();
    let who = site.http().get_as(&token, "/api/v1/sessions/current");
    assert_eq!(who.json()["roles"], json!(["auditor"]));
    said(&user(&site, &["disable", "mei"]));
    assert_eq!(site.http().get_as(&token, "/api/v1/sessions/current").status, 401);
    site.end_and_verify();
}
