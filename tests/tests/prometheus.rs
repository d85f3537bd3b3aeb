//! Asserts that a real Prometheus can live with what the box serves, and that the alerts look at metrics that exist.

use std::path::Path;

use tollhouse_tests::{PATIENCE, Prometheus, Site, eventually, plate_number, promtool_check_metrics};

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../systemd/prometheus/tollhouse.rules.yml");

#[test]
fn promtool_finds_no_fault_in_the_metrics_and_one_in_a_broken_copy() {
    let site = Site::demo();
    site.entry().another_car(&plate_number(1));
    let text = site.http().get("/metrics").body;
    assert_eq!(promtool_check_metrics(&text), None);
    let broken = text.replace("tollhouse_passages_total", "tollhouse_passages");
    assert!(promtool_check_metrics(&broken).is_some(), "a counter without _total is not found");
}

#[test]
fn a_real_prometheus_scrapes_the_box_and_finds_it_up() {
    let site = Site::demo();
    site.entry().another_car(&plate_number(1));
    let target = site.http().url("").replace("http://", "");
    let rules = Path::new(RULES).canonicalize().expect("the alert rules are there");
    let mut prometheus = Prometheus::scraping(&target, &rules.display().to_string());
    eventually("Prometheus to find the box up", PATIENCE, || prometheus.value("up").filter(|up| *up >= 1.0));
    let passages = eventually("Prometheus to have the passage", PATIENCE, || {
        prometheus.value("sum(tollhouse_passages_total)").filter(|passages| *passages >= 1.0)
    });
    assert!((passages - 1.0).abs() < f64::EPSILON);
    assert!(prometheus.target()["lastError"].as_str().is_some_and(str::is_empty), "{}", prometheus.target());
    assert!(prometheus.is_running());
}

#[test]
fn every_metric_that_an_alert_looks_at_is_served() {
    let site = Site::demo();
    let rules = std::fs::read_to_string(RULES).expect("the alert rules are there");
    let served = site.http().get("/metrics").body;
    let named = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        words
            .filter(|word| word.starts_with("tollhouse_"))
            .map(|word| word.trim_end_matches("_bucket").to_owned())
            .collect()
    };
    // A labelled metric shows only once something is counted, so what counts faults is looked up by its name in the code.
    let wanted: Vec<String> = rules.lines().filter(|line| line.contains("expr:")).flat_map(named).collect();
    assert!(wanted.len() > 10, "the alerts look at {wanted:?}");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../appliance/src/metrics/mod.rs");
    let source = std::fs::read_to_string(source).expect("the metrics have their module");
    for metric in wanted {
        let known = served.contains(&format!("# TYPE {metric} "))
            || source.contains(&format!("\"{}\"", &metric["tollhouse_".len()..]));
        assert!(known, "an alert looks at {metric}, which nobody serves");
    }
}
