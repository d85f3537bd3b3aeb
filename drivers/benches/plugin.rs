//! What isolation costs: events and commands of one driver through the plugin host, the same driver called in its own
//! process, and the floor, the same number of bytes to another process and back over a bare Unix socket. Each paced, as a
//! busy lane's devices speak, and as fast as it goes.
//!
//! Run by hand: `cargo bench -p tollhouse-drivers --profile release --bench plugin`. It needs a C compiler named `cc`, and
//! prints the table of docs/benchmarks.md.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tollhouse_core::id::{CommandId, DeviceId};
use tollhouse_drivers::event::{DeviceEvent, Presence, What};
use tollhouse_drivers::link::{DeviceCommand, DeviceLink, EventSink, LinkState, Observer, Refused};
use tollhouse_drivers::plugin::{Allowance, Patience, PluginConfig, PluginHost, Trust};

const DEVICE: &str = "gate-in-2";
/// A command is three frames of the child: its event, its completion, the answer to the ping behind it. The host reads at
/// most 1,000 a second.
const COMMANDS_A_SECOND: u64 = 300;
const EVENTS_A_SECOND: u64 = 900;
/// So many of each.
const TIMES: u32 = 1800;
/// What the host takes from a child at once, in commands, and the pause until it does so again.
const AT_ONCE: u32 = 30;
const PAUSE: Duration = Duration::from_millis(150);
/// About what a command and its answers weigh.
const FLOOR_BYTES: usize = 200;

/// An event as it reached the box, and when.
type Heard = (DeviceEvent, Instant, DateTime<Utc>);

struct Sink(UnboundedSender<Heard>);

impl EventSink for Sink {
    fn offer(&self, event: DeviceEvent) -> Result<(), DeviceEvent> {
        self.0.send((event, Instant::now(), Utc::now())).map_err(|unsent| unsent.0.0)
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

fn row(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1e6;
    println!("| {what} | {:.1} | {:.1} | {} |", at(50), at(99), times.len());
}

/// Compiles one of the C files beside this one.
fn compiled(folder: &Path, name: &str, more: &[&str]) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = folder.join(name);
    let status = Command::new("cc")
        .args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(root.join("../plugins/abi"))
        .arg("-o")
        .args([&made, &root.join("benches").join(name).with_extension("c")])
        .args(more)
        .status();
    assert!(status.expect("a C compiler named cc").success(), "{name} does not compile");
    made
}

/// So many a second, or as fast as it goes.
#[derive(Clone, Copy)]
enum Pace {
    EachSecond(u64),
    Unpaced,
}

impl Pace {
    fn words(self) -> String {
        match self {
            Self::EachSecond(rate) => format!("{rate} a second"),
            Self::Unpaced => "one after the other".to_owned(),
        }
    }

    fn every_us(self) -> u64 {
        match self {
            Self::EachSecond(rate) => 1_000_000 / rate,
            Self::Unpaced => 0,
        }
    }
}

fn floor(folder: &Path, pace: Pace) {
    let (mut ours, theirs) = UnixStream::pair().expect("a socket pair");
    let mut echo = Command::new(compiled(folder, "echo", &[]))
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()
        .expect("the echo runs");
    let mut bytes = [0; FLOOR_BYTES];
    let begun = Instant::now();
    let times = (0..TIMES)
        .map(|number| {
            let due = begun + Duration::from_micros(pace.every_us()) * number;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let start = Instant::now();
            ours.write_all(&bytes).expect("sent");
            ours.read_exact(&mut bytes).expect("came back");
            start.elapsed()
        })
        .collect();
    row(&format!("floor: bare Unix socket, there and back, {}", pace.words()), times);
    drop(ours);
    echo.wait().expect("it ends with its socket");
}

fn in_process(folder: &Path, library: &Path, pace: Pace) {
    let program = compiled(folder, "in_process", &["-ldl"]);
    let (count, every) = (TIMES.to_string(), pace.every_us().to_string());
    let output = Command::new(program).arg(library).args([count, every]).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).expect("numbers");
    let (to_event, to_answer) = lines
        .lines()
        .map(|line| {
            let (event, answer) = line.split_once(' ').expect("two numbers");
            let time = |text: &str| Duration::from_nanos(text.parse().expect("nanoseconds"));
            (time(event), time(answer))
        })
        .unzip();
    row(&format!("in process: command to its event, {}", pace.words()), to_event);
    row(&format!("in process: command to its answer, {}", pace.words()), to_answer);
}

struct Bench {
    host: PluginHost,
    events: UnboundedReceiver<Heard>,
}

impl Bench {
    async fn start(library: &Path, config: Value) -> Self {
        let device = DeviceId::new(DEVICE).expect("a device");
        let (sender, events) = unbounded_channel();
        let config = PluginConfig {
            name: "bench".to_owned(),
            library: library.to_owned(),
            host_executable: env!("CARGO_BIN_EXE_tollhouse-plugin-host").into(),
            config,
            devices: vec![device],
            trust: Trust::unsigned(),
            allowance: Allowance::default(),
            patience: Patience::default(),
        };
        let host = PluginHost::start(config, Arc::new(Utc::now), Arc::new(Sink(sender)), Arc::new(Silent));
        let mut bench = Self { host: host.expect("the driver"), events };
        let (said, ..) = bench.next().await;
        assert!(matches!(said, What::Availability(_)), "it is online: {said:?}");
        bench
    }

    /// The next thing that a driver said; its receipt is done, as a lane's is once all is durable.
    async fn next(&mut self) -> (What, Instant, DateTime<Utc>) {
        let (event, at, time) = self.events.recv().await.expect("the host holds the sender");
        event.receipt.done();
        (event.what, at, time)
    }

    /// The time that stands in a plate's id, from which it came to the box by then.
    fn since(what: &What, time: DateTime<Utc>) -> Duration {
        let What::Plate(read) = what else { panic!("a plate is expected, not {what:?}") };
        let said: i64 = read.head.event_id.as_str()[1..].parse().expect("nanoseconds");
        let now = time.timestamp_nanos_opt().expect("a time of this century");
        Duration::from_nanos(u64::try_from(now - said).unwrap_or_default())
    }

    /// Commands through the host and back.
    async fn commands(mut self, pace: Pace) {
        let (mut to_driver, mut to_event, mut to_answer) = (Vec::new(), Vec::new(), Vec::new());
        let begun = tokio::time::Instant::now();
        for number in 0..TIMES {
            match pace {
                Pace::EachSecond(_) => {
                    tokio::time::sleep_until(begun + Duration::from_micros(pace.every_us()) * number).await;
                }
                Pace::Unpaced if number % AT_ONCE == 0 => tokio::time::sleep(PAUSE).await,
                Pace::Unpaced => {}
            }
            let mut id = [0; 16];
            id[..4].copy_from_slice(&number.to_le_bytes());
            let command = DeviceCommand {
                device: DeviceId::new(DEVICE).expect("a device"),
                cmd_id: CommandId::from_bytes(id),
                name: "open",
                args: json!({}),
                expires_at: Utc::now() + TimeDelta::seconds(10),
            };
            let (start, start_time) = (Instant::now(), Utc::now());
            self.host.send(command).expect("queued");
            let (event, at, time) = self.next().await;
            to_event.push(at.duration_since(start));
            let back = Self::since(&event, time);
            let there = time.signed_duration_since(start_time).to_std().unwrap_or_default();
            to_driver.push(there.saturating_sub(back));
            let (answer, at, _) = self.next().await;
            assert!(matches!(answer, What::Ack(_)), "an answer is expected, not {answer:?}");
            to_answer.push(at.duration_since(start));
        }
        self.host.shutdown().await;
        row(&format!("host: command to the driver, {}", pace.words()), to_driver);
        row(&format!("host: command to its event, {}", pace.words()), to_event);
        row(&format!("host: command to its answer, {}", pace.words()), to_answer);
    }

    /// Events that the driver says by itself.
    async fn spoken(mut self) {
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let (event, _, time) = self.next().await;
            times.push(Self::since(&event, time));
        }
        self.host.shutdown().await;
        row(&format!("host: event from the driver, {}", Pace::EachSecond(EVENTS_A_SECOND).words()), times);
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let library = compiled(folder, "measured", &["-shared", "-fPIC", "-fvisibility=hidden", "-pthread"]);
    println!("| | p50 microseconds | p99 microseconds | of |\n| --- | --- | --- | --- |");
    for pace in [Pace::EachSecond(COMMANDS_A_SECOND), Pace::Unpaced] {
        in_process(folder, &library, pace);
        floor(folder, pace);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let bench = Bench::start(&library, json!({"device": DEVICE})).await;
            bench.commands(pace).await;
        });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let config = json!({"device": DEVICE, "every_us": 1_000_000 / EVENTS_A_SECOND});
        Bench::start(&library, config).await.spoken().await;
    });
}
