//! Bodies that tell about the device itself: meta, availability, state, and its answers to commands.

use serde::Deserialize;
use tollhouse_core::id::{BootId, EventId};

use super::{Refusal, field, json};
use crate::event::{AckState, Availability, ChannelState, CommandAck, Occupancy, Position, Presence};
use crate::link::Refused;

/// Longest texts and lists of `meta`; the rest is cut.
const MAX_META_CHARS: usize = 128;
const MAX_META_WORDS: usize = 64;

/// What a device says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// camera, barrier, display, voice, loop, reader, light: one device may be several.
    pub kinds: Vec<String>,
    /// Who made it.
    pub vendor: Option<String>,
    /// What it is.
    pub model: Option<String>,
    /// The version of its firmware.
    pub firmware: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// The run of the device that wrote this.
    pub boot_id: Option<BootId>,
    /// Commands that it understands.
    pub commands: Vec<String>,
    /// Events that it sends.
    pub events: Vec<String>,
}

/// Reads the body of `meta`.
pub fn parse_meta(body: &[u8]) -> Result<Meta, Refusal> {
    #[derive(Deserialize)]
    struct Body {
        kinds: Vec<String>,
        vendor: Option<String>,
        model: Option<String>,
        firmware: Option<String>,
        serial: Option<String>,
        boot_id: Option<String>,
        commands: Option<Vec<String>>,
        events: Option<Vec<String>>,
    }
    let raw: Body = json(body)?;
    let text = |text: Option<String>| text.map(|text| short(&text));
    let words = |words: Vec<String>| words.iter().take(MAX_META_WORDS).map(|word| short(word)).collect();
    Ok(Meta {
        kinds: words(raw.kinds),
        vendor: text(raw.vendor),
        model: text(raw.model),
        firmware: text(raw.firmware),
        serial: text(raw.serial),
        boot_id: field::boot_id(raw.boot_id)?,
        commands: words(raw.commands.unwrap_or_default()),
        events: words(raw.events.unwrap_or_default()),
    })
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_META_CHARS).collect()
}

/// Reads the body of `availability`.
pub fn parse_availability(body: &[u8]) -> Result<Availability, Refusal> {
    #[derive(Deserialize)]
    struct Body {
        state: String,
        boot_id: Option<String>,
    }
    let raw: Body = json(body)?;
    let presence = match raw.state.as_str() {
        "online" => Presence::Online,
        "offline" => Presence::Offline,
        other => return Err(unknown_state(other)),
    };
    Ok(Availability { presence, boot_id: field::boot_id(raw.boot_id)? })
}

/// Reads the body of `state/{channel}`: its fields tell whether it is a barrier or a loop.
pub fn parse_state(body: &[u8]) -> Result<ChannelState, Refusal> {
    #[derive(Deserialize)]
    struct Body {
        position: Option<Position>,
        occupied: Option<bool>,
    }
    let raw: Body = json(body)?;
    match (raw.position, raw.occupied) {
        (Some(position), None) => Ok(ChannelState::Barrier(position)),
        (None, Some(true)) => Ok(ChannelState::Loop(Occupancy::Occupied)),
        (None, Some(false)) => Ok(ChannelState::Loop(Occupancy::Clear)),
        _ => Err((Refused::BadJson, "a state has either a position or occupied".to_owned())),
    }
}

/// Reads the body of `ack/{cmd_id}`. A reason that is too long is cut.
pub fn parse_ack(cmd_id: &str, body: &[u8]) -> Result<CommandAck, Refusal> {
    #[derive(Deserialize)]
    struct Body {
        state: String,
        reason: Option<String>,
    }
    // Command ids and event ids have the same form.
    EventId::new(cmd_id).map_err(|error| field::bad("cmd_id", error))?;
    let raw: Body = json(body)?;
    let state = match raw.state.as_str() {
        "accepted" => AckState::Accepted,
        "confirmed" => AckState::Confirmed,
        "rejected" => AckState::Rejected,
        "failed" => AckState::Failed,
        other => return Err(unknown_state(other)),
    };
    Ok(CommandAck { cmd_id: cmd_id.to_owned(), state, reason: raw.reason.map(|reason| field::cut(&reason)) })
}

fn unknown_state(word: &str) -> Refusal {
    field::bad("state", format_args!("{:?} is none", field::cut(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::MAX_REASON_CHARS;

    #[test]
    fn a_state_tells_barrier_from_loop_by_its_fields() {
        let cases = [
            (r#"{"position":"up","at":"x"}"#, ChannelState::Barrier(Position::Up)),
            (r#"{"position":"sideways"}"#, ChannelState::Barrier(Position::Unknown)),
            (r#"{"occupied":true}"#, ChannelState::Loop(Occupancy::Occupied)),
            (r#"{"occupied":false}"#, ChannelState::Loop(Occupancy::Clear)),
        ];
        for (body, state) in cases {
            assert_eq!(parse_state(body.as_bytes()).expect(body), state);
        }
        for body in ["{}", r#"{"occupied":1}"#, r#"{"position":"up","occupied":true}"#] {
            assert_eq!(parse_state(body.as_bytes()).expect_err(body).0, Refused::BadJson, "{body}");
        }
    }

    #[test]
    fn an_availability_is_online_or_offline_and_nothing_else() {
        let online = parse_availability(br#"{"state":"online","boot_id":"b"}"#).expect("an availability");
        assert_eq!((online.presence, online.boot_id), (Presence::Online, BootId::new("b").ok()));
        assert_eq!(parse_availability(br#"{"state":"asleep"}"#).expect_err("refused").0, Refused::BadField);
    }

    #[test]
    fn an_ack_has_an_id_a_state_and_a_short_reason() {
        let body = format!(r#"{{"state":"failed","reason":"{}"}}"#, "杆".repeat(500));
        let ack = parse_ack("cmd-1", body.as_bytes()).expect("an ack");
        assert_eq!(ack.state, AckState::Failed);
        assert_eq!(ack.reason.map(|reason| reason.chars().count()), Some(MAX_REASON_CHARS));
        assert!(parse_ack("a b", br#"{"state":"accepted"}"#).is_err(), "an id with a blank");
        assert!(parse_ack("c", br#"{"state":"outcome_unknown"}"#).is_err(), "only the box says so");
    }

    #[test]
    fn a_meta_is_cut_to_what_a_page_can_show() {
        let body = format!(r#"{{"kinds":["camera"],"vendor":"{}","commands":[]}}"#, "v".repeat(9000));
        let meta = parse_meta(body.as_bytes()).expect("a meta");
        assert_eq!(meta.vendor.map(|vendor| vendor.len()), Some(MAX_META_CHARS));
        assert_eq!(meta.kinds, ["camera"]);
    }
}
