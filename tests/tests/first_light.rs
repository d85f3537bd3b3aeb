//! Asserts what a car meets at the lanes of the demo, over its own broker: it comes in, pays and leaves.

use tollhouse_tests::{STAYS, Site, story};

#[test]
fn a_fresh_entry_opens_within_a_second_and_once_however_often_its_event_comes() {
    story::a_fresh_entry_opens_once(Site::demo());
}

#[test]
fn a_backlog_entry_of_less_than_two_hours_owes_10_at_the_exit_and_leaves_once_when_it_is_paid() {
    let (ago, due) = STAYS[0];
    story::a_car_from_the_backlog_pays_and_leaves(Site::demo(), ago, due);
}

#[test]
fn a_backlog_entry_of_two_hours_and_a_moment_owes_15_at_the_exit_and_leaves_once_when_it_is_paid() {
    let (ago, due) = STAYS[1];
    story::a_car_from_the_backlog_pays_and_leaves(Site::demo(), ago, due);
}

#[test]
fn bad_input_is_counted_and_nothing_else_happens() {
    story::bad_input_is_counted_and_nothing_else(Site::demo());
}

#[test]
fn a_bill_that_does_not_exist_and_a_lane_without_a_car_are_404() {
    let site = Site::demo();
    assert_eq!(site.http().get("/api/v1/pay/lanes/out-1").status, 404);
    assert_eq!(site.http().get("/api/v1/pay/orders/00000000000000000000000000").status, 404);
}
