//! What the driver says of itself, and what it is told.

use serde::Deserialize;
use tollhouse_field::Endpoint;
use tollhouse_field::board::LedStyle;

/// The descriptor (see the C header).
pub(crate) const DESCRIPTOR: &str = include_str!("../descriptor.json");

/// One board.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) display: String,
    pub(crate) line: Endpoint,
    #[serde(default)]
    pub(crate) address: u8,
    #[serde(default = "seconds")]
    seconds: u8,
    #[serde(default)]
    colour: Colour,
    #[serde(default = "answer_ms")]
    pub(crate) answer_ms: u16,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Colour {
    #[default]
    Red,
    Green,
    Yellow,
}

impl Config {
    /// How lines are shown.
    pub(crate) fn style(&self) -> LedStyle {
        let colour = match self.colour {
            Colour::Red => [255, 0, 0],
            Colour::Green => [0, 255, 0],
            Colour::Yellow => [255, 255, 0],
        };
        LedStyle { seconds: self.seconds, colour }
    }
}

fn seconds() -> u8 {
    15
}

fn answer_ms() -> u16 {
    300
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_descriptor_is_json_and_its_defaults_are_those_of_the_code() {
        let descriptor: Value = serde_json::from_str(DESCRIPTOR).expect("JSON");
        let least = json!({"display": "d", "line": {"kind": "tcp", "address": "192.168.1.60:8899"}});
        let config: Config = serde_json::from_value(least).expect("a configuration");
        let default = |key: &str| descriptor["config"]["properties"][key]["default"].clone();
        assert_eq!(default("address"), json!(config.address));
        assert_eq!(default("seconds"), json!(config.seconds));
        assert_eq!(default("answer_ms"), json!(config.answer_ms));
        assert_eq!(serde_json::from_value::<Colour>(default("colour")).expect("a colour"), config.colour);
    }
}
