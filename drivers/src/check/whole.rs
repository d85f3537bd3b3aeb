//! The last check: the driver in the box's own plugin host, as it will run, with commands through the same link.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use tollhouse_core::id::{CommandId, DeviceId, IdKey};

use super::bench::Bench;
use super::report::Finding;
use crate::event::{DeviceEvent, Presence, What};
use crate::link::{DeviceCommand, DeviceLink, EventSink, LinkState, Observer, Refused};
use crate::plugin::{Allowance, Patience, PluginConfig, PluginHost, Trust};

const READY: Duration = Duration::from_secs(12);
const ANSWERED: Duration = Duration::from_secs(7);
const WITHIN: TimeDelta = TimeDelta::seconds(5);
const MOST_COMMANDS: usize = 12;

/// What the host told.
enum Heard {
    Event(Box<DeviceEvent>),
    Refused(Refused, String),
    Down,
}

/// A box that only listens.
#[derive(Debug)]
struct Ear(SyncSender<Heard>);

impl Ear {
    fn hear(&self, heard: Heard) {
        // What nobody has room for any more is not judged.
        let _ = self.0.try_send(heard);
    }
}

impl EventSink for Ear {
    fn offer(&self, event: DeviceEvent) -> Result<(), DeviceEvent> {
        self.hear(Heard::Event(Box::new(event)));
        Ok(())
    }
}

impl Observer for Ear {
    fn refused(&self, _device: Option<&DeviceId>, reason: Refused, detail: &str) {
        self.hear(Heard::Refused(reason, detail.to_owned()));
    }
    fn gap(&self, _device: &DeviceId, _missing: u64) {}
    fn clock_offset(&self, _device: &DeviceId, _offset_ms: i64) {}
    fn link(&self, _name: &str, state: LinkState) {
        if state == LinkState::Down {
            self.hear(Heard::Down);
        }
    }
    fn presence(&self, _device: &DeviceId, _presence: Presence) {}
    fn picture(&self, _device: &DeviceId, _event_id: &str, _jpeg: &[u8]) {}
}

pub(super) fn in_the_box(bench: &mut Bench) -> Vec<Finding> {
    let devices: Vec<DeviceId> = bench.devices.iter().filter_map(|name| DeviceId::new(name).ok()).collect();
    if devices.is_empty() {
        return vec![Finding::skipped("no device is known to speak to")];
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => return vec![Finding::skipped(format!("no runtime on this machine: {fault}"))],
    };
    let (sender, heard) = sync_channel(4096);
    let ear = Arc::new(Ear(sender));
    let config = PluginConfig {
        name: "check".to_owned(),
        library: bench.library.clone(),
        host_executable: bench.executable.clone(),
        config: bench.config.clone(),
        devices: devices.clone(),
        trust: Trust::unsigned(),
        allowance: Allowance::default(),
        patience: Patience::default(),
    };
    let started = runtime
        .block_on(async { PluginHost::start(config, Arc::new(Utc::now), Arc::clone(&ear) as Arc<dyn EventSink>, ear) });
    let host = match started {
        Ok(host) => host,
        Err(fault) => return vec![Finding::fail(fault.to_string(), "the box refuses the file before it is loaded")],
    };
    let findings = talk(bench, &host, &devices, &heard);
    runtime.block_on(host.shutdown());
    findings
}

fn talk(bench: &Bench, host: &PluginHost, devices: &[DeviceId], heard: &Receiver<Heard>) -> Vec<Finding> {
    let advice = "the box confines a driver more than a shell does; docs/drivers/README.md says what it may";
    let until = Instant::now() + READY;
    while host.status().boot_id.is_none() {
        if host.status().last_fault.is_some() || Instant::now() > until {
            let why = host.status().last_fault.unwrap_or_else(|| "it was not ready in time".to_owned());
            return vec![Finding::fail(format!("in the box it does not start: {why}"), advice)];
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let key = IdKey::new([7; 32]);
    let commands = bench
        .described
        .commands
        .iter()
        .filter(|name| *name != "reply")
        .flat_map(|name| devices.iter().map(move |device| (name.as_str(), device)));
    let mut findings = Vec::new();
    for (number, (name, device)) in commands.take(MOST_COMMANDS).enumerate() {
        let Some(name) = KNOWN.iter().find(|known| **known == name) else { continue };
        let given: serde_json::Value =
            serde_json::from_str(&super::bench::order("", name, device.as_str(), 0).args).unwrap_or_default();
        let cmd_id = CommandId::derive(&key, &[name, &number.to_string()]);
        let id = cmd_id.to_string();
        let args = given["args"].clone();
        let command = DeviceCommand { device: device.clone(), cmd_id, name, args, expires_at: Utc::now() + WITHIN };
        if host.send(command).is_err() {
            continue;
        }
        if let Some(finding) = answered(heard, &id, name, advice) {
            findings.push(finding);
            break;
        }
    }
    let status = host.status();
    if findings.is_empty() && (status.restarts > 0 || status.last_fault.is_some()) {
        let why = status.last_fault.unwrap_or_default();
        findings.push(Finding::fail(format!("in the box it went down: {why}"), advice));
    }
    findings
}

/// What lanes send; a driver's own commands come from people.
const KNOWN: [&str; 8] = ["open", "close", "hold", "release", "display", "speak", "snapshot", "restart"];

fn answered(heard: &Receiver<Heard>, id: &str, name: &str, advice: &str) -> Option<Finding> {
    let until = Instant::now() + ANSWERED;
    loop {
        match heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Heard::Event(event)) => {
                if let What::Ack(ack) = &event.what
                    && ack.cmd_id == id
                {
                    let unknown = ack.state == crate::event::AckState::OutcomeUnknown;
                    let what = format!("in the box nobody knows what became of {name:?}");
                    return unknown.then(|| Finding::fail(what, advice));
                }
                event.receipt.done();
            }
            Ok(Heard::Refused(reason, detail)) => {
                let what = format!("the box refuses what it says: {reason:?}, {detail}");
                return Some(Finding::fail(what, "see the checks of events and commands"));
            }
            Ok(Heard::Down) => return Some(Finding::fail(format!("in the box it went down at {name:?}"), advice)),
            Err(_) => return Some(Finding::fail(format!("in the box {name:?} was not answered"), advice)),
        }
    }
}
