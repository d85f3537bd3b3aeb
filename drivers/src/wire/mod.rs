//! The wire format of devices: JSON bodies of contracts.md, 'MQTT between box and devices', turned into [`What`].
//!
//! Owns the limits of that format. It knows neither topics nor plugins: the MQTT link and the plugin host both call it,
//! and both count what it refuses. Any bytes may come in; what comes out is typed, bounded, or a [`Refusal`].

mod device;
mod event;
mod field;

use chrono::{DateTime, Utc};
use serde::Deserialize;

pub use device::{Meta, parse_ack, parse_availability, parse_meta, parse_state};
pub use event::{EventKind, Heard, MAX_AGE_DAYS, MAX_CANDIDATES, parse_event_heard};
pub use field::MAX_REASON_CHARS;

use crate::event::What;
use crate::link::Refused;

/// The longest JSON body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// The longest picture, in bytes.
pub const MAX_PICTURE_BYTES: usize = 2 * 1024 * 1024;

/// Why a body was refused: the reason that is counted, and a sentence for the log.
pub type Refusal = (Refused, String);

/// Reads the body of `event/{kind}`.
pub fn parse_event(kind: EventKind, body: &[u8], received_at: DateTime<Utc>) -> Result<What, Refusal> {
    parse_event_heard(kind, body, received_at).map(|heard| heard.what)
}

/// Reads an event that names its own kind: a driver's `emit(event_json)`, which has the fields of the MQTT body and
/// `"event":"plate|passed|button|code|alarm"` beside them.
pub fn parse_emitted(body: &[u8], received_at: DateTime<Utc>) -> Result<Heard, Refusal> {
    #[derive(Deserialize)]
    struct Named {
        event: String,
    }
    let named: Named = json(body)?;
    let Some(kind) = EventKind::from_word(&named.event) else {
        return Err((Refused::BadField, format!("no event is called {:?}", field::cut(&named.event))));
    };
    parse_event_heard(kind, body, received_at)
}

/// Bytes to text to a value, within the limit of a body.
fn json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    if body.len() > MAX_BODY_BYTES {
        return Err((Refused::TooLarge, format!("{} bytes, at most {MAX_BODY_BYTES} allowed", body.len())));
    }
    let text = std::str::from_utf8(body).map_err(|error| (Refused::BadUtf8, error.to_string()))?;
    serde_json::from_str(text).map_err(|error| (Refused::BadJson, field::cut(&error.to_string())))
}
