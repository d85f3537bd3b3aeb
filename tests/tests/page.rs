//! Asserts what a driver and an operator see: the pages in a real browser, as it has built them.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tollhouse_tests::{Site, plate_number, story};

/// The page as a browser has it after its scripts have run.
fn seen(url: &str) -> String {
    let profile = TempDir::new().expect("a temporary folder");
    let output = Command::new("chromium")
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .args(["--virtual-time-budget=2000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(url)
        .output()
        .expect("chromium is installed: `tests/run setup`");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a page is UTF-8")
}

#[test]
fn the_page_behind_a_lanes_code_shows_the_car_its_fee_and_how_to_pay() {
    let site = Site::demo();
    let (entry, exit) = (site.entry(), site.exit());
    let plate = plate_number(1);
    story::enters_from_the_backlog(&entry, &plate, Duration::from_secs(110 * 60));
    exit.camera.publish(&exit.camera.plate(&plate));
    site.bill_at_the_exit(&plate);
    let page = seen(&site.http().url("/pay/lanes/out-1"));
    for text in [plate.as_str(), "10.00"] {
        assert!(page.contains(text), "{text} is not on the page:\n{page}");
    }
    assert!(page.contains("<button") || page.contains("type=\"submit\""), "there is nothing to pay with:\n{page}");
}

#[test]
fn the_live_page_shows_the_lanes_and_the_last_car() {
    let site = Site::demo();
    let plate = plate_number(1);
    site.entry().another_car(&plate);
    let page = seen(&site.http().url("/"));
    for text in ["in-1", "out-1", plate.as_str()] {
        assert!(page.contains(text), "{text} is not on the page:\n{page}");
    }
}
