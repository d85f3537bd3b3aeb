//! The wire format under bytes that nobody intended: no panic, and what comes out keeps its limits.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use tollhouse_drivers::What;
use tollhouse_drivers::event::EventHead;
use tollhouse_drivers::wire::{
    EventKind, MAX_AGE_DAYS, MAX_BODY_BYTES, MAX_CANDIDATES, MAX_REASON_CHARS, parse_ack, parse_availability,
    parse_emitted, parse_event, parse_meta, parse_state,
};

const KINDS: [EventKind; 5] =
    [EventKind::Plate, EventKind::Passed, EventKind::Button, EventKind::Code, EventKind::Alarm];

/// Bodies that are good, so that what is made of them is nearly good.
const GOOD: [&str; 7] = [
    r#"{"event":"plate","event_id":"e-1","boot_id":"b-1","seq":7,"at":"2026-03-01T01:59:58.500Z","sent_at":"2026-03-01T02:00:00.000+08:00","plate":"粤C·12345","colour":"yellow_green","confidence":0.97,"candidates":[{"plate":"粤C12346","confidence":0.2}],"direction":"depart","backlog":true}"#,
    r#"{"event":"passed","event_id":"e-2","at":"2026-03-01T01:59:58.500Z","direction":"backward"}"#,
    r#"{"event":"code","event_id":"e-3","code":"6900","more":[1,2.5,null,{"deep":[[[]]]}]}"#,
    r#"{"kinds":["camera","display"],"vendor":"Acme","model":"X","boot_id":"b","commands":["open"],"events":["plate"]}"#,
    r#"{"state":"online","boot_id":"b-1"}"#,
    r#"{"position":"moving","at":"2026-03-01T01:59:58.500Z"}"#,
    r#"{"state":"failed","reason":"no power"}"#,
];

/// From 1970 to 2096.
fn received() -> impl Strategy<Value = DateTime<Utc>> {
    (0i64..4_000_000_000).prop_map(|second| DateTime::from_timestamp(second, 0).expect("a time"))
}

fn check_head(head: &EventHead, received_at: DateTime<Utc>) {
    assert!(head.event_id.as_str().len() <= 64);
    assert!(head.age >= TimeDelta::zero() && head.age <= TimeDelta::days(MAX_AGE_DAYS));
    assert_eq!(head.captured_at, received_at - head.age);
}

fn check(what: &What, received_at: DateTime<Utc>) {
    match what {
        What::Plate(read) => {
            check_head(&read.head, received_at);
            assert!(read.plate.as_str().chars().count() <= 16);
            assert!(read.candidates.len() <= MAX_CANDIDATES);
            assert!(read.confidence.is_none_or(|confidence| (0.0..=1.0).contains(&confidence)));
            assert!(read.candidates.iter().all(|(_, confidence)| (0.0..=1.0).contains(confidence)));
        }
        What::Passed(passed) => check_head(&passed.head, received_at),
        What::Notice(notice) => check_head(&notice.head, received_at),
        What::Ack(ack) => {
            assert!(ack.cmd_id.len() <= 64);
            assert!(ack.reason.as_ref().is_none_or(|reason| reason.chars().count() <= MAX_REASON_CHARS));
        }
        What::State(_) | What::Stood(_) | What::Availability(_) => {}
    }
}

/// Everything that reads this format reads these bytes.
fn read_all(body: &[u8], cmd_id: &str, received_at: DateTime<Utc>) {
    let events = KINDS.iter().filter_map(|kind| parse_event(*kind, body, received_at).ok());
    let emitted = parse_emitted(body, received_at).ok().map(|heard| heard.what);
    let ack = parse_ack(cmd_id, body).ok().map(What::Ack);
    let state = parse_state(body).ok().map(What::State);
    let availability = parse_availability(body).ok().map(What::Availability);
    for what in events.chain(emitted).chain(ack).chain(state).chain(availability) {
        check(&what, received_at);
        assert!(body.len() <= MAX_BODY_BYTES);
    }
    if let Ok(meta) = parse_meta(body) {
        assert!(meta.kinds.len() <= 64 && meta.kinds.iter().all(|kind| kind.chars().count() <= 128));
    }
}

/// A good body with pieces replaced, put in or left out.
fn spoilt() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), 0usize..4, prop::collection::vec(any::<u8>(), 0..6));
    (prop::sample::select(GOOD.to_vec()), prop::collection::vec(change, 1..6)).prop_map(|(good, changes)| {
        let mut body = good.as_bytes().to_vec();
        for (place, gone, new) in changes {
            let at = place.index(body.len() + 1);
            let end = (at + gone).min(body.len());
            body.splice(at..end, new);
        }
        body
    })
}

/// JSON that says what a body says, with values that nobody would give.
fn odd() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<f64>().prop_map(|value| serde_json::json!(value).to_string()),
        ".{0,80}".prop_map(|value| serde_json::json!(value).to_string()),
        "[0-9]{1,4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})"
            .prop_map(|value| serde_json::json!(value).to_string()),
        Just("[]".to_owned()),
        Just(r#"[{"plate":"A1","confidence":-3}]"#.to_owned()),
    ];
    let field = prop::sample::select(vec![
        "event_id",
        "boot_id",
        "seq",
        "at",
        "sent_at",
        "plate",
        "colour",
        "confidence",
        "candidates",
        "direction",
        "backlog",
        "state",
        "reason",
        "position",
        "occupied",
        "kinds",
    ]);
    prop::collection::vec((field, value), 0..8).prop_map(|fields| {
        let mut named: Vec<String> = vec![r#""event":"plate""#.to_owned()];
        named.extend(fields.into_iter().map(|(name, value)| format!(r#""{name}":{value}"#)));
        if named.iter().all(|field| !field.starts_with(r#""event_id""#)) {
            named.push(r#""event_id":"e""#.to_owned());
        }
        format!("{{{}}}", named.join(",")).into_bytes()
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..300), at in received()) {
        read_all(&body, "c", at);
    }

    #[test]
    fn spoilt_bodies_are_refused_or_keep_the_limits(body in spoilt(), id in ".{0,70}", at in received()) {
        read_all(&body, &id, at);
    }

    #[test]
    fn odd_values_are_refused_or_keep_the_limits(body in odd(), at in received()) {
        read_all(&body, "c", at);
    }
}

#[test]
fn the_good_bodies_are_good() {
    let at = DateTime::from_timestamp(1_772_330_400, 0).expect("a time");
    for body in &GOOD[..3] {
        assert!(parse_emitted(body.as_bytes(), at).is_ok(), "{body}");
    }
    assert!(parse_meta(GOOD[3].as_bytes()).is_ok());
    assert!(parse_availability(GOOD[4].as_bytes()).is_ok());
    assert!(parse_state(GOOD[5].as_bytes()).is_ok());
    assert!(parse_ack("c", GOOD[6].as_bytes()).is_ok());
}
