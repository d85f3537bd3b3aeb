//! Owns reading JSON and single fields within limits. It must not know a provider.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use tollhouse_core::money::{Currency, Money};

use crate::limits::AMOUNT_MINOR;
use crate::malformed::Malformed;

/// JSON of at most `limit` bytes. serde_json bounds the depth itself.
pub(crate) fn json<T: DeserializeOwned>(what: &'static str, bytes: &[u8], limit: usize) -> Result<T, Malformed> {
    length(what, bytes, limit)?;
    serde_json::from_slice(bytes).map_err(|fault| Malformed::shape(what, &fault))
}

/// That these bytes are not too many.
pub(crate) fn length(what: &'static str, bytes: &[u8], limit: usize) -> Result<(), Malformed> {
    if bytes.len() > limit { Err(Malformed::TooLong { what, bytes: bytes.len(), limit }) } else { Ok(()) }
}

/// A field that has to be there and to be short.
pub(crate) fn required(field: &'static str, value: Option<String>) -> Result<String, Malformed> {
    short(field, value)?.ok_or(Malformed::Missing(field))
}

/// A field that may be absent or empty; at most 512 bytes.
pub(crate) fn short(field: &'static str, value: Option<String>) -> Result<Option<String>, Malformed> {
    match value {
        Some(text) if text.len() > 512 => Err(Malformed::TooLong { what: field, bytes: text.len(), limit: 512 }),
        Some(text) if text.is_empty() => Ok(None),
        other => Ok(other),
    }
}

/// Minor units that are no debt and no fantasy.
pub(crate) fn minor(field: &'static str, minor: i64, currency: Currency) -> Result<Money, Malformed> {
    if (0..=AMOUNT_MINOR).contains(&minor) {
        Ok(Money::new(minor, currency))
    } else {
        Err(Malformed::field(field, format!("{minor} is not between 0 and {AMOUNT_MINOR}")))
    }
}

/// Yuan as a string, exact to the fen, not negative.
pub(crate) fn yuan(field: &'static str, text: &str) -> Result<Money, Malformed> {
    let money = Money::parse(text, Currency::Cny).map_err(|fault| Malformed::field(field, fault.to_string()))?;
    minor(field, money.minor(), Currency::Cny)
}

/// A currency's code; absent means CNY in both providers' documents.
pub(crate) fn currency(field: &'static str, code: Option<&str>) -> Result<Currency, Malformed> {
    match code {
        None | Some("") => Ok(Currency::Cny),
        Some(code) => code.parse().map_err(|_| Malformed::field(field, "an unknown currency")),
    }
}

/// A time with its offset.
pub(crate) fn time(field: &'static str, text: Option<&str>) -> Result<Option<DateTime<Utc>>, Malformed> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(Some(time.with_timezone(&Utc))),
            Err(_) => Err(Malformed::field(field, "not a time like 2018-06-08T10:34:56+08:00")),
        },
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
