//! What isolation costs: a command that goes through the plugin host to a driver in C and comes back as an event and an
//! answer, beside the floor, the same number of bytes to another process and back over a bare Unix socket.
//!
//! Run by hand: `cargo bench -p tollhouse-drivers --bench plugin`. It needs a C compiler named `cc`.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tollhouse_core::id::{CommandId, DeviceId};
use tollhouse_drivers::event::{DeviceEvent, Presence, What};
use tollhouse_drivers::link::{DeviceCommand, DeviceLink, EventSink, LinkState, Observer, Refused};
use tollhouse_drivers::plugin::{Allowance, Patience, PluginConfig, PluginHost, Trust};

/// Below what the host takes from a child in a second.
const ROUND_TRIPS: usize = 400;
const ROUNDS: usize = 5;
/// About what a command and its answers weigh.
const FLOOR_BYTES: usize = 200;

struct Sink(UnboundedSender<DeviceEvent>);

impl EventSink for Sink {
    fn offer(&self, event: DeviceEvent) -> Result<(), DeviceEvent> {
        self.0.send(event).map_err(|unsent| unsent.0)
    }
}

struct Silent;

impl Observer for Silent {
    fn refused(&self, _device: Option<&DeviceId>, reason: Refused, detail: &str) {
        eprintln!("refused: {reason:?} {detail}");
    }
    fn gap(&self, _device: &DeviceId, _missing: u64) {}
    fn clock_offset(&self, _device: &DeviceId, _offset_ms: i64) {}
    fn link(&self, _name: &str, _state: LinkState) {}
    fn presence(&self, _device: &DeviceId, _presence: Presence) {}
    fn picture(&self, _device: &DeviceId, _event_id: &str, _jpeg: &[u8]) {}
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    println!("{what:<44} p50 {:>8.1?}  p99 {:>8.1?}  ({} round trips)", at(50), at(99), times.len());
}

fn floor() -> Vec<Duration> {
    let (mut ours, theirs) = UnixStream::pair().expect("a socket pair");
    let theirs_too = theirs.try_clone().expect("a second descriptor");
    let mut echo = Command::new("cat")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::from(OwnedFd::from(theirs_too)))
        .spawn()
        .expect("cat runs");
    let mut bytes = [0; FLOOR_BYTES];
    let times = (0..ROUND_TRIPS * ROUNDS)
        .map(|_| {
            let start = Instant::now();
            ours.write_all(&bytes).expect("sent");
            ours.read_exact(&mut bytes).expect("came back");
            start.elapsed()
        })
        .collect();
    drop(ours);
    echo.wait().expect("cat ends with its input");
    times
}

async fn through_the_host(library: &Path) -> (Vec<Duration>, Vec<Duration>) {
    let device = DeviceId::new("gate-in-2").expect("a device");
    let (sender, mut events) = unbounded_channel();
    let config = PluginConfig {
        name: "bench".to_owned(),
        library: library.to_owned(),
        host_executable: env!("CARGO_BIN_EXE_tollhouse-plugin-host").into(),
        config: serde_json::json!({"device": device}),
        devices: vec![device.clone()],
        trust: Trust::unsigned(),
        allowance: Allowance::default(),
        patience: Patience::default(),
    };
    let host = PluginHost::start(config, Arc::new(Utc::now), Arc::new(Sink(sender)), Arc::new(Silent));
    let host = host.expect("the driver");
    for _ in 0..2 {
        events.recv().await.expect("online, and the arm is down");
    }
    let (mut to_event, mut to_answer) = (Vec::new(), Vec::new());
    let mut window = tokio::time::interval(Duration::from_millis(1_100));
    for round in 0..ROUNDS {
        window.tick().await;
        for number in 0..ROUND_TRIPS {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&((round * ROUND_TRIPS + number) as u64).to_le_bytes());
            let command = DeviceCommand {
                device: device.clone(),
                cmd_id: CommandId::from_bytes(id),
                name: "open",
                args: serde_json::json!({}),
                expires_at: Utc::now() + TimeDelta::seconds(10),
            };
            let start = Instant::now();
            host.send(command).expect("queued");
            let event = events.recv().await.expect("the arm is up");
            to_event.push(start.elapsed());
            let answer = events.recv().await.expect("an answer");
            to_answer.push(start.elapsed());
            assert!(matches!((&event.what, &answer.what), (What::State(_), What::Ack(_))));
        }
    }
    host.shutdown().await;
    (to_event, to_answer)
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let library = folder.path().join("libbarrier.so");
    let abi = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/abi");
    let compiled = Command::new("cc")
        .args(["-std=c11", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-I"])
        .arg(&abi)
        .arg("-o")
        .args([&library, &abi.join("examples/barrier.c")])
        .status()
        .expect("a C compiler named cc");
    assert!(compiled.success(), "the example does not compile");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let (to_event, to_answer) = runtime.expect("a runtime").block_on(through_the_host(&library));
    report("bare Unix socket, to a process and back", floor());
    report("host: command to the driver's event", to_event);
    report("host: command to its answer", to_answer);
}
