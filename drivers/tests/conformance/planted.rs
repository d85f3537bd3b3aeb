//! The example passes; each defect is found.

use tollhouse_drivers::check::{MQTT_CATALOGUE, Outcome};

use crate::mosquitto::{Memory, Mosquitto};
use crate::stage::{Device, ended, examined};

/// Each defect, the check that must find it, and a part of what it must say.
const PLANTED: &[(&str, &str, &str)] = &[
    ("meta_not_kept", "meta", "does not keep it"),
    ("unknown_kind", "meta", "is no kind"),
    ("offline_while_there", "availability", "kept as offline"),
    ("no_last_will", "last-will", "nobody was told"),
    ("will_of_another_run", "last-will", "names the run"),
    ("stays_away", "sign-in-again", "did not come back"),
    ("no_answer", "command-answered", "was not answered"),
    ("does_it_twice", "command-twice", "carried out twice"),
    ("heeds_no_expiry", "command-expired", "ran out"),
    ("takes_anything", "command-unknown", "nobody knows"),
    ("chokes_on_nonsense", "command-broken", "not answered any more"),
    ("takes_what_is_kept", "command-kept", "lay at the broker"),
    ("list_too_long_for_it", "whitelist", "part 1 of 2"),
    ("odd_answer", "ack-form", "is none"),
    ("two_last_words", "ack-form", "after it was confirmed"),
    ("answers_under_its_own_id", "ack-form", "never sent"),
    ("event_without_id", "event-form", "refused as bad_json"),
    ("event_of_no_kind", "event-form", "no event is called"),
    ("event_not_listed", "event-declared", "not listed"),
    ("same_event_id", "event-ids", "two different events"),
    ("seq_stands_still", "event-numbers", "follows on"),
    ("times_without_offset", "event-times", "with an offset"),
    ("sent_before_it_happened", "event-times", "after it was sent"),
    ("events_by_qos_0", "event-delivery", "QoS 0"),
    ("picture_in_base64", "picture", "no JPEG"),
    ("state_not_kept", "state", "not kept"),
    ("odd_position", "state", "is no position"),
    ("topic_of_its_own", "topics", "heartbeat/now"),
    ("event_kept", "kept", "kept by the broker"),
];

/// So many devices are examined at once: the time goes in waiting for them.
const AT_ONCE: usize = 10;

#[tokio::test]
async fn the_example_device_passes_every_check() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let _device = Device::start("cam-in-9", broker.port, None);
    let port = broker.port;
    let report = tokio::task::spawn_blocking(move || examined("cam-in-9", port, &[])).await.expect("no panic");
    assert_eq!(ended(&report, Outcome::Fail), Vec::<String>::new());
    assert_eq!(ended(&report, Outcome::Warn), Vec::<String>::new());
    assert_eq!(ended(&report, Outcome::Skipped), Vec::<String>::new(), "nothing is left untried");
    assert!(report.ok && report.checks.len() == MQTT_CATALOGUE.len());
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!((&json["ok"], &json["checks"][0]["outcome"]), (&true.into(), &"pass".into()));
    assert!(report.summary().contains("keeps the contract"));
}

#[tokio::test]
async fn each_planted_defect_is_found_by_the_check_that_it_breaks() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let port = broker.port;
    let mut missed = Vec::new();
    for some in PLANTED.chunks(AT_ONCE) {
        let trials = some.iter().map(|(defect, check, says)| {
            tokio::task::spawn_blocking(move || {
                let name = format!("cam-{}", defect.replace('_', "-"));
                let _device = Device::start(&name, port, Some(defect));
                // Some rules are about what other checks bring about.
                let only: &[&str] = match *check {
                    "ack-form" => &["command-answered", "ack-form"],
                    "topics" | "kept" => &["event-form", check],
                    check => &[check],
                };
                let report = examined(&name, port, only);
                let found = ended(&report, Outcome::Fail);
                let right = found.iter().any(|found| found.starts_with(check) && found.contains(says));
                (!right).then(|| format!("{defect}: {found:?} and not {check} with {says:?}"))
            })
        });
        for trial in trials.collect::<Vec<_>>() {
            missed.extend(trial.await.expect("no panic"));
        }
    }
    assert_eq!(missed, Vec::<String>::new());
}

#[tokio::test]
async fn a_device_that_is_not_there_fails_at_once_and_nothing_else_is_tried() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let port = broker.port;
    let report = tokio::task::spawn_blocking(move || examined("cam-nowhere", port, &[])).await.expect("no panic");
    assert_eq!(ended(&report, Outcome::Fail).len(), 1, "{:?}", ended(&report, Outcome::Fail));
    assert!(!report.ok && ended(&report, Outcome::Skipped).len() == MQTT_CATALOGUE.len() - 1);
}
