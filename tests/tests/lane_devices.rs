//! Owns the judgement of what a lane does with what its devices can do, over a real mosquitto: an opening is confirmed by
//! a signal and not by a word, and a spare camera stands in for one that is away or silent.

use std::time::{Duration, Instant};

use serde_json::json;
use tollhouse_tests::{Manners, Mosquitto, PATIENCE, Retained, Site, TestDevice, eventually};

/// An installed box whose lane in-1 has these lines more, and whose commands run out after one second.
fn site(lines: &str) -> Site {
    Site::configured(Mosquitto::start(), 1, |text| {
        let text = text.replacen("command_ttl_s = 10", "command_ttl_s = 1", 1);
        text.replacen("cameras = [\"cam-in-1\"]\n", &format!("cameras = [\"cam-in-1\"]\n{lines}\n"), 1)
    })
}

fn unconfirmed(site: &Site) -> f64 {
    site.http().metrics().sum("tollhouse_openings_unconfirmed_total", &[("lane", "in-1")])
}

fn degraded(site: &Site) -> Vec<String> {
    let lanes = site.http().get("/api/v1/lanes").json();
    let lane = lanes["lanes"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|lane| lane["lane"] == "in-1")
        .expect("the lane is listed");
    lane["degraded"].as_array().into_iter().flatten().filter_map(|name| name.as_str()).map(str::to_owned).collect()
}

fn arm(barrier: &TestDevice, position: &str) {
    barrier.send("state/barrier", json!({"position": position}).to_string().as_bytes(), Retained::Yes);
}

#[test]
fn an_opening_that_the_arm_does_not_show_is_an_alarm_and_the_car_goes_all_the_same() {
    let mut site = site("confirmed_by = \"position\"");
    let entry = site.entry();
    arm(&entry.barrier, "down");
    // The barrier says that it is open, and its arm says that it is not.
    entry.drive_in(&entry.camera.plate("粤B10001"));
    eventually("an alarm", PATIENCE, || (unconfirmed(&site) >= 1.0).then_some(()));
    eventually("the lane to show it", PATIENCE, || {
        degraded(&site).iter().any(|name| name.starts_with("gate-in-1 (not seen to open")).then_some(())
    });
    assert_eq!(entry.openings(), 1, "no second command follows from it");
    eventually("the car to be inside", PATIENCE, || {
        (site.http().metrics().sum("tollhouse_cars_inside", &[]) >= 1.0).then_some(())
    });
    // The next one is seen to open, and the doubt is over.
    entry.camera.publish(&entry.camera.plate("粤B10002"));
    entry.barrier.command("open", 1, PATIENCE).expect("an opening");
    arm(&entry.barrier, "moving");
    arm(&entry.barrier, "up");
    entry.camera.publish(&entry.camera.passed());
    eventually("the doubt to be over", PATIENCE, || degraded(&site).is_empty().then_some(()));
    assert!((unconfirmed(&site) - 1.0).abs() < f64::EPSILON);
    drop(entry);
    site.end_and_verify();
}

#[test]
fn a_barrier_without_a_signal_is_confirmed_by_the_car_that_passes() {
    let mut site = site("");
    let entry = site.entry();
    for number in 0..3 {
        entry.another_car(&format!("粤B2000{number}"));
    }
    eventually("all three to be inside", PATIENCE, || {
        (site.http().metrics().sum("tollhouse_cars_inside", &[]) >= 3.0).then_some(())
    });
    assert!(unconfirmed(&site).abs() < f64::EPSILON);
    assert_eq!(degraded(&site), Vec::<String>::new());
    drop(entry);
    site.end_and_verify();
}

#[test]
fn a_spare_camera_stands_in_for_one_that_is_away_or_silent_and_one_car_read_by_both_is_one() {
    let mut site = site("spare_cameras = [\"cam-in-1b\"]\nspare_after_ms = 300");
    let entry = site.entry();
    let spare = TestDevice::connect(site.broker, "cam-in-1b", "camera", Manners::Silent);
    let failover = || site.http().metrics().sum("tollhouse_lane_camera_failover", &[("lane", "in-1")]);
    let spare_reads = || site.http().metrics().sum("tollhouse_spare_reads_total", &[("lane", "in-1")]);

    let spare_reads_a_car = |plate: &str, number: usize| {
        let read_at = Instant::now();
        spare.publish(&spare.plate(plate));
        let opened = entry.barrier.command("open", number, PATIENCE).expect("an opening");
        entry.camera.publish(&entry.camera.passed());
        opened.arrived.saturating_duration_since(read_at)
    };

    // Both have read it some seconds ago, the spare in its own way: one car.
    let ago = Duration::from_secs(5);
    spare.publish(&spare.plate_captured("粤B30O01", ago));
    entry.drive_in(&entry.camera.plate_captured("粤B30001", ago));
    spare.publish(&spare.plate_captured("粤B30001", ago));

    // The main camera reads nothing: after a moment the spare's read counts, and the lane says so.
    assert!(spare_reads_a_car("苏E40972", 1) >= Duration::from_millis(250), "it waits for the main camera");
    eventually("the lane to say so", PATIENCE, || {
        degraded(&site).iter().any(|name| name.starts_with("camera (silent")).then_some(())
    });
    assert_eq!((entry.openings(), spare_reads(), failover()), (2, 1.0, 1.0));

    // It reads again, and then goes away: the spare's read counts at once.
    entry.drive_in(&entry.camera.plate("粤B50003"));
    assert!(failover().abs() < f64::EPSILON);
    entry.camera.leave();
    eventually("the camera to be missed", PATIENCE, || (failover() > 0.0).then_some(()));
    spare_reads_a_car("京N67894", 3);
    eventually("its read to be counted", PATIENCE, || (spare_reads() >= 2.0).then_some(()));
    assert_eq!(entry.openings(), 4);
    drop(entry);
    drop(spare);
    site.end_and_verify();
}
