//! The conformance run of a device that speaks MQTT itself: `tollhouse driver check --mqtt DEVICE`.
//!
//! It plays the box's side at the broker that the device is signed in to, and holds what it hears against the contract
//! (`docs/asyncapi.yaml`). It shares the readers of outside bytes with the box, and nothing else: no lane, no store.

mod bench;
mod commands;
mod events;
mod presence;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde::Serialize;
use tollhouse_core::id::{DeviceId, LotId};

use super::report::{Audience, Finding, Outcome, Verdict};
use bench::Bench;

/// Which device is examined, where, and how patiently.
#[derive(Debug, Clone)]
pub struct MqttExamination {
    /// The device.
    pub device: DeviceId,
    /// The lot in its topics.
    pub lot: LotId,
    /// The broker's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How this program signs in, where the broker asks: name and password.
    pub login: Option<(String, String)>,
    /// The device's own password, where the broker asks: its connection is cut by signing in as the device.
    pub device_password: Option<String>,
    /// How long the device may take for what it should do.
    pub patience: Duration,
    /// Only these checks; all when empty.
    pub only: Vec<String>,
}

/// The whole examination of a device.
#[derive(Debug, Clone, Serialize)]
pub struct MqttReport {
    /// Whether nothing failed.
    pub ok: bool,
    /// The device.
    pub device: String,
    /// The lot in its topics.
    pub lot: String,
    /// Where it was found.
    pub broker: String,
    /// Kinds, commands and events that it says it has.
    pub says: Option<Says>,
    /// One after the other.
    pub checks: Vec<Verdict>,
}

/// What a device says of itself.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Says {
    /// camera, barrier, ...
    pub kinds: Vec<String>,
    /// Commands that it takes.
    pub commands: Vec<String>,
    /// Events that it sends.
    pub events: Vec<String>,
}

/// One rule, and how it is tried.
pub struct MqttCheck {
    /// Its name, as `--only` takes it.
    pub id: &'static str,
    /// What it belongs to.
    pub group: &'static str,
    /// The rule.
    pub rule: &'static str,
    run: fn(&mut Bench) -> Vec<Finding>,
}

const fn check(
    group: &'static str,
    id: &'static str,
    rule: &'static str,
    run: fn(&mut Bench) -> Vec<Finding>,
) -> MqttCheck {
    MqttCheck { id, group, rule, run }
}

/// All checks, in their order.
pub const MQTT_CATALOGUE: &[MqttCheck] = &[
    check("presence", "meta", "meta is kept by the broker and says what the device is", presence::meta),
    check(
        "presence",
        "availability",
        "availability is kept, online, of the run that meta names",
        presence::availability,
    ),
    check("presence", "last-will", "when its connection is cut, its last will says offline", presence::last_will),
    check("presence", "sign-in-again", "cut off, it signs in again by itself", presence::sign_in_again),
    check("commands", "command-answered", "each command that it lists is answered", commands::answered),
    check("commands", "command-twice", "a cmd_id that comes twice is carried out once", commands::twice),
    check("commands", "command-expired", "a command whose time is over is not carried out", commands::expired),
    check("commands", "command-unknown", "a command that it does not know is not accepted", commands::unknown),
    check("commands", "command-broken", "broken commands do it no harm", commands::broken),
    check("commands", "command-kept", "a command that the broker kept is not carried out", commands::kept),
    check("commands", "whitelist", "a list of plates is taken part by part", commands::whitelist),
    check("commands", "ack-form", "answers are those of the contract, and end with one word", commands::answers),
    check("events", "event-form", "events are those of the contract", events::form),
    check("events", "event-declared", "events are listed in meta", events::declared),
    check("events", "event-ids", "each event has an id of its own", events::ids),
    check("events", "event-numbers", "seq counts by one within a run", events::numbers),
    check("events", "event-times", "events say when they happened and when they were sent", events::times),
    check("events", "event-delivery", "events, states and answers are sent with QoS 1", events::delivery),
    check("events", "picture", "pictures are JPEG of at most 2 MiB, each of an event", events::pictures),
    check("states", "state", "states are those of the contract, and kept", presence::states),
    check("the whole", "topics", "nothing is published outside the contract", events::topics),
    check("the whole", "kept", "no event, answer or command is kept by the broker", events::kept),
    check("the whole", "alive", "after all this it is still there", presence::alive),
];

/// Examines a device. The error: a name in `only` that no check has, or a broker that cannot be reached.
pub fn examine_mqtt(examination: &MqttExamination, audience: &mut dyn Audience) -> Result<MqttReport, String> {
    if let Some(unknown) = examination.only.iter().find(|id| !MQTT_CATALOGUE.iter().any(|check| check.id == *id)) {
        let known: Vec<&str> = MQTT_CATALOGUE.iter().map(|check| check.id).collect();
        return Err(format!("no check is called {unknown:?}; there are {}", known.join(", ")));
    }
    let mut bench = Bench::connect(examination)?;
    bench.await_device();
    let wanted = |check: &&MqttCheck| examination.only.is_empty() || examination.only.iter().any(|id| *id == check.id);
    let (mut checks, mut missing) = (Vec::new(), false);
    for check in MQTT_CATALOGUE.iter().filter(wanted) {
        audience.begins(check.id, check.rule);
        let begun = Instant::now();
        let findings = if missing {
            vec![Finding::skipped("not tried, since the device has said nothing")]
        } else {
            (check.run)(&mut bench)
        };
        missing = missing || bench.heard_nothing();
        let verdict = Verdict {
            id: check.id,
            group: check.group,
            rule: check.rule,
            outcome: findings.iter().map(|finding| finding.weight).max().unwrap_or(Outcome::Pass),
            findings,
            millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            again: again(check.id, examination),
        };
        audience.ended(&verdict);
        checks.push(verdict);
    }
    Ok(MqttReport {
        ok: checks.iter().all(|verdict| verdict.outcome != Outcome::Fail),
        device: examination.device.to_string(),
        lot: examination.lot.to_string(),
        broker: format!("{}:{}", examination.host, examination.port),
        says: bench.says(),
        checks,
    })
}

fn again(id: &str, examination: &MqttExamination) -> String {
    let MqttExamination { device, lot, host, port, patience, .. } = examination;
    let mut command = format!("tollhouse driver check --mqtt {device} --broker {host}:{port} --lot {lot}");
    if patience.as_secs() != 10 {
        let _ = write!(command, " --patience {}", patience.as_secs());
    }
    let _ = write!(command, " --only {id}");
    command
}

impl MqttReport {
    /// The last lines for people.
    pub fn summary(&self) -> String {
        let count = |outcome| self.checks.iter().filter(|verdict| verdict.outcome == outcome).count();
        let mut text = format!(
            "{}: {} passed, {} failed, {} to look at, {} not tried",
            self.device,
            count(Outcome::Pass),
            count(Outcome::Fail),
            count(Outcome::Warn),
            count(Outcome::Skipped),
        );
        text.push_str(if self.ok {
            "\nThe device keeps the contract. 设备通过检查。"
        } else {
            "\nThe device breaks rules; each is told above, with the command that tries it again. 设备未通过检查。"
        });
        text
    }
}
