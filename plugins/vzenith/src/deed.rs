//! What a command wants of the camera, and how that is written: in the answer to a post, or in an MQTT message.
//!
//! Pure. It must not know when or whether anything is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tollhouse_field::board::{self, LedStyle};
use tollhouse_field::{Goal, Position};
use tollhouse_sdk::{Command, Pending, Refusal, Status};

use crate::config::{Config, Link, Means, Open};

/// Red, as most boards have no other colour.
const COLOUR: [u8; 3] = [255, 0, 0];

/// A command on its way to the camera.
#[derive(Debug)]
pub(crate) struct Deed {
    pub(crate) pending: Pending,
    /// Whose command it is, which is whom its answer is for.
    pub(crate) device: String,
    pub(crate) deadline_ms: u64,
    pub(crate) what: What,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Relay(Relay),
    /// Bytes for the serial port.
    Serial(Vec<u8>),
    /// For the camera's own loudspeaker.
    Voice(String),
}

/// What is done to the barrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relay {
    Open,
    Close,
    Hold,
    Release,
}

impl Relay {
    /// Where the arm is then to be seen.
    pub(crate) fn goal(self, config: &Config) -> Goal {
        match self {
            Self::Open | Self::Hold if config.sees(Means::Up) => Goal::Up,
            Self::Close if config.sees(Means::Down) => Goal::Down,
            _ => Goal::Nowhere,
        }
    }

    /// Which output, which value (0 off, 1 on, 2 on and off again), how long.
    fn output(self, config: &Config) -> Option<(u8, u8, u16)> {
        let Open::Io { io, pulse_ms } = config.open else {
            return config.close.filter(|_| self == Self::Close).map(|close| (close.io, 2, close.pulse_ms));
        };
        match self {
            Self::Open => Some((io, 2, pulse_ms)),
            Self::Hold => Some((io, 1, pulse_ms)),
            Self::Release => Some((io, 0, pulse_ms)),
            Self::Close => config.close.map(|close| (close.io, 2, close.pulse_ms)),
        }
    }
}

/// What a command wants.
pub(crate) fn what(config: &Config, command: &Command) -> Result<What, Refusal> {
    let unsupported = |words: &str| Err(Refusal::new(Status::Unsupported, format!("{}: {words}", command.device)));
    let is = |device: &Option<String>| device.as_deref() == Some(command.device.as_str());
    let relay = |relay: Relay| match (relay, relay.output(config)) {
        (Relay::Open, _) | (_, Some(_)) => Ok(What::Relay(relay)),
        (_, None) => Err(Refusal::new(Status::Rejected, format!("{}: no output is set up for it", command.device))),
    };
    match command.name.as_str() {
        "open" if is(&config.barrier) => relay(Relay::Open),
        "close" if is(&config.barrier) => relay(Relay::Close),
        "hold" if is(&config.barrier) => relay(Relay::Hold),
        "release" if is(&config.barrier) => relay(Relay::Release),
        "display" if is(&config.display) => {
            let lines = command.args.get("lines").and_then(Value::as_array);
            let texts: Vec<&str> = lines.into_iter().flatten().filter_map(Value::as_str).collect();
            if texts.is_empty() {
                return Err(Refusal::new(Status::Invalid, "display needs lines"));
            }
            let style = LedStyle { seconds: config.board.seconds, colour: COLOUR };
            Ok(What::Serial(board::lines(config.board.address, &texts, "", style)))
        }
        "speak" => {
            let text = command.args.get("text").and_then(Value::as_str).filter(|text| !text.is_empty());
            let text = text.ok_or_else(|| Refusal::new(Status::Invalid, "speak needs a text"))?;
            match config.link {
                _ if is(&config.display) => Ok(What::Serial(board::speak(config.board.address, text))),
                Link::Http { .. } if command.device == config.camera => {
                    Ok(What::Voice(text.chars().take(200).collect()))
                }
                _ => unsupported("it has no voice"),
            }
        }
        other => unsupported(&format!("it cannot {other}")),
    }
}

/// The answer to a plate or to a poll.
pub(crate) fn answer(config: &Config, deeds: &[Deed], plate_id: Option<i64>, more: Option<More>) -> Value {
    let relay = deeds.iter().find_map(|deed| if let What::Relay(relay) = deed.what { Some(relay) } else { None });
    let ok = relay == Some(Relay::Open) && config.open == Open::Info;
    // Some firmware sends again and again until it is told to stop.
    let mut answer = json!({"info": if ok { "ok" } else { "no" }, "content": "retransfer_stop", "channelNum": 0});
    if let Some(plate_id) = plate_id {
        answer["plateid"] = plate_id.into();
    }
    if let Some((io, value, delay)) = relay.filter(|_| !ok).and_then(|relay| relay.output(config)) {
        answer["ivs_ioctrl"] = json!({"io": io, "value": value, "delay": delay});
    }
    let serial: Vec<Value> = deeds.iter().filter_map(|deed| serial_data(config, &deed.what)).collect();
    if !serial.is_empty() {
        answer["serialData"] = serial.into();
    }
    if let Some(text) = deeds.iter().find_map(|deed| if let What::Voice(text) = &deed.what { Some(text) } else { None })
    {
        answer["playserver_json_request"] = json!({"type": "ps_voice_play", "voice": STANDARD.encode(text),
            "voice_interval": 0, "voice_volume": 100, "voice_male": 1});
    }
    if let Some(More::Send) = more {
        answer["ContinuePushOffline"] = json!({"plateid": plate_id.unwrap_or_default(), "continue": 1});
    }
    json!({"Response_AlarmInfoPlate": answer})
}

/// What a camera with a backlog is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum More {
    /// Go on.
    Send,
}

fn serial_data(config: &Config, what: &What) -> Option<Value> {
    let What::Serial(bytes) = what else { return None };
    Some(json!({"serialChannel": config.board.channel, "data": STANDARD.encode(bytes), "dataLen": bytes.len()}))
}

/// The MQTT message that does it: the last part of its topic, and its body.
pub(crate) fn message(config: &Config, deed: &Deed, unix_seconds: i64) -> Option<(&'static str, Value)> {
    let (name, body) = match &deed.what {
        What::Relay(relay) => {
            let (io, value, delay) = relay.output(config)?;
            ("gpio_out", json!({"io": io, "value": value, "delay": delay}))
        }
        What::Serial(_) => ("serial_data", json!({"serialData": [serial_data(config, &deed.what)?]})),
        What::Voice(_) => return None,
    };
    let envelope = json!({"id": deed.pending.cmd_id(), "sn": config.serial, "name": name, "version": "1.0",
        "timestamp": unix_seconds, "payload": {"type": name, "body": body}});
    Some((name, envelope))
}

/// What a value of `gate_status` says.
pub(crate) fn position(config: &Config, status: i64) -> Option<Position> {
    let known = config.gate_status?;
    Some(match status {
        up if up == known.up => Position::Up,
        down if down == known.down => Position::Down,
        _ => Position::Unknown,
    })
}
