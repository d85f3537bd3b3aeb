//! What the simulated driver says of itself, and what it is told.

use serde::Deserialize;

/// The descriptor (see the C header).
pub(crate) const DESCRIPTOR: &str = r#"{
  "id": "tollhouse.sim",
  "version": "0.1.0",
  "kinds": ["camera", "barrier", "display", "voice", "loop"],
  "commands": ["open", "close", "hold", "release", "display", "speak", "snapshot", "x-arrive", "x-leave"],
  "events": ["event/plate", "event/passed", "state/barrier", "state/loop"],
  "config": {
    "type": "object",
    "required": ["devices"],
    "properties": {
      "devices": {
        "type": "object",
        "required": ["camera", "barrier"],
        "properties": {
          "camera": {"type": "string", "title": "Camera", "format": "tollhouse-device"},
          "barrier": {"type": "string", "title": "Barrier, with the loop under it", "format": "tollhouse-device"},
          "display": {"type": "string", "title": "Display with voice", "format": "tollhouse-device"}
        }
      },
      "travel_ms": {"type": "integer", "minimum": 0, "maximum": 60000, "default": 600},
      "drive_ms": {"type": "integer", "minimum": 0, "maximum": 60000, "default": 800},
      "stay_up_ms": {"type": "integer", "minimum": 0, "maximum": 600000, "default": 8000}
    }
  }
}"#;

/// The configuration of one lane.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) devices: Devices,
    #[serde(default = "travel_ms")]
    pub(crate) travel_ms: u32,
    #[serde(default = "drive_ms")]
    pub(crate) drive_ms: u32,
    #[serde(default = "stay_up_ms")]
    pub(crate) stay_up_ms: u32,
}

/// The lane's devices by what they are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Devices {
    pub(crate) camera: String,
    pub(crate) barrier: String,
    #[serde(default)]
    pub(crate) display: Option<String>,
}

fn travel_ms() -> u32 {
    600
}

fn drive_ms() -> u32 {
    800
}

fn stay_up_ms() -> u32 {
    8_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_json_and_its_defaults_are_those_of_the_code() {
        let descriptor: serde_json::Value = serde_json::from_str(DESCRIPTOR).expect("JSON");
        let config: Config =
            serde_json::from_str(r#"{"devices":{"camera":"c","barrier":"b"}}"#).expect("a configuration");
        let default = |key: &str| descriptor["config"]["properties"][key]["default"].as_u64();
        assert_eq!(default("travel_ms"), Some(config.travel_ms.into()));
        assert_eq!(default("drive_ms"), Some(config.drive_ms.into()));
        assert_eq!(default("stay_up_ms"), Some(config.stay_up_ms.into()));
    }
}
