//! What the driver says of itself, what it is told, and what of that makes no sense.
//!
//! It owns the wiring: which coil and input means what. It must not talk to a board.

use serde::Deserialize;
use tollhouse_field::Endpoint;

use crate::pdu::{Level, MAX_BITS, Request};

/// The descriptor (see the C header).
pub(crate) const DESCRIPTOR: &str = include_str!("../descriptor.json");

/// One board and what is wired to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) line: Endpoint,
    #[serde(default = "unit")]
    pub(crate) unit: u8,
    #[serde(default = "answer_ms")]
    pub(crate) answer_ms: u16,
    #[serde(default = "poll_ms")]
    pub(crate) poll_ms: u16,
    pub(crate) outputs: Outputs,
    pub(crate) barriers: Vec<Barrier>,
    #[serde(default)]
    pub(crate) loops: Vec<Loop>,
    #[serde(default)]
    pub(crate) buttons: Vec<Contact>,
    #[serde(default)]
    pub(crate) alarms: Vec<Contact>,
}

/// The board's coils, all of them, and how they rest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outputs {
    #[serde(default)]
    first: u16,
    count: u16,
    #[serde(default)]
    on: Vec<u16>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Barrier {
    pub(crate) device: String,
    pub(crate) open: Output,
    #[serde(default)]
    pub(crate) close: Option<Output>,
    #[serde(default)]
    pub(crate) hold: Option<u16>,
    #[serde(default)]
    pub(crate) up: Option<Input>,
    #[serde(default)]
    pub(crate) down: Option<Input>,
    #[serde(default = "travel_ms")]
    pub(crate) travel_ms: u32,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Output {
    pub(crate) coil: u16,
    pub(crate) pulse: Pulse,
}

/// How a pulse is made, and who ends it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Pulse {
    /// The coil is set, in the board, to switch off by itself.
    Board {
        #[serde(default = "pulse_ms")]
        ms: u16,
    },
    /// The value written to the coil at this offset is the time.
    CoilValue {
        offset: u16,
        unit_ms: u16,
        #[serde(default = "pulse_ms")]
        ms: u16,
    },
    /// Mode and time go to the coil's two registers.
    Registers {
        first: u16,
        stride: u16,
        mode: u16,
        unit_ms: u16,
        #[serde(default = "pulse_ms")]
        ms: u16,
    },
    /// The driver switches off again.
    Driver {
        #[serde(default = "pulse_ms")]
        ms: u16,
    },
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    pub(crate) input: u16,
    #[serde(default)]
    pub(crate) active: Active,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Loop {
    pub(crate) device: String,
    pub(crate) input: u16,
    #[serde(default)]
    pub(crate) active: Active,
    #[serde(default)]
    pub(crate) passed: PassedWhen,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contact {
    pub(crate) device: String,
    pub(crate) input: u16,
    #[serde(default)]
    pub(crate) active: Active,
    pub(crate) name: String,
}

/// Which level says yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Active {
    #[default]
    On,
    Off,
}

/// What a loop that clears says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PassedWhen {
    #[default]
    Never,
    WhenClear,
}

impl Input {
    /// Every input has a place in the range that is read.
    fn of(input: u16, active: Active) -> Self {
        Self { input, active }
    }
}

impl From<&Loop> for Input {
    fn from(from: &Loop) -> Self {
        Self::of(from.input, from.active)
    }
}

impl From<&Contact> for Input {
    fn from(from: &Contact) -> Self {
        Self::of(from.input, from.active)
    }
}

impl Outputs {
    /// Every output at rest.
    pub(crate) fn safe_state(&self) -> Request {
        let level = |place| Level::from(self.on.contains(&(self.first + place)));
        Request::WriteCoils { first: self.first, levels: (0..self.count).map(level).collect() }
    }

    /// What asks for all outputs.
    pub(crate) fn look(&self) -> Request {
        Request::ReadCoils { first: self.first, count: self.count }
    }

    /// The place of a coil among those.
    pub(crate) fn place(&self, coil: u16) -> Option<usize> {
        coil.checked_sub(self.first).filter(|place| *place < self.count).map(usize::from)
    }
}

impl Output {
    /// What begins the pulse.
    pub(crate) fn begin(&self) -> Request {
        match self.pulse {
            Pulse::Board { .. } | Pulse::Driver { .. } => Request::WriteCoil { coil: self.coil, level: Level::On },
            Pulse::CoilValue { offset, unit_ms, ms } => {
                Request::WriteCoilValue { coil: self.coil.saturating_add(offset), value: units(ms, unit_ms) }
            }
            Pulse::Registers { first, stride, mode, unit_ms, ms } => Request::WriteRegisters {
                first: first.saturating_add(self.coil.saturating_mul(stride)),
                values: vec![mode, units(ms, unit_ms)],
            },
        }
    }

    /// How long the coil is to be on.
    pub(crate) fn length_ms(&self) -> u64 {
        match self.pulse {
            Pulse::Board { ms } | Pulse::CoilValue { ms, .. } | Pulse::Registers { ms, .. } | Pulse::Driver { ms } => {
                ms.into()
            }
        }
    }
}

fn units(ms: u16, unit_ms: u16) -> u16 {
    ms.div_ceil(unit_ms.max(1)).max(1)
}

impl Config {
    /// What of it makes no sense, in words for who wired it.
    pub(crate) fn fault(&self) -> Option<String> {
        if self.outputs.count == 0 || self.outputs.first.checked_add(self.outputs.count).is_none() {
            return Some("outputs: no such coils".to_owned());
        }
        for barrier in &self.barriers {
            let coils = [Some(barrier.open.coil), barrier.close.map(|close| close.coil), barrier.hold];
            if let Some(coil) = coils.into_iter().flatten().find(|coil| self.outputs.place(*coil).is_none()) {
                return Some(format!(
                    "{}: coil {coil} is none of the outputs, so it has no safe state",
                    barrier.device
                ));
            }
        }
        let mut devices: Vec<&str> = self.barriers.iter().map(|barrier| barrier.device.as_str()).collect();
        devices.sort_unstable();
        if let Some(pair) = devices.windows(2).find(|pair| pair.first() == pair.last()) {
            return Some(format!("{} is wired twice", pair.first().copied().unwrap_or_default()));
        }
        let (first, count) = self.input_range()?;
        (count > MAX_BITS).then(|| format!("the inputs from {first} on span more than {MAX_BITS}"))
    }

    /// The range of inputs that is read at once, if there is any.
    pub(crate) fn input_range(&self) -> Option<(u16, u16)> {
        let of_barriers = self.barriers.iter().flat_map(|barrier| [barrier.up, barrier.down]).flatten();
        let others = self.loops.iter().map(Input::from);
        let contacts = self.buttons.iter().chain(&self.alarms).map(Input::from);
        let all: Vec<u16> = of_barriers.chain(others).chain(contacts).map(|input| input.input).collect();
        let (first, last) = (*all.iter().min()?, *all.iter().max()?);
        Some((first, (last - first).saturating_add(1)))
    }

    /// Every device that this board stands behind, once.
    pub(crate) fn devices(&self) -> Vec<String> {
        let barriers = self.barriers.iter().map(|barrier| &barrier.device);
        let loops = self.loops.iter().map(|one| &one.device);
        let contacts = self.buttons.iter().chain(&self.alarms).map(|contact| &contact.device);
        let mut devices: Vec<String> = barriers.chain(loops).chain(contacts).cloned().collect();
        devices.sort_unstable();
        devices.dedup();
        devices
    }
}

fn unit() -> u8 {
    1
}

fn answer_ms() -> u16 {
    400
}

fn poll_ms() -> u16 {
    100
}

fn travel_ms() -> u32 {
    8_000
}

fn pulse_ms() -> u16 {
    500
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn least() -> Value {
        json!({
            "line": {"kind": "tcp", "address": "192.168.1.50:502"},
            "outputs": {"count": 8},
            "barriers": [{"device": "gate-in-1", "open": {"coil": 0, "pulse": {"by": "board"}}}],
        })
    }

    fn config(value: Value) -> Config {
        serde_json::from_value(value).expect("a configuration")
    }

    #[test]
    fn the_descriptor_is_json_and_its_defaults_are_those_of_the_code() {
        let descriptor: Value = serde_json::from_str(DESCRIPTOR).expect("JSON");
        let config = config(least());
        assert_eq!(config.fault(), None);
        let properties = &descriptor["config"]["properties"];
        let default = |key: &str| properties[key]["default"].as_u64();
        assert_eq!(default("unit"), Some(config.unit.into()));
        assert_eq!(default("answer_ms"), Some(config.answer_ms.into()));
        assert_eq!(default("poll_ms"), Some(config.poll_ms.into()));
        let barrier = &properties["barriers"]["items"]["properties"];
        assert_eq!(barrier["travel_ms"]["default"].as_u64(), Some(config.barriers[0].travel_ms.into()));
        let pulse = &descriptor["config"]["$defs"]["pulse_ms"];
        assert_eq!(pulse["default"].as_u64(), Some(config.barriers[0].open.length_ms()));
    }

    #[test]
    fn each_way_to_pulse_is_one_request() {
        let cases = [
            (json!({"by": "board"}), Request::WriteCoil { coil: 2, level: Level::On }),
            (json!({"by": "driver", "ms": 300}), Request::WriteCoil { coil: 2, level: Level::On }),
            (
                json!({"by": "coil_value", "offset": 512, "unit_ms": 100, "ms": 700}),
                Request::WriteCoilValue { coil: 514, value: 7 },
            ),
            (
                json!({"by": "registers", "first": 3, "stride": 5, "mode": 4, "unit_ms": 100, "ms": 450}),
                Request::WriteRegisters { first: 13, values: vec![4, 5] },
            ),
        ];
        for (pulse, request) in cases {
            let output: Output = serde_json::from_value(json!({"coil": 2, "pulse": pulse})).expect("an output");
            assert_eq!(output.begin(), request, "{pulse}");
        }
    }

    #[test]
    fn the_safe_state_is_off_but_for_what_rests_on() {
        let outputs: Outputs = serde_json::from_value(json!({"first": 16, "count": 4, "on": [18]})).expect("outputs");
        let levels = vec![Level::Off, Level::Off, Level::On, Level::Off];
        assert_eq!(outputs.safe_state(), Request::WriteCoils { first: 16, levels });
        assert_eq!((outputs.place(15), outputs.place(18), outputs.place(20)), (None, Some(2), None));
    }

    #[test]
    fn wiring_that_makes_no_sense_is_refused_in_words() {
        let cases = [
            ("/outputs/first", json!(65535), "no such coils"),
            ("/barriers/0/open/coil", json!(9), "no safe state"),
            ("/barriers/1", least()["barriers"][0].clone(), "wired twice"),
            ("/loops", json!([{"device": "x", "input": 0}, {"device": "x", "input": 60000}]), "span more"),
        ];
        for (place, value, words) in cases {
            let mut changed = least();
            changed["outputs"]["first"] = json!(0);
            changed["loops"] = json!([]);
            match changed.pointer_mut(place) {
                Some(there) => *there = value,
                None => changed["barriers"].as_array_mut().expect("barriers").push(value),
            }
            let fault = config(changed).fault().unwrap_or_default();
            assert!(fault.contains(words), "{place}: {fault}");
        }
    }

    #[test]
    fn all_inputs_are_read_at_once() {
        let mut wired = least();
        assert_eq!(config(wired.clone()).input_range(), None);
        wired["barriers"][0]["up"] = json!({"input": 3});
        wired["buttons"] = json!([{"device": "gate-in-1", "input": 7, "name": "help"}]);
        assert_eq!(config(wired.clone()).input_range(), Some((3, 5)));
        assert_eq!(config(wired).devices(), ["gate-in-1"]);
    }
}
