//! Asserts what a car meets at the lanes of the demo, over its own broker: it comes in, pays and leaves.

use serde_json::json;
use tollhouse_tests::{PATIENCE, STAYS, Site, eventually, story};

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

#[test]
fn a_person_opens_a_lane_once_however_often_the_order_is_given_and_it_is_on_record_when_answered() {
    let site = Site::demo();
    let (entry, http, password) = (site.entry(), site.http(), &site.the_box.admin_password);
    let order = |reason: &str| {
        let body = json!({ "reason": reason });
        http.post_as_admin(password, "/api/v1/lanes/in-1/openings", "night-7", &body).status
    };
    assert_eq!([order("ambulance"), order("ambulance"), order("a friend")], [201, 201, 422]);
    eventually("the barrier's command", PATIENCE, || (entry.openings() == 1).then_some(()));
    let unknown = http.post_as_admin(password, "/api/v1/lanes/in-9/openings", "night-8", &json!({ "reason": "test" }));
    assert_eq!(unknown.status, 404);
    // Nothing more comes: the lane's next car is the second opening.
    entry.another_car(&tollhouse_tests::plate_number(1));
    eventually("the next car's command", PATIENCE, || (entry.openings() >= 2).then_some(()));
    assert_eq!(entry.openings(), 2);
}
