//! What the driver says of itself, and what it is told.

use std::net::{IpAddr, SocketAddr};

use chrono::FixedOffset;
use serde::Deserialize;

/// The descriptor (see the C header).
pub(crate) const DESCRIPTOR: &str = include_str!("../descriptor.json");

/// One camera and what hangs on it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) camera: String,
    #[serde(default)]
    pub(crate) barrier: Option<String>,
    #[serde(default)]
    pub(crate) display: Option<String>,
    #[serde(default)]
    pub(crate) serial: Option<String>,
    pub(crate) link: Link,
    #[serde(default)]
    pub(crate) open: Open,
    #[serde(default)]
    pub(crate) close: Option<Io>,
    #[serde(default)]
    pub(crate) inputs: Vec<Input>,
    #[serde(default)]
    pub(crate) gate_status: Option<GateStatus>,
    #[serde(default)]
    pub(crate) board: Board,
    #[serde(default = "travel_ms")]
    pub(crate) travel_ms: u32,
    #[serde(default = "silent_after_ms")]
    pub(crate) silent_after_ms: u32,
    #[serde(default = "utc_offset_minutes")]
    pub(crate) utc_offset_minutes: i16,
}

/// How the camera talks.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Link {
    Http {
        listen: SocketAddr,
        #[serde(default)]
        from: Option<IpAddr>,
        #[serde(default = "answer_within_ms")]
        answer_within_ms: u16,
        #[serde(default = "comet_hold_ms")]
        comet_hold_ms: u16,
    },
    Mqtt {
        broker: SocketAddr,
        #[serde(default)]
        user: String,
        #[serde(default)]
        password: String,
        #[serde(default)]
        topics: TopicOrder,
    },
}

/// Which of the two comes first in a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TopicOrder {
    #[default]
    DeviceFirst,
    SerialFirst,
}

/// The one way to open that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Open {
    Info,
    Io {
        #[serde(default)]
        io: u8,
        #[serde(default = "pulse_ms")]
        pulse_ms: u16,
    },
}

impl Default for Open {
    fn default() -> Self {
        Self::Io { io: 0, pulse_ms: pulse_ms() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Io {
    #[serde(default = "closing_io")]
    pub(crate) io: u8,
    #[serde(default = "pulse_ms")]
    pub(crate) pulse_ms: u16,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    pub(crate) source: u8,
    pub(crate) means: Means,
    #[serde(default = "one")]
    pub(crate) active: i64,
}

/// What an input says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Means {
    Up,
    Down,
    Loop,
    Passage,
    Button,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GateStatus {
    pub(crate) up: i64,
    pub(crate) down: i64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Board {
    #[serde(default)]
    pub(crate) channel: u8,
    #[serde(default)]
    pub(crate) address: u8,
    #[serde(default = "seconds")]
    pub(crate) seconds: u8,
}

impl Default for Board {
    fn default() -> Self {
        Self { channel: 0, address: 0, seconds: seconds() }
    }
}

impl Config {
    /// What of it makes no sense, in words for who set it up.
    pub(crate) fn fault(&self) -> Option<String> {
        let Link::Mqtt { .. } = self.link else { return None };
        if self.serial.as_deref().is_none_or(str::is_empty) {
            return Some("over MQTT the camera's serial number is needed: it stands in the topics".to_owned());
        }
        (self.open == Open::Info).then(|| "over MQTT an output opens, not the word ok: set open to io".to_owned())
    }

    /// The camera's own time, in which its list is written.
    pub(crate) fn zone(&self) -> FixedOffset {
        let offset = FixedOffset::east_opt(i32::from(self.utc_offset_minutes) * 60);
        offset.unwrap_or_else(|| FixedOffset::east_opt(0).expect("UTC is an offset"))
    }

    /// Every device that this camera stands behind.
    pub(crate) fn devices(&self) -> Vec<String> {
        let others = [&self.barrier, &self.display].into_iter().flatten();
        std::iter::once(&self.camera).chain(others).cloned().collect()
    }

    /// Whether a signal proves where the arm is.
    pub(crate) fn sees(&self, what: Means) -> bool {
        self.gate_status.is_some() || self.inputs.iter().any(|input| input.means == what)
    }
}

fn answer_within_ms() -> u16 {
    1_500
}

fn comet_hold_ms() -> u16 {
    2_000
}

fn pulse_ms() -> u16 {
    500
}

fn closing_io() -> u8 {
    1
}

fn one() -> i64 {
    1
}

fn seconds() -> u8 {
    15
}

fn travel_ms() -> u32 {
    8_000
}

/// A camera says something every 30 s when it is not asked to say more.
fn silent_after_ms() -> u32 {
    70_000
}

/// The trade's cameras keep Chinese time.
fn utc_offset_minutes() -> i16 {
    480
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_descriptor_is_json_and_its_defaults_are_those_of_the_code() {
        let descriptor: Value = serde_json::from_str(DESCRIPTOR).expect("JSON");
        let properties = &descriptor["config"]["properties"];
        let link = json!({"kind": "http", "listen": "127.0.0.1:0"});
        let config: Config = serde_json::from_value(json!({"camera": "c", "link": link})).expect("a configuration");
        let default = |key: &str| properties[key]["default"].clone();
        assert_eq!(default("travel_ms"), json!(config.travel_ms));
        assert_eq!(default("silent_after_ms"), json!(config.silent_after_ms));
        assert_eq!(default("utc_offset_minutes"), json!(config.utc_offset_minutes));
        assert_eq!(serde_json::from_value::<Open>(default("open")).expect("a way to open"), config.open);
        assert_eq!(properties["board"]["properties"]["seconds"]["default"], json!(config.board.seconds));
        let Link::Http { answer_within_ms, comet_hold_ms, .. } = config.link else { panic!("HTTP") };
        let http = &properties["link"]["oneOf"][0]["properties"];
        assert_eq!(http["answer_within_ms"]["default"], json!(answer_within_ms));
        assert_eq!(http["comet_hold_ms"]["default"], json!(comet_hold_ms));
    }

    #[test]
    fn over_mqtt_a_serial_number_and_an_output_are_needed() {
        let mut value = json!({"camera": "c", "link": {"kind": "mqtt", "broker": "127.0.0.1:1883"}});
        let fault = |value: &Value| serde_json::from_value::<Config>(value.clone()).expect("a configuration").fault();
        assert!(fault(&value).is_some_and(|words| words.contains("serial number")));
        value["serial"] = json!("s-1");
        assert_eq!(fault(&value), None);
        value["open"] = json!({"by": "info"});
        assert!(fault(&value).is_some_and(|words| words.contains("io")));
    }
}
