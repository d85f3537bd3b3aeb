//! What every test of the plugin host needs: libraries built on the spot, a box that remembers, and waiting with a
//! deadline.
#![allow(dead_code, reason = "each test program uses its part")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tollhouse_core::id::{BootId, CommandId, DeviceId, IdKey};
use tollhouse_drivers::event::{ChannelState, DeviceEvent, Occupancy, PassedDirection, Position, Presence, What};
use tollhouse_drivers::link::{DeviceCommand, DeviceLink, EventSink, LinkState, Observer, Refused};
use tollhouse_drivers::plugin::{Allowance, LibraryError, Patience, PluginConfig, PluginHost, Trust};

/// Longer than anything here takes on a busy machine; a test that waits so long has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) const HOST_EXECUTABLE: &str = env!("CARGO_BIN_EXE_tollhouse-plugin-host");

/// The simulated lane's library, built in the profile of this test.
pub(crate) fn sim_library() -> PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(build_sim_library).clone()
}

fn build_sim_library() -> PathBuf {
    let host = Path::new(HOST_EXECUTABLE);
    let folder = host.parent().expect("an executable lies in a folder");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "-p", "tollhouse-driver-sim"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.file_name().is_some_and(|name| name == "release") {
        build.arg("--release");
    }
    if let Some(target) = folder.parent() {
        build.env("CARGO_TARGET_DIR", target);
    }
    assert!(build.status().expect("cargo runs").success(), "the simulated driver does not build");
    folder.join("libtollhouse_driver_sim.so")
}

/// Compiles a C driver into a shared library in `folder`.
pub(crate) fn c_library(folder: &Path, source: &str, defines: &[&str]) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = folder.join(format!("lib{}.so", defines.first().unwrap_or(&"driver")));
    let compiled = Command::new("cc")
        .args(["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"])
        .arg("-I")
        .arg(root.join("../plugins/abi"))
        .args(defines.iter().map(|name| format!("-D{name}")))
        .arg("-o")
        .args([&library, &root.join(source)])
        .status()
        .expect("a C compiler named cc");
    assert!(compiled.success(), "{source} does not compile");
    library
}

pub(crate) fn device(name: &str) -> DeviceId {
    DeviceId::new(name).expect("a device")
}

/// A box that takes everything and remembers what it was told.
#[derive(Debug)]
pub(crate) struct Notes {
    events: UnboundedSender<DeviceEvent>,
    pub(crate) links: Mutex<Vec<LinkState>>,
    pub(crate) refusals: Mutex<Vec<(Option<DeviceId>, Refused)>>,
    pub(crate) pictures: Mutex<Vec<(DeviceId, String, usize)>>,
}

impl EventSink for Notes {
    fn offer(&self, event: DeviceEvent) -> Result<(), DeviceEvent> {
        self.events.send(event).map_err(|unsent| unsent.0)
    }
}

impl Observer for Notes {
    fn refused(&self, device: Option<&DeviceId>, reason: Refused, _detail: &str) {
        self.refusals.lock().expect("not poisoned").push((device.cloned(), reason));
    }
    fn gap(&self, _device: &DeviceId, _missing: u64) {}
    fn clock_offset(&self, _device: &DeviceId, _offset_ms: i64) {}
    fn link(&self, _name: &str, state: LinkState) {
        self.links.lock().expect("not poisoned").push(state);
    }
    fn presence(&self, _device: &DeviceId, _presence: Presence) {}
    fn picture(&self, device: &DeviceId, event_id: &str, jpeg: &[u8]) {
        self.pictures.lock().expect("not poisoned").push((device.clone(), event_id.to_owned(), jpeg.len()));
    }
}

/// A host under test.
pub(crate) struct Rig {
    pub(crate) host: PluginHost,
    pub(crate) notes: Arc<Notes>,
    events: UnboundedReceiver<DeviceEvent>,
}

pub(crate) fn patience() -> Patience {
    Patience {
        ping_every: Duration::from_millis(100),
        ping_answer: Duration::from_millis(500),
        first_backoff: Duration::from_millis(10),
        ..Patience::default()
    }
}

impl Rig {
    pub(crate) fn start(library: &Path, config: Value, devices: &[&str]) -> Self {
        Self::try_start(library, config, devices, patience()).expect("a library")
    }

    pub(crate) fn try_start(
        library: &Path,
        config: Value,
        devices: &[&str],
        patience: Patience,
    ) -> Result<Self, LibraryError> {
        Self::launch(library, config, devices, patience, Allowance::default())
    }

    /// Starts a driver that may use a serial port.
    pub(crate) fn start_with_port(library: &Path, config: Value, devices: &[&str], port: &Path) -> Self {
        let allowance = Allowance { devices: vec![port.to_owned()], ..Allowance::default() };
        Self::launch(library, config, devices, patience(), allowance).expect("a library")
    }

    /// Starts a driver on a box that trusts somebody in particular.
    pub(crate) fn start_trusting(
        library: &Path,
        config: Value,
        devices: &[&str],
        trust: Trust,
    ) -> Result<Self, LibraryError> {
        Self::launch_trusting(library, config, devices, patience(), trust)
    }

    pub(crate) fn launch_trusting(
        library: &Path,
        config: Value,
        devices: &[&str],
        patience: Patience,
        trust: Trust,
    ) -> Result<Self, LibraryError> {
        Self::begin(library, config, devices, (patience, Allowance::default(), trust))
    }

    pub(crate) fn launch(
        library: &Path,
        config: Value,
        devices: &[&str],
        patience: Patience,
        allowance: Allowance,
    ) -> Result<Self, LibraryError> {
        Self::begin(library, config, devices, (patience, allowance, Trust::unsigned()))
    }

    fn begin(
        library: &Path,
        config: Value,
        devices: &[&str],
        (patience, allowance, trust): (Patience, Allowance, Trust),
    ) -> Result<Self, LibraryError> {
        let (sender, events) = unbounded_channel();
        let notes = Arc::new(Notes {
            events: sender,
            links: Mutex::default(),
            refusals: Mutex::default(),
            pictures: Mutex::default(),
        });
        let config = PluginConfig {
            name: "lane-2".to_owned(),
            library: library.to_owned(),
            host_executable: HOST_EXECUTABLE.into(),
            config,
            devices: devices.iter().map(|name| device(name)).collect(),
            trust,
            allowance,
            patience,
        };
        let host = PluginHost::start(config, Arc::new(Utc::now), Arc::clone(&notes) as _, Arc::clone(&notes) as _)?;
        Ok(Self { host, notes, events })
    }

    /// Sends a command that expires in ten seconds, and returns its id.
    pub(crate) fn send(&self, to: &str, name: &'static str, args: Value) -> String {
        self.send_with(to, name, args, to, TimeDelta::seconds(10))
    }

    /// The same with a chosen identity and expiry.
    pub(crate) fn send_with(
        &self,
        to: &str,
        name: &'static str,
        args: Value,
        identity: &str,
        expires_in: TimeDelta,
    ) -> String {
        let cmd_id = CommandId::derive(&IdKey::new([3; 32]), &[identity, name, &args.to_string()]);
        let expires_at = Utc::now() + expires_in;
        self.host.send(DeviceCommand { device: device(to), cmd_id, name, args, expires_at }).expect("queued");
        cmd_id.to_string()
    }

    /// The next event in words; its receipt is completed.
    pub(crate) async fn next(&mut self) -> String {
        let event = tokio::time::timeout(DEADLINE, self.events.recv()).await.expect("an event in time");
        let event = event.expect("the host holds the sender");
        event.receipt.done();
        words(&event.device, &event.what)
    }

    /// The next so many events in words.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<String> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.next().await);
        }
        all
    }

    /// Waits for an event, past others.
    pub(crate) async fn wait_for(&mut self, wanted: &str) {
        let mut others = Vec::new();
        loop {
            let heard = tokio::time::timeout(DEADLINE, self.events.recv()).await;
            let event = heard.unwrap_or_else(|_| panic!("no {wanted:?} in time, but {others:?}")).expect("a sender");
            event.receipt.done();
            let heard = words(&event.device, &event.what);
            if heard == wanted {
                return;
            }
            others.push(heard);
        }
    }

    pub(crate) fn boot_id(&self) -> BootId {
        self.host.status().boot_id.expect("the driver is ready")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.host.status().pid.expect("there is a child")
    }

    pub(crate) fn refused(&self, device_name: Option<&str>, reason: Refused) -> usize {
        let wanted = (device_name.map(device), reason);
        self.notes.refusals.lock().expect("not poisoned").iter().filter(|seen| **seen == wanted).count()
    }

    /// Reads the next raw event, with its receipt still open.
    pub(crate) async fn raw(&mut self) -> DeviceEvent {
        tokio::time::timeout(DEADLINE, self.events.recv()).await.expect("an event in time").expect("a sender")
    }
}

pub(crate) fn words(device: &DeviceId, what: &What) -> String {
    let said = match what {
        What::Plate(read) => format!("plate {}", read.plate),
        What::Passed(passed) if passed.direction == PassedDirection::Forward => "passed forward".to_owned(),
        What::Passed(_) => "passed backward".to_owned(),
        What::Notice(notice) => format!("{:?}", notice.kind),
        What::Stood(state) => format!("{state:?} before"),
        What::State(ChannelState::Barrier(Position::Up)) => "up".to_owned(),
        What::State(ChannelState::Barrier(Position::Down)) => "down".to_owned(),
        What::State(ChannelState::Barrier(_)) => "moving".to_owned(),
        What::State(ChannelState::Loop(Occupancy::Occupied)) => "occupied".to_owned(),
        What::State(ChannelState::Loop(Occupancy::Clear)) => "clear".to_owned(),
        What::Ack(ack) => format!("{:?}", ack.state),
        What::Availability(availability) => format!("{:?}", availability.presence),
    };
    format!("{device} {said}")
}

/// Kills a process with SIGKILL.
pub(crate) fn kill(pid: u32) {
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill runs");
    assert!(killed.success(), "no process {pid}");
}
