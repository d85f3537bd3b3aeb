//! What an `EventNotificationAlert` says: a plate, or that the camera is alive.
//!
//! It must not know how it came.

use chrono::{DateTime, FixedOffset, NaiveDateTime, SecondsFormat};
use sha2::{Digest, Sha256};

use crate::digest::hexadecimal;
use crate::xml::Texts;

/// No plate is longer.
const MAX_PLATE_CHARS: usize = 32;

/// Something that a camera said.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// It has read a plate.
    Plate(Box<Plate>),
    /// Anything else: its heartbeat is a `videoloss` that is `inactive`.
    Alive,
}

/// A plate as the camera saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plate {
    /// The same for every repetition of the event.
    pub event_id: String,
    /// As read, without the colour before it.
    pub license: String,
    /// The wire format's word.
    pub colour: &'static str,
    /// 0 to 1.
    pub confidence: Option<f64>,
    /// `approach` or `depart`.
    pub direction: &'static str,
    /// By the camera's clock, as the wire format has it.
    pub at: Option<String>,
}

/// Reads an alert; `None` when it is none.
pub fn read(xml: &[u8]) -> Option<Heard> {
    let texts = Texts::read(xml)?;
    if !texts.get("eventtype")?.eq_ignore_ascii_case("ANPR") {
        return Some(Heard::Alive);
    }
    // Some firmware gives only what it read before it was corrected.
    let license = texts.get("licenseplate").or_else(|| texts.get("originallicenseplate"))?;
    let (before, license) = without_colour(license);
    let named = colour(texts.get("platecolor").unwrap_or_default());
    let percent =
        texts.get("confidencelevel").and_then(|text| text.parse::<u8>().ok()).filter(|percent| *percent <= 100);
    let at = texts.get("datetime").and_then(at);
    Some(Heard::Plate(Box::new(Plate {
        event_id: event_id(&texts, &license),
        colour: named.or(before).unwrap_or("unknown"),
        confidence: percent.map(|percent| f64::from(percent) / 100.0),
        direction: if texts.get("direction") == Some("reverse") { "depart" } else { "approach" },
        at: at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        license,
    })))
}

/// The camera's own id, or one made of what tells two events apart.
fn event_id(texts: &Texts, license: &str) -> String {
    let own: String =
        texts.get("uuid").unwrap_or_default().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    if (8..=56).contains(&own.len()) {
        return format!("hik-{own}");
    }
    let parts = ["macaddress", "channelid", "datetime"].map(|name| texts.get(name).unwrap_or_default());
    let digest = Sha256::digest(format!("{}/{license}", parts.join("/")));
    format!("hik-{}", hexadecimal(&digest[..16]))
}

/// Splits the colour off that some firmware writes before the plate: 蓝苏A8HK52.
fn without_colour(text: &str) -> (Option<&'static str>, String) {
    let mut characters = text.trim().chars();
    let before = match characters.next() {
        Some('蓝') => Some("blue"),
        Some('黄') => Some("yellow"),
        Some('绿') => Some("green"),
        Some('白') => Some("white"),
        Some('黑') => Some("black"),
        _ => None,
    };
    let rest = if before.is_some() { characters.as_str() } else { text.trim() };
    let license: String = rest.chars().take(MAX_PLATE_CHARS).collect();
    // What the camera writes for a car without a plate, in the word that the box knows.
    let none = license.is_empty() || matches!(license.to_ascii_lowercase().as_str(), "unknown" | "noplate");
    (before, if none { "无牌车".to_owned() } else { license })
}

fn colour(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "blue" => "blue",
        "yellow" => "yellow",
        "white" => "white",
        "black" => "black",
        "green" | "newenergygreen" => "green",
        "newenergyyellowgreen" | "yellowgreen" => "yellow_green",
        _ => return None,
    })
}

/// Local time with its offset; without one it tells nothing.
fn at(text: &str) -> Option<DateTime<FixedOffset>> {
    let known = DateTime::parse_from_rfc3339(text);
    let known = known.or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    let sane = NaiveDateTime::default();
    known.ok().filter(|at| at.naive_utc() > sane && at.timestamp() < 4_102_444_800)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alert(fields: &str) -> Vec<u8> {
        format!(
            "<EventNotificationAlert version=\"2.0\" xmlns=\"http://www.isapi.org/ver20/XMLSchema\"><macAddress>44:19</macAddress>\
             <channelID>1</channelID><dateTime>2026-03-01T10:00:00+08:00</dateTime><eventType>ANPR</eventType>\
             <eventState>active</eventState><ANPR><country>8</country>{fields}<line>1</line><confidenceLevel>97</confidenceLevel>\
             </ANPR></EventNotificationAlert>"
        )
        .into_bytes()
    }

    fn plate(fields: &str) -> Plate {
        match read(&alert(fields)) {
            Some(Heard::Plate(plate)) => *plate,
            other => panic!("no plate: {other:?}"),
        }
    }

    #[test]
    fn an_alert_is_read_in_full() {
        let fields = "<licensePlate>苏A8HK52</licensePlate><direction>reverse</direction><plateColor>blue</plateColor>";
        let plate = plate(fields);
        assert_eq!((plate.license.as_str(), plate.colour, plate.direction), ("苏A8HK52", "blue", "depart"));
        assert_eq!(plate.confidence, Some(0.97));
        assert_eq!(plate.at.as_deref(), Some("2026-03-01T10:00:00.000+08:00"));
    }

    #[test]
    fn a_colour_before_the_plate_is_split_off_and_counts_where_no_other_is_named() {
        let cases = [
            ("<licensePlate>蓝苏A8HK52</licensePlate>", "苏A8HK52", "blue"),
            ("<licensePlate>绿粤AD12345</licensePlate><plateColor>newEnergyGreen</plateColor>", "粤AD12345", "green"),
            ("<LicensePlate>黄粤B12345</LicensePlate><plateColor>unknown</plateColor>", "粤B12345", "yellow"),
            ("<originalLicensePlate>京A12345</originalLicensePlate>", "京A12345", "unknown"),
            ("<licensePlate>unknown</licensePlate>", "无牌车", "unknown"),
        ];
        for (fields, license, colour) in cases {
            let plate = plate(fields);
            assert_eq!((plate.license.as_str(), plate.colour), (license, colour), "{fields}");
        }
    }

    #[test]
    fn the_same_event_has_the_same_id_and_another_has_not() {
        let first = plate("<licensePlate>苏A8HK52</licensePlate>");
        assert_eq!(first, plate("<licensePlate>苏A8HK52</licensePlate>"));
        assert_ne!(first.event_id, plate("<licensePlate>苏A8HK53</licensePlate>").event_id);
        let own = plate("<licensePlate>苏A8HK52</licensePlate><UUID>8aa6d2a0-1dd2-11b2-b1a5</UUID>");
        assert_eq!(own.event_id, "hik-8aa6d2a0-1dd2-11b2-b1a5");
    }

    #[test]
    fn a_heartbeat_is_a_videoloss_and_what_is_no_alert_is_nothing() {
        let heartbeat = b"<EventNotificationAlert><eventType>videoloss</eventType><eventState>inactive</eventState></EventNotificationAlert>";
        assert_eq!(read(heartbeat), Some(Heard::Alive));
        for nothing in [b"<a/>".as_slice(), b"", b"\xff\xd8\xff", b"<a><eventType>ANPR</eventType></a>"] {
            assert_eq!(read(nothing), None);
        }
    }

    proptest! {
        #[test]
        fn any_texts_make_a_plate_with_an_id_or_nothing(license in "[^<&]{1,60}", uuid in "[^<&]{0,90}", time in "[^<&]{0,40}") {
            let xml = format!("<e><eventType>anpr</eventType><dateTime>{time}</dateTime><licensePlate>{license}</licensePlate><UUID>{uuid}</UUID></e>");
            if let Some(Heard::Plate(plate)) = read(xml.as_bytes()) {
                prop_assert!((1..=64).contains(&plate.event_id.len()), "{}", plate.event_id);
                prop_assert!(plate.event_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
            }
        }
    }
}
