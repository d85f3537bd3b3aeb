//! Bodies of `event/+`: plate, passed, button, code, alarm.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tollhouse_core::plate::{Colour, Plate, PlateError};

use super::{Refusal, field, json};
use crate::event::{Approach, Backlog, EventHead, Notice, NoticeKind, Passed, PassedDirection, PlateRead, What};
use crate::link::Refused;

/// More candidates than these are cut, the least likely first.
pub const MAX_CANDIDATES: usize = 8;
/// An event that claims to be older is refused: a clock without a battery, not a backlog.
pub const MAX_AGE_DAYS: i64 = 366;

/// What cameras write when they saw a car and read no plate.
const NO_PLATE_WORDS: [&str; 3] = ["无牌车", "无车牌", "无牌"];

/// The last part of an event's topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// `event/plate`
    Plate,
    /// `event/passed`
    Passed,
    /// `event/button`
    Button,
    /// `event/code`
    Code,
    /// `event/alarm`
    Alarm,
}

impl EventKind {
    /// The kind that a word of the contract names.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "plate" => Self::Plate,
            "passed" => Self::Passed,
            "button" => Self::Button,
            "code" => Self::Code,
            "alarm" => Self::Alarm,
            _ => return None,
        })
    }
}

/// An event, and what it tells about the device's clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The event.
    pub what: What,
    /// When the device sent it, by the device's own clock.
    pub sent_at: Option<DateTime<Utc>>,
}

/// The fields of every event; `direction` and the plate's own stand beside them.
#[derive(Deserialize)]
struct HeadBody {
    event_id: String,
    boot_id: Option<String>,
    seq: Option<u64>,
    at: Option<String>,
    sent_at: Option<String>,
    backlog: Option<bool>,
}

#[derive(Deserialize)]
struct PlateBody {
    plate: Option<String>,
    colour: Option<Colour>,
    confidence: Option<f64>,
    candidates: Option<Vec<CandidateBody>>,
    direction: Option<String>,
}

#[derive(Deserialize)]
struct CandidateBody {
    plate: String,
    confidence: Option<f64>,
}

#[derive(Deserialize)]
struct PassedBody {
    direction: Option<String>,
}

/// Reads the body of `event/{kind}`, and keeps the device's own time of sending for whoever watches its clock.
pub fn parse_event_heard(kind: EventKind, body: &[u8], received_at: DateTime<Utc>) -> Result<Heard, Refusal> {
    let (head, sent_at) = head(body, received_at)?;
    let notice = |kind, head| Ok(What::Notice(Notice { head, kind, body: json(body)? }));
    let what = match kind {
        EventKind::Plate => plate_read(head, body).map(What::Plate),
        EventKind::Passed => passed(head, body).map(What::Passed),
        EventKind::Button => notice(NoticeKind::Button, head),
        EventKind::Code => notice(NoticeKind::Code, head),
        EventKind::Alarm => notice(NoticeKind::Alarm, head),
    }?;
    Ok(Heard { what, sent_at })
}

fn head(body: &[u8], received_at: DateTime<Utc>) -> Result<(EventHead, Option<DateTime<Utc>>), Refusal> {
    let raw: HeadBody = json(body)?;
    let at = field::time("at", raw.at.as_deref())?;
    let sent_at = field::time("sent_at", raw.sent_at.as_deref())?;
    let age = age(at, sent_at, received_at);
    if age > TimeDelta::days(MAX_AGE_DAYS) {
        return Err(field::bad("at", format_args!("more than {MAX_AGE_DAYS} days before it was sent")));
    }
    let head = EventHead {
        event_id: field::event_id(raw.event_id)?,
        boot_id: field::boot_id(raw.boot_id)?,
        seq: raw.seq,
        captured_at: received_at.checked_sub_signed(age).unwrap_or(received_at),
        age,
        backlog: if raw.backlog == Some(true) { Backlog::Marked } else { Backlog::Unmarked },
        fingerprint: Sha256::digest(body).into(),
    };
    Ok((head, sent_at))
}

/// How long an event lay with its device, by the device's clock, or by the box's where the device does not say when it
/// sent it. An event from the future, or without a time, is as old as its arrival.
fn age(at: Option<DateTime<Utc>>, sent_at: Option<DateTime<Utc>>, received_at: DateTime<Utc>) -> TimeDelta {
    let Some(at) = at else { return TimeDelta::zero() };
    sent_at.unwrap_or(received_at).signed_duration_since(at).max(TimeDelta::zero())
}

fn plate_read(head: EventHead, body: &[u8]) -> Result<PlateRead, Refusal> {
    let raw: PlateBody = json(body)?;
    let text = raw.plate.unwrap_or_default();
    let plate = plate(&text)?;
    let confidence = raw.confidence;
    if confidence.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
        return Err(field::bad("confidence", "outside 0 to 1"));
    }
    let direction = match raw.direction.as_deref() {
        None | Some("approach") => Approach::Approach,
        Some("depart") => Approach::Depart,
        Some(other) => return Err(unknown_direction(other)),
    };
    Ok(PlateRead {
        head,
        plate,
        colour: raw.colour.unwrap_or_default(),
        confidence,
        candidates: candidates(raw.candidates.unwrap_or_default()),
        direction,
    })
}

fn plate(text: &str) -> Result<Plate, Refusal> {
    if NO_PLATE_WORDS.contains(&text.trim()) {
        return Err((Refused::NoPlate, "the camera read no plate".to_owned()));
    }
    Plate::new(text).map_err(|error| match error {
        PlateError::Empty => (Refused::NoPlate, "the camera read no plate".to_owned()),
        PlateError::TooLong | PlateError::Character(_) => (Refused::BadPlate, error.to_string()),
    })
}

/// Other readings only help, so one that is no plate is left out and does not spoil the read.
fn candidates(raw: Vec<CandidateBody>) -> Vec<(Plate, f64)> {
    let mut candidates: Vec<(Plate, f64)> = raw
        .into_iter()
        .filter_map(|one| {
            let confidence = one.confidence.unwrap_or(0.0);
            let plate = Plate::new(&one.plate).ok()?;
            (0.0..=1.0).contains(&confidence).then_some((plate, confidence))
        })
        .collect();
    candidates.sort_by(|a, b| b.1.total_cmp(&a.1));
    candidates.truncate(MAX_CANDIDATES);
    candidates
}

fn passed(head: EventHead, body: &[u8]) -> Result<Passed, Refusal> {
    let raw: PassedBody = json(body)?;
    let direction = match raw.direction.as_deref() {
        None | Some("forward") => PassedDirection::Forward,
        Some("backward") => PassedDirection::Backward,
        Some(other) => return Err(unknown_direction(other)),
    };
    Ok(Passed { head, direction })
}

fn unknown_direction(word: &str) -> Refusal {
    field::bad("direction", format_args!("{:?} is none", field::cut(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIVED: &str = "2026-03-01T10:00:00.000+08:00";

    fn received() -> DateTime<Utc> {
        RECEIVED.parse().expect("a time")
    }

    fn read(body: &str) -> Result<PlateRead, Refusal> {
        match parse_event_heard(EventKind::Plate, body.as_bytes(), received())?.what {
            What::Plate(read) => Ok(read),
            other => panic!("not a plate: {other:?}"),
        }
    }

    fn refused(body: &str) -> Refused {
        read(body).expect_err("should be refused").0
    }

    #[test]
    fn a_plate_event_of_the_contract_is_read_in_full() {
        let read = read(
            r#"{"event_id":"e-1","boot_id":"b-1","seq":7,"at":"2026-03-01T01:59:58.500Z","sent_at":"2026-03-01T02:00:00.000Z",
            "plate":"粤C·12345","colour":"blue","confidence":0.97,"candidates":[{"plate":"粤C12346","confidence":0.2},
            {"plate":"粤O12345","confidence":0.4}],"direction":"depart","future":{"field":[1]}}"#,
        )
        .expect("a read");
        assert_eq!(read.plate.as_str(), "粤C12345");
        assert_eq!((read.colour, read.confidence, read.direction), (Colour::Blue, Some(0.97), Approach::Depart));
        assert_eq!(read.head.seq, Some(7));
        assert_eq!(read.head.age, TimeDelta::milliseconds(1500));
        assert_eq!(read.head.captured_at, received() - TimeDelta::milliseconds(1500));
        assert_eq!(read.candidates[0].0.as_str(), "粤O12345", "the best comes first");
    }

    #[test]
    fn age_is_measured_by_the_devices_own_clock() {
        // (at, sent_at, age in seconds): the box's clock says 02:00:00Z
        let cases = [
            // a clock two years behind, ten seconds on the way
            ("2024-03-01T00:00:00Z", Some("2024-03-01T00:00:10Z"), 10),
            // without sent_at the box's clock stands in
            ("2026-03-01T00:00:00Z", None, 7200),
            // from the future, by either clock: as if captured at arrival
            ("2026-03-01T00:00:11Z", Some("2026-03-01T00:00:10Z"), 0),
            ("2027-03-01T00:00:00Z", None, 0),
            // offsets count
            ("2026-03-01T09:59:00+08:00", Some("2026-03-01T02:00:00Z"), 60),
        ];
        for (at, sent_at, seconds) in cases {
            let sent = sent_at.map(|text| format!(r#","sent_at":"{text}""#)).unwrap_or_default();
            let head =
                read(&format!(r#"{{"event_id":"e","plate":"粤C12345","at":"{at}"{sent}}}"#)).expect("a read").head;
            assert_eq!(head.age, TimeDelta::seconds(seconds), "{at} {sent_at:?}");
            assert_eq!(head.captured_at, received() - TimeDelta::seconds(seconds), "{at} {sent_at:?}");
        }
    }

    #[test]
    fn an_event_without_a_time_is_as_old_as_its_arrival() {
        let head = read(r#"{"event_id":"e","plate":"粤C12345"}"#).expect("a read").head;
        assert_eq!((head.age, head.captured_at), (TimeDelta::zero(), received()));
    }

    #[test]
    fn a_device_may_mark_its_backlog() {
        let marked = read(r#"{"event_id":"e","plate":"粤C12345","backlog":true}"#).expect("a read");
        let unmarked = read(r#"{"event_id":"e","plate":"粤C12345","backlog":false}"#).expect("a read");
        assert_eq!((marked.head.backlog, unmarked.head.backlog), (Backlog::Marked, Backlog::Unmarked));
        assert_ne!(marked.head.fingerprint, unmarked.head.fingerprint);
    }

    #[test]
    fn what_breaks_a_limit_is_refused_with_its_reason() {
        let long_plate = format!(r#"{{"event_id":"e","plate":"{}"}}"#, "A".repeat(500));
        let long_id = format!(r#"{{"event_id":"{}","plate":"A1"}}"#, "e".repeat(65));
        let long = format!(r#"{{"event_id":"e","plate":"A1","x":"{}"}}"#, "x".repeat(64 * 1024));
        let deep = format!(r#"{{"event_id":"e","plate":"A1","candidates":{}"#, "[".repeat(60_000));
        let cases = [
            ("", Refused::BadJson),
            ("{}", Refused::BadJson),
            ("[]", Refused::BadJson),
            (r#"{"hello":"world"}"#, Refused::BadJson),
            (r#"{"event_id":7,"plate":"A1"}"#, Refused::BadJson),
            (r#"{"event_id":"e","seq":-1,"plate":"A1"}"#, Refused::BadJson),
            (r#"{"event_id":"e","plate":"A1","confidence":1e999}"#, Refused::BadJson),
            (&deep, Refused::BadJson),
            (r#"{"event_id":"a/b","plate":"A1"}"#, Refused::BadField),
            (&long_id, Refused::BadField),
            (r#"{"event_id":"e","boot_id":"","plate":"A1"}"#, Refused::BadField),
            (r#"{"event_id":"e","at":"yesterday","plate":"A1"}"#, Refused::BadField),
            (r#"{"event_id":"e","at":"2026-03-01T00:00:00","plate":"A1"}"#, Refused::BadField),
            (r#"{"event_id":"e","at":"1970-01-01T00:00:00Z","plate":"A1"}"#, Refused::BadField),
            (r#"{"event_id":"e","plate":"A1","confidence":1.5}"#, Refused::BadField),
            (r#"{"event_id":"e","plate":"A1","direction":"up"}"#, Refused::BadField),
            (&long_plate, Refused::BadPlate),
            (r#"{"event_id":"e","plate":"<b>"}"#, Refused::BadPlate),
            (r#"{"event_id":"e","plate":""}"#, Refused::NoPlate),
            (r#"{"event_id":"e"}"#, Refused::NoPlate),
            (r#"{"event_id":"e","plate":"无牌车"}"#, Refused::NoPlate),
            (&long, Refused::TooLarge),
        ];
        for (body, reason) in cases {
            assert_eq!(refused(body), reason, "{body:.80}");
        }
        let bytes = parse_event_heard(EventKind::Plate, b"{\"event_id\":\"\xff\"}", received());
        assert_eq!(bytes.expect_err("bad bytes").0, Refused::BadUtf8);
    }

    #[test]
    fn candidates_are_cut_to_the_best_eight_and_spoil_nothing() {
        let many: Vec<String> =
            (0..40).map(|n| format!(r#"{{"plate":"粤C{n:05}","confidence":{}}}"#, f64::from(n) / 100.0)).collect();
        let body = format!(
            r#"{{"event_id":"e","plate":"A1","candidates":[{{"plate":"<>","confidence":1}},{{"plate":"A2","confidence":7}},{}]}}"#,
            many.join(",")
        );
        let read = read(&body).expect("a read");
        assert_eq!(read.candidates.len(), MAX_CANDIDATES);
        assert_eq!(read.candidates[0].0.as_str(), "粤C00039");
    }

    #[test]
    fn a_car_passes_forward_unless_it_says_backward() {
        for (body, direction) in [
            (r#"{"event_id":"e"}"#, PassedDirection::Forward),
            (r#"{"event_id":"e","direction":"forward","plate":5}"#, PassedDirection::Forward),
            (r#"{"event_id":"e","direction":"backward"}"#, PassedDirection::Backward),
        ] {
            let heard = parse_event_heard(EventKind::Passed, body.as_bytes(), received()).expect("an event");
            assert!(matches!(heard.what, What::Passed(passed) if passed.direction == direction), "{body}");
        }
    }

    #[test]
    fn a_notice_keeps_its_body() {
        let heard = parse_event_heard(EventKind::Code, br#"{"event_id":"e","code":"1234"}"#, received());
        let What::Notice(notice) = heard.expect("an event").what else { panic!("not a notice") };
        assert_eq!((notice.kind, notice.body["code"].as_str()), (NoticeKind::Code, Some("1234")));
    }

    #[test]
    fn an_emitted_event_names_its_own_kind() {
        let heard = super::super::parse_emitted(br#"{"event":"passed","event_id":"e"}"#, received()).expect("an event");
        assert!(matches!(heard.what, What::Passed(_)));
        for body in [r#"{"event":"party","event_id":"e"}"#, r#"{"event_id":"e"}"#] {
            assert!(super::super::parse_emitted(body.as_bytes(), received()).is_err(), "{body}");
        }
    }
}
