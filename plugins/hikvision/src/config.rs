//! What the driver says of itself, and what it is told.

use std::net::{IpAddr, SocketAddr};

use chrono::FixedOffset;
use serde::Deserialize;

/// The descriptor (see the C header).
pub(crate) const DESCRIPTOR: &str = include_str!("../descriptor.json");

/// One camera.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) camera: String,
    #[serde(default)]
    pub(crate) barrier: Option<String>,
    pub(crate) address: SocketAddr,
    pub(crate) user: String,
    pub(crate) password: String,
    #[serde(default = "channel")]
    pub(crate) channel: u8,
    pub(crate) events: Events,
    #[serde(default = "answer_ms")]
    pub(crate) answer_ms: u16,
    #[serde(default = "status_every_ms")]
    pub(crate) status_every_ms: u32,
    #[serde(default = "travel_ms")]
    pub(crate) travel_ms: u32,
    /// Well below the age at which a lane takes a plate for backlog: what a dead connection held back opens nothing.
    #[serde(default = "silent_after_ms")]
    pub(crate) silent_after_ms: u32,
    #[serde(default = "voice_element")]
    pub(crate) voice_element: String,
    #[serde(default = "utc_offset_minutes")]
    pub(crate) utc_offset_minutes: i16,
}

/// How plates come.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Events {
    Pull {},
    Push {
        listen: SocketAddr,
        #[serde(default)]
        from: Option<IpAddr>,
    },
}

impl Config {
    /// The camera's own time, in whose days its list is written.
    pub(crate) fn zone(&self) -> FixedOffset {
        let offset = FixedOffset::east_opt(i32::from(self.utc_offset_minutes) * 60);
        offset.unwrap_or_else(|| FixedOffset::east_opt(0).expect("UTC is an offset"))
    }

    /// Every device that this camera stands behind.
    pub(crate) fn devices(&self) -> Vec<String> {
        std::iter::once(&self.camera).chain(&self.barrier).cloned().collect()
    }
}

/// The trade's cameras keep Chinese time.
fn utc_offset_minutes() -> i16 {
    480
}

fn channel() -> u8 {
    1
}

fn answer_ms() -> u16 {
    1_000
}

fn status_every_ms() -> u32 {
    2_000
}

fn travel_ms() -> u32 {
    8_000
}

fn silent_after_ms() -> u32 {
    30_000
}

fn voice_element() -> String {
    "voiceContent".to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_descriptor_is_json_and_its_defaults_are_those_of_the_code() {
        let descriptor: Value = serde_json::from_str(DESCRIPTOR).expect("JSON");
        let least = json!({"camera": "c", "address": "192.168.1.64:80", "user": "u", "password": "p", "events": {"kind": "pull"}});
        let config: Config = serde_json::from_value(least).expect("a configuration");
        let default = |key: &str| descriptor["config"]["properties"][key]["default"].clone();
        assert_eq!(default("channel"), json!(config.channel));
        assert_eq!(default("answer_ms"), json!(config.answer_ms));
        assert_eq!(default("status_every_ms"), json!(config.status_every_ms));
        assert_eq!(default("travel_ms"), json!(config.travel_ms));
        assert_eq!(default("silent_after_ms"), json!(config.silent_after_ms));
        assert_eq!(default("voice_element"), json!(config.voice_element));
    }
}
