//! What a driver emits, turned into events by the shared wire format.
//!
//! It owns the envelope `{"device","topic","body"}` of the header, and fills in what a driver may leave out. It must not
//! deliver anything.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use tollhouse_core::id::{BootId, DeviceId, EventId};

use crate::event::What;
use crate::link::Refused;
use crate::wire::{self, EventKind, Refusal};

/// A driver's event, read.
#[derive(Debug, PartialEq)]
pub(super) struct Report {
    /// The device that it names.
    pub(super) device: DeviceId,
    /// What it says; a picture alone says nothing.
    pub(super) what: Option<What>,
    /// The id that its picture belongs to.
    pub(super) event_id: Option<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    device: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    topic: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// The run of the driver, and how many ids the host has made in it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) boot_id: BootId,
    made: u64,
}

impl Run {
    pub(super) fn new(boot_id: BootId) -> Self {
        Self { boot_id, made: 0 }
    }

    fn make_event_id(&mut self) -> String {
        self.made += 1;
        format!("{}-{}", self.boot_id, self.made)
    }
}

/// Reads an event of one of `devices`. A refusal names the device when it is known.
pub(super) fn read(
    event: &RawValue,
    devices: &[DeviceId],
    run: &mut Run,
    received_at: DateTime<Utc>,
) -> Result<Report, (Option<DeviceId>, Refusal)> {
    let envelope: Envelope<'_> =
        serde_json::from_str(event.get()).map_err(|fault| (None, (Refused::BadJson, fault.to_string())))?;
    let Some(device) = devices.iter().find(|device| device.as_str() == envelope.device) else {
        let words = envelope.device.chars().take(64).collect();
        return Err((None, (Refused::UnknownDevice, words)));
    };
    let (what, event_id) = read_body(&envelope, run, received_at).map_err(|refusal| (Some(device.clone()), refusal))?;
    Ok(Report { device: device.clone(), what, event_id })
}

fn read_body(
    envelope: &Envelope<'_>,
    run: &mut Run,
    received_at: DateTime<Utc>,
) -> Result<(Option<What>, Option<String>), Refusal> {
    let body = envelope.body.get().as_bytes();
    let unknown = || (Refused::UnknownTopic, envelope.topic.chars().take(64).collect());
    match envelope.topic.split_once('/') {
        Some(("event", kind)) => {
            let kind = EventKind::from_word(kind).ok_or_else(unknown)?;
            let (what, event_id) = read_event(kind, envelope.body.get(), run, received_at)?;
            Ok((Some(what), Some(event_id)))
        }
        Some(("state", _)) => Ok((Some(What::State(wire::parse_state(body)?)), None)),
        Some(("ack", cmd_id)) => Ok((Some(What::Ack(wire::parse_ack(cmd_id, body)?)), None)),
        Some(("blob", event_id)) => {
            let event_id = EventId::new(event_id).map_err(|fault| (Refused::BadField, fault.to_string()))?;
            Ok((None, Some(event_id.to_string())))
        }
        None if envelope.topic == "availability" => {
            let mut availability = wire::parse_availability(body)?;
            availability.boot_id = Some(run.boot_id.clone());
            Ok((Some(What::Availability(availability)), None))
        }
        _ => Err(unknown()),
    }
}

fn read_event(
    kind: EventKind,
    body: &str,
    run: &mut Run,
    received_at: DateTime<Utc>,
) -> Result<(What, String), Refusal> {
    let with_id = with_event_id(body, run);
    let mut what = wire::parse_event(kind, with_id.as_deref().unwrap_or(body).as_bytes(), received_at)?;
    let head = match &mut what {
        What::Plate(read) => &mut read.head,
        What::Passed(passed) => &mut passed.head,
        What::Notice(notice) => &mut notice.head,
        // The parser answers an event's topic with an event.
        What::State(_) | What::Stood(_) | What::Ack(_) | What::Availability(_) => {
            return Err((Refused::BadJson, body.to_owned()));
        }
    };
    head.boot_id = Some(run.boot_id.clone());
    let event_id = head.event_id.to_string();
    Ok((what, event_id))
}

/// The body with an id of the host's making, when the driver gave none.
fn with_event_id(body: &str, run: &mut Run) -> Option<String> {
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(body).ok()?;
    if fields.contains_key("event_id") {
        return None;
    }
    fields.insert("event_id".to_owned(), run.make_event_id().into());
    serde_json::to_string(&fields).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{AckState, ChannelState, Position};

    fn run() -> Run {
        Run::new(BootId::new("boot-1").expect("a boot id"))
    }

    fn read_one(json: &str) -> Result<Report, (Option<DeviceId>, Refusal)> {
        let event: Box<RawValue> = serde_json::from_str(json).expect("JSON");
        read(&event, &[DeviceId::new("cam-in-2").expect("a device")], &mut run(), DateTime::UNIX_EPOCH)
    }

    #[test]
    fn an_event_without_an_id_gets_one_and_the_hosts_boot_id() {
        let report =
            read_one(r#"{"device":"cam-in-2","topic":"event/plate","body":{"plate":"粤C12345","boot_id":"x"}}"#);
        let report = report.expect("a report");
        let Some(What::Plate(read)) = report.what else { panic!("a plate") };
        assert_eq!(read.head.event_id.as_str(), "boot-1-1");
        assert_eq!(read.head.boot_id, BootId::new("boot-1").ok());
        assert_eq!(report.event_id.as_deref(), Some("boot-1-1"));
    }

    #[test]
    fn an_event_with_an_id_keeps_it_and_is_the_same_event_when_sent_again() {
        let json = r#"{"device":"cam-in-2","topic":"event/plate","body":{"event_id":"e-1","plate":"粤C12345"}}"#;
        assert_eq!(read_one(json).expect("a report"), read_one(json).expect("a report"));
        assert_eq!(read_one(json).expect("a report").event_id.as_deref(), Some("e-1"));
    }

    #[test]
    fn states_acks_and_pictures_are_read() {
        let state = read_one(r#"{"device":"cam-in-2","topic":"state/barrier","body":{"position":"up"}}"#);
        assert_eq!(state.expect("a state").what, Some(What::State(ChannelState::Barrier(Position::Up))));
        let ack = read_one(r#"{"device":"cam-in-2","topic":"ack/c-1","body":{"state":"confirmed"}}"#);
        assert!(matches!(ack.expect("an ack").what, Some(What::Ack(ack)) if ack.state == AckState::Confirmed));
        let picture = read_one(r#"{"device":"cam-in-2","topic":"blob/e-1","body":{}}"#).expect("a picture");
        assert_eq!((picture.what, picture.event_id.as_deref()), (None, Some("e-1")));
    }

    #[test]
    fn what_is_outside_the_contract_is_refused_with_its_reason() {
        let cases = [
            (r#"{"topic":"event/plate","body":{}}"#, Refused::BadJson),
            (r"[]", Refused::BadJson),
            (r#"{"device":"cam-in-9","topic":"event/plate","body":{}}"#, Refused::UnknownDevice),
            (r#"{"device":"cam-in-2","topic":"event/party","body":{}}"#, Refused::UnknownTopic),
            (r#"{"device":"cam-in-2","topic":"cmd/open","body":{}}"#, Refused::UnknownTopic),
            (r#"{"device":"cam-in-2","topic":"event/plate","body":[]}"#, Refused::BadJson),
            (r#"{"device":"cam-in-2","topic":"event/plate","body":{"plate":""}}"#, Refused::NoPlate),
            (r#"{"device":"cam-in-2","topic":"blob/a b","body":{}}"#, Refused::BadField),
        ];
        for (json, reason) in cases {
            assert_eq!(read_one(json).expect_err(json).1.0, reason, "{json}");
        }
    }
}
