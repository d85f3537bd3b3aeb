//! Single fields: names, times, texts, each with its limit.

use chrono::{DateTime, Utc};
use tollhouse_core::id::{BootId, EventId};

use super::Refusal;
use crate::link::Refused;

/// The longest text that a device may give as a reason; the rest is cut.
pub const MAX_REASON_CHARS: usize = 200;

/// A text for people or logs, cut to [`MAX_REASON_CHARS`].
pub(super) fn cut(text: &str) -> String {
    text.chars().take(MAX_REASON_CHARS).collect()
}

pub(super) fn bad(field: &str, why: impl std::fmt::Display) -> Refusal {
    (Refused::BadField, format!("{field}: {why}"))
}

pub(super) fn event_id(text: String) -> Result<EventId, Refusal> {
    EventId::new(text).map_err(|error| bad("event_id", error))
}

pub(super) fn boot_id(text: Option<String>) -> Result<Option<BootId>, Refusal> {
    text.map(BootId::new).transpose().map_err(|error| bad("boot_id", error))
}

/// A time as RFC 3339 writes it, with offset.
pub(super) fn time(field: &str, text: Option<&str>) -> Result<Option<DateTime<Utc>>, Refusal> {
    text.map(|text| DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)))
        .transpose()
        .map_err(|error| bad(field, format_args!("not a time of RFC 3339: {error}")))
}
