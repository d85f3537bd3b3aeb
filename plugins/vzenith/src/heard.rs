//! What a camera says: JSON of its HTTP posts and its MQTT messages, read leniently, into what a box wants to know.
//!
//! Any bytes may come; what comes out is bounded, or nothing. It must not know how they came, but for the licence that
//! MQTT carries in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

/// The largest picture that the box takes.
const MAX_PICTURE_BYTES: usize = 2 * 1024 * 1024;
/// No plate is longer, nor is what stands for none.
const MAX_LICENSE_CHARS: usize = 32;
/// A clock that is further ahead tells no time.
const YEAR_2100: i64 = 4_102_444_800;
/// How deep the parts of a message may be wrapped.
const MAX_DEPTH: usize = 4;

/// How the licence is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum License {
    /// As it is: HTTP.
    Plain,
    /// In base64: MQTT.
    Base64,
}

/// Something that a camera said.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// It has read a plate.
    Plate(Box<Plate>),
    /// An input has changed.
    Input {
        /// Which, from 0.
        source: i64,
        /// Its level.
        value: i64,
    },
    /// Where its barrier is, in numbers of its own.
    GateStatus(i64),
    /// It is there.
    Alive,
}

/// A plate as the camera saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plate {
    /// The same for every repetition of the event.
    pub event_id: String,
    /// The camera's own number, to be given back.
    pub number: i64,
    /// As read.
    pub license: String,
    /// The wire format's word.
    pub colour: &'static str,
    /// 0 to 1.
    pub confidence: Option<f64>,
    /// By the camera's clock.
    pub at: Option<DateTime<Utc>>,
    /// Whether it comes late.
    pub freshness: Freshness,
    /// Whether it is a plate at all.
    pub genuineness: Genuineness,
    /// The JPEG, or nothing.
    pub picture: Vec<u8>,
}

/// Whether a plate was read just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Just now.
    Live,
    /// While nobody listened.
    Backlog,
}

/// Whether the camera takes a plate for a picture of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Genuineness {
    /// It does not.
    Plate,
    /// It does.
    Fake,
}

/// Reads a message; `None` when it is no JSON object. `serial` is the camera's number where the message has none.
pub fn read(body: &[u8], license: License, serial: &str) -> Option<Heard> {
    let message: Value = serde_json::from_slice(body).ok()?;
    if !message.is_object() {
        return None;
    }
    if let Some(alarm) = find(&message, "AlarmInfoPlate", MAX_DEPTH) {
        let result = find(alarm, "PlateResult", MAX_DEPTH)?;
        let serial = text(alarm, "serialno").or_else(|| text(&message, "sn")).unwrap_or(serial);
        return Some(Heard::Plate(Box::new(plate(&message, result, license, serial))));
    }
    if let Some(trigger) = find(&message, "TriggerResult", MAX_DEPTH + 1) {
        return Some(Heard::Input { source: number(trigger, "source")?, value: number(trigger, "value")? });
    }
    let status = find(&message, "gate_status", MAX_DEPTH).and_then(Value::as_i64);
    Some(status.map_or(Heard::Alive, Heard::GateStatus))
}

/// The serial number that a message names.
pub(crate) fn serial(body: &[u8]) -> Option<String> {
    let message: Value = serde_json::from_slice(body).ok()?;
    let named = ["serialno", "sn"].iter().find_map(|key| find(&message, key, MAX_DEPTH));
    named.and_then(Value::as_str).map(str::to_owned)
}

/// The first value under that name, however it is wrapped.
fn find<'a>(value: &'a Value, name: &str, depth: usize) -> Option<&'a Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| {
        let deeper = depth.checked_sub(1)?;
        object.values().find_map(|inner| find(inner, name, deeper))
    })
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A number, also one that is written as a text.
fn number(value: &Value, name: &str) -> Option<i64> {
    let value = value.get(name)?;
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn plate(message: &Value, result: &Value, coding: License, serial: &str) -> Plate {
    let plate_id = number(result, "plateid").unwrap_or_default();
    let at = at(result);
    let confidence = number(result, "confidence").filter(|percent| (0..=100).contains(percent));
    let is = |name: &str| number(result, name) == Some(1);
    // Digits of an i64 and of a time, with a serial number cut to what is left of 64 characters.
    let stamp = at.map_or(0, |at| at.timestamp_millis());
    let serial: String = serial.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    Plate {
        event_id: format!("vz-{serial}-{plate_id}-{stamp}"),
        number: plate_id,
        license: license(text(result, "license").unwrap_or_default(), coding),
        colour: colour(number(result, "colorType")),
        confidence: confidence.and_then(|percent| u8::try_from(percent).ok()).map(|percent| f64::from(percent) / 100.0),
        at,
        freshness: if is("isoffline") { Freshness::Backlog } else { Freshness::Live },
        genuineness: if is("is_fake_plate") { Genuineness::Fake } else { Genuineness::Plate },
        picture: picture(message, result),
    }
}

fn license(text: &str, coding: License) -> String {
    let decoded = (coding == License::Base64)
        .then(|| STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()))
        .flatten()
        .filter(|plate| !plate.chars().any(char::is_control));
    let license: String = decoded.unwrap_or_else(|| text.to_owned()).chars().take(MAX_LICENSE_CHARS).collect();
    // What the camera writes for a car without a plate, in the word that the box knows.
    if matches!(license.trim(), "" | "_无_" | "_NONE_") { "无牌车".to_owned() } else { license }
}

fn colour(kind: Option<i64>) -> &'static str {
    match kind {
        Some(1) => "blue",
        Some(2) => "yellow",
        Some(3) => "white",
        Some(4) => "black",
        Some(5) => "green",
        Some(6) => "yellow_green",
        _ => "unknown",
    }
}

fn at(result: &Value) -> Option<DateTime<Utc>> {
    let time = find(result.get("timeStamp")?, "Timeval", 1)?;
    let micros = u32::try_from(number(time, "usec").unwrap_or_default()).ok().filter(|micros| *micros < 1_000_000)?;
    DateTime::from_timestamp(number(time, "sec").filter(|seconds| (1..YEAR_2100).contains(seconds))?, micros * 1000)
}

fn picture(message: &Value, result: &Value) -> Vec<u8> {
    let whole = ["imageFile", "full_image_content"].iter().find_map(|name| find(result, name, 1));
    let whole = whole.or_else(|| find(message, "full_image_content", MAX_DEPTH));
    let Some(coded) = whole.and_then(Value::as_str).filter(|coded| coded.len() / 4 * 3 <= MAX_PICTURE_BYTES) else {
        return Vec::new();
    };
    let without_breaks: String = coded.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    STANDARD.decode(without_breaks).unwrap_or_default()
}

/// A time as the wire format writes it.
pub(crate) fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn post() -> Value {
        json!({"AlarmInfoPlate": {"channel": 0, "deviceName": "IVS", "ipaddr": "192.168.1.9", "serialno": "eff50e18-e3d3862b",
            "result": {"PlateResult": {"license": "粤A12345", "confidence": 95, "colorType": 1, "type": 1, "direction": 0,
            "plateid": 12345, "isoffline": 0, "is_fake_plate": 0,
            "timeStamp": {"Timeval": {"decyear": 2026, "sec": 1_770_000_000, "usec": 250_000}},
            "location": {"RECT": {"left": 1}}, "imageFile": "/9j/2Q==", "imageFragmentFile": ""}}}})
    }

    fn read_plate(message: &Value, coding: License) -> Plate {
        match read(message.to_string().as_bytes(), coding, "s") {
            Some(Heard::Plate(plate)) => *plate,
            other => panic!("no plate: {other:?}"),
        }
    }

    #[test]
    fn a_post_is_read_in_full() {
        let plate = read_plate(&post(), License::Plain);
        assert_eq!((plate.license.as_str(), plate.colour, plate.confidence), ("粤A12345", "blue", Some(0.95)));
        assert_eq!(plate.event_id, "vz-eff50e18e3d3862b-12345-1770000000250");
        assert_eq!(plate.at.map(rfc3339).as_deref(), Some("2026-02-02T02:40:00.250Z"));
        assert_eq!((plate.freshness, plate.genuineness), (Freshness::Live, Genuineness::Plate));
        assert_eq!(plate.picture, [0xFF, 0xD8, 0xFF, 0xD9]);
    }

    #[test]
    fn over_mqtt_it_is_wrapped_and_the_licence_is_base64() {
        let mut inner = post();
        inner["AlarmInfoPlate"]["result"]["PlateResult"]["license"] = json!(STANDARD.encode("粤AD12345"));
        for wrapped in [
            json!({"id": "1", "sn": "x", "name": "ivs_result", "payload": inner}),
            json!({"id": "1", "sn": "x", "name": "ivs_result", "payload": {"type": "ivs_result", "body": inner}}),
        ] {
            assert_eq!(read_plate(&wrapped, License::Base64).license, "粤AD12345");
        }
        assert_eq!(read_plate(&post(), License::Base64).license, "粤A12345", "firmware that does not code it");
    }

    #[test]
    fn backlog_fakes_and_cars_without_a_plate_are_told_apart() {
        let mut message = post();
        let result = &mut message["AlarmInfoPlate"]["result"]["PlateResult"];
        result["isoffline"] = json!(1);
        result["is_fake_plate"] = json!("1");
        result["license"] = json!("_无_");
        let plate = read_plate(&message, License::Plain);
        assert_eq!((plate.freshness, plate.genuineness), (Freshness::Backlog, Genuineness::Fake));
        assert_eq!(plate.license, "无牌车");
    }

    #[test]
    fn inputs_and_the_gate_are_read_however_they_are_wrapped() {
        let trigger = json!({"TriggerResult": {"source": 3, "value": 1}});
        for message in [
            json!({"AlarmGioIn": {"deviceName": "IVS", "result": trigger}}),
            json!({"name": "gpio_in", "payload": {"AlarmGioIn": trigger}}),
        ] {
            let heard = read(message.to_string().as_bytes(), License::Plain, "s");
            assert_eq!(heard, Some(Heard::Input { source: 3, value: 1 }), "{message}");
        }
        let gate = json!({"name": "barr_gate_status", "payload": {"body": {"gate_status": 2, "enable": 1}}});
        assert_eq!(read(gate.to_string().as_bytes(), License::Base64, "s"), Some(Heard::GateStatus(2)));
        assert_eq!(read(b"{\"heartbeat\":{}}", License::Plain, "s"), Some(Heard::Alive));
        assert_eq!(read(b"device_name=IVS", License::Plain, "s"), None);
    }

    #[test]
    fn an_oversized_picture_is_left_out_and_the_plate_is_not() {
        let mut message = post();
        message["AlarmInfoPlate"]["result"]["PlateResult"]["imageFile"] = json!("A".repeat(3_000_000));
        let plate = read_plate(&message, License::Plain);
        assert_eq!((plate.license.as_str(), plate.picture.len()), ("粤A12345", 0));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            read(&bytes, License::Plain, "s");
        }

        #[test]
        fn any_values_in_the_right_places_make_a_plate_with_an_id(
            plate_id: i64, seconds: i64, micros: i64, confidence: i64, license in ".{0,60}", serial in ".{0,80}",
        ) {
            let mut message = post();
            message["AlarmInfoPlate"]["serialno"] = json!(serial);
            let result = &mut message["AlarmInfoPlate"]["result"]["PlateResult"];
            (result["plateid"], result["confidence"], result["license"]) = (json!(plate_id), json!(confidence), json!(license));
            result["timeStamp"]["Timeval"] = json!({"sec": seconds, "usec": micros});
            let plate = read_plate(&message, License::Plain);
            prop_assert!(plate.event_id.len() <= 64, "{}", plate.event_id);
            prop_assert!(plate.event_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        }
    }
}
