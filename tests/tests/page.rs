//! Asserts what a driver and an operator see and can do: the pages in a real browser.

use std::time::Duration;

use tollhouse_tests::{PATIENCE, Page, Site, eventually, plate_number, plate_on_a_screen, story};

#[test]
fn a_driver_sees_car_and_fee_on_the_page_behind_the_lanes_code_and_pays_there() {
    let site = Site::demo();
    let (entry, exit) = (site.entry(), site.exit());
    let plate = plate_number(1);
    story::enters_from_the_backlog(&entry, &plate, Duration::from_secs(110 * 60));
    exit.camera.publish(&exit.camera.plate(&plate));
    site.bill_at_the_exit(&plate);

    let mut page = Page::open(&site.http().url("/pay/lanes/out-1?lang=en"));
    page.await_text(&plate_on_a_screen(&plate));
    page.await_text("10.00");
    assert_eq!(exit.openings(), 0);
    page.press("#pay");
    // The sandbox's wallet is a page of its own, with one button.
    eventually("the wallet", PATIENCE, || page.path().starts_with("/sandbox/").then_some(()));
    page.press("#pay");
    assert!(exit.barrier.command("open", 0, PATIENCE).is_some(), "paid on the page, the barrier opens");
}

#[test]
fn the_live_page_shows_the_lanes_and_the_last_car() {
    let site = Site::demo();
    let plate = plate_number(1);
    let mut page = Page::open(&site.http().url("/"));
    page.await_text("in-1");
    page.await_text("out-1");
    // The car comes while somebody is looking.
    site.entry().another_car(&plate);
    page.await_text(&plate_on_a_screen(&plate));
}
