//! Whether the devices behind a line are there, told to the box when it changes.

use serde_json::json;
use tollhouse_sdk::{Host, LogLevel};

/// See the module. The host itself says that a driver's devices are online when the driver has started.
#[derive(Debug)]
pub struct Presence {
    host: Host,
    devices: Vec<String>,
    state: &'static str,
}

impl Presence {
    /// For the devices that come and go together.
    pub fn new(host: Host, devices: Vec<String>) -> Self {
        Self { host, devices, state: "online" }
    }

    /// They answer.
    pub fn online(&mut self, words: &str) {
        self.is("online", LogLevel::Info, words);
    }

    /// They do not; `words` say why.
    pub fn offline(&mut self, words: &str) {
        self.is("offline", LogLevel::Warn, words);
    }

    fn is(&mut self, state: &'static str, level: LogLevel, words: &str) {
        if self.state == state {
            return;
        }
        self.state = state;
        self.host.log(level, words);
        for device in &self.devices {
            if self.host.emit(device, "availability", &json!({"state": state})).is_err() {
                self.host.log(LogLevel::Warn, &format!("the host did not take that {device} is {state}"));
            }
        }
    }
}
