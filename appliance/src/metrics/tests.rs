//! What the metrics say, judged by Prometheus's own checker.

use std::io::Write;
use std::process::{Command, Stdio};

use super::*;

fn every_metric_once() -> Metrics {
    let metrics = Metrics::new("0.1.0").expect("metrics");
    let lane = LaneId::new("in-1").expect("a name");
    let device = DeviceId::new("cam-in-1").expect("a name");
    metrics.passage(&lane, "opened");
    metrics.event_to_command(Duration::from_micros(1_700));
    metrics.committed(Duration::from_micros(300), 3);
    metrics.device(&device, Presence::Online);
    metrics.link("mqtt", LinkState::Up);
    metrics.link("sim", LinkState::Restarted);
    metrics.cars_inside(&AreaId::new("main").expect("a name"), "temporary", 12);
    metrics.bills("temporary", "open", 2);
    metrics.bill_moved("temporary", Some("open"), "paid");
    metrics.payment("sandbox", "captured");
    metrics.reconciliation_differences(0);
    metrics.reconciliation_open_days(0);
    metrics.outbox(4, Duration::from_secs(2));
    metrics.clock_jumped();
    metrics.disk_free(1 << 30);
    metrics.event_refused(Some(&device), Refused::BadJson);
    metrics.event_refused(None, Refused::UnknownDevice);
    metrics.event_gap(&device, 3);
    metrics.device_clock_offset(&device, -1_500);
    metrics.lane_restarted(&lane);
    metrics.opening_unconfirmed(&lane);
    metrics.spare_read(&lane);
    metrics.whitelist(&device, 120, 3, &Pushed::Held);
    metrics.main_cameras(&lane, MainCameras::Silent);
    metrics
}

#[test]
fn each_count_stands_under_its_name_and_labels() {
    let text = every_metric_once().text().expect("text");
    for line in [
        r#"tollhouse_passages_total{lane="in-1",outcome="opened"} 1"#,
        r#"tollhouse_event_to_command_seconds_bucket{le="0.001"} 0"#,
        r#"tollhouse_event_to_command_seconds_bucket{le="0.002"} 1"#,
        r#"tollhouse_commit_batch_changes_bucket{le="4"} 1"#,
        r#"tollhouse_device_up{device="cam-in-1"} 1"#,
        r#"tollhouse_driver_restarts_total{driver="sim"} 1"#,
        r#"tollhouse_link_up{link="sim"} 1"#,
        r#"tollhouse_cars_inside{area="main",tenure="temporary"} 12"#,
        r#"tollhouse_bills{kind="temporary",state="open"} 1"#,
        r#"tollhouse_bills{kind="temporary",state="paid"} 1"#,
        r#"tollhouse_payments_total{outcome="captured",provider="sandbox"} 1"#,
        "tollhouse_outbox_depth 4",
        "tollhouse_outbox_oldest_age_seconds 2",
        "tollhouse_clock_jumps_total 1",
        r#"tollhouse_events_refused_total{device="unknown",reason="unknown_device"} 1"#,
        r#"tollhouse_event_gaps_total{device="cam-in-1"} 3"#,
        r#"tollhouse_device_clock_offset_seconds{device="cam-in-1"} -1.5"#,
        r#"tollhouse_lane_restarts_total{lane="in-1"} 1"#,
        r#"tollhouse_openings_unconfirmed_total{lane="in-1"} 1"#,
        r#"tollhouse_whitelist_plates{device="cam-in-1"} 120"#,
        r#"tollhouse_whitelist_left_out{device="cam-in-1"} 3"#,
        r#"tollhouse_whitelist_held{device="cam-in-1"} 1"#,
        r#"tollhouse_spare_reads_total{lane="in-1"} 1"#,
        r#"tollhouse_lane_camera_failover{lane="in-1"} 1"#,
        r#"tollhouse_build_info{version="0.1.0"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "no line {line} in\n{text}");
    }
}

#[test]
fn promtool_finds_nothing_to_complain_of() {
    let text = every_metric_once().text().expect("text");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed (tests/run does it: Debian's package prometheus)");
    promtool.stdin.take().expect("piped").write_all(text.as_bytes()).expect("promtool reads");
    let said = promtool.wait_with_output().expect("promtool ends");
    let words = [said.stdout, said.stderr].concat();
    assert!(said.status.success() && words.is_empty(), "{}", String::from_utf8_lossy(&words));
}

#[test]
fn what_the_process_uses_is_told() {
    let text = every_metric_once().text().expect("text");
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}"));
        line.rsplit(' ').next().expect("a value").parse().expect("a number")
    };
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_open_fds") >= 3.0);
    assert!(value("process_start_time_seconds") > 1.6e9);
}
