//! Asserts that a box which is asked to end does so in time, under load too, and leaves books that are true.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tollhouse_tests::{PATIENCE, Site, plate_number};

#[test]
fn an_idle_box_ends_with_0_within_5_s() {
    let mut site = Site::demo();
    let (status, took) = site.the_box.terminate();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
}

#[test]
fn a_box_under_load_ends_with_0_within_5_s_and_its_books_are_true() {
    let mut site = Site::installed(4);
    let stop = AtomicBool::new(false);
    let lanes: Vec<_> = (1..=4).map(|number| tollhouse_tests::Entry::connect(site.broker, number)).collect();
    let (status, took) = std::thread::scope(|scope| {
        for (number, lane) in lanes.iter().enumerate() {
            let stop = &stop;
            scope.spawn(move || {
                for car in 0.. {
                    let before = lane.openings();
                    lane.camera.publish(&lane.camera.plate(&plate_number(number * 10_000 + car)));
                    // In short steps: when the box is gone nothing opens any more.
                    while lane.barrier.command("open", before, Duration::from_millis(20)).is_none() {
                        if stop.load(Ordering::Acquire) {
                            return;
                        }
                    }
                    lane.camera.publish(&lane.camera.passed());
                }
            });
        }
        lanes[0].barrier.command("open", 20, PATIENCE).expect("cars are driving");
        let ended = site.the_box.terminate();
        stop.store(true, Ordering::Release);
        ended
    });
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    tollhouse_tests::TheBox::verify(&site.data).expect("its books are true");
}
