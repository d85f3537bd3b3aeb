//! A barrier in safe Rust whose arm takes time: a thread moves it, and a command is completed when the arm has arrived.
//!
//! A real driver would talk to its device in [`Arm::travel`]. Configuration: `{"device":"gate-in-2","travel_ms":300}`.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tollhouse_sdk::{Command, Completion, Driver, Host, LogLevel, Pending, Refusal, Status, export_driver};

/// At most so many commands wait for the arm.
const MOST_WAITING: usize = 16;

/// What the configuration holds; the schema below says the same to the console.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    device: String,
    #[serde(default = "travel_ms")]
    travel_ms: u64,
}

fn travel_ms() -> u64 {
    300
}

/// The driver.
pub struct Barrier {
    host: Host,
    config: Config,
    arm: Option<(SyncSender<Job>, Sender<()>, JoinHandle<()>)>,
}

struct Job {
    command: Command,
    pending: Pending,
}

impl Driver for Barrier {
    const DESCRIPTOR: &'static str = r#"{
        "id": "example.barrier", "version": "1.0.0", "kinds": ["barrier"], "commands": ["open", "close"],
        "events": ["state/barrier"],
        "config": {
            "type": "object", "required": ["device"],
            "properties": {
                "device": {"type": "string", "title": "Barrier", "format": "tollhouse-device",
                           "pattern": "^[A-Za-z0-9_-]{1,64}$", "default": "gate-in-1"},
                "travel_ms": {"type": "integer", "minimum": 0, "maximum": 5000, "default": 300}
            }
        }
    }"#;
    type Config = Config;

    fn create(host: Host, config: Config) -> Result<Self, Refusal> {
        Ok(Self { host, config, arm: None })
    }

    fn start(&mut self) -> Result<(), Refusal> {
        let (sender, jobs) = sync_channel(MOST_WAITING);
        let (stop, stopping) = channel();
        let arm = Arm { host: self.host, config: self.config.clone(), stopping };
        arm.tell("down");
        let thread = std::thread::Builder::new()
            .name("arm".to_owned())
            .spawn(move || arm.work(&jobs))
            .map_err(|fault| Refusal::new(Status::Internal, format!("no thread for the arm: {fault}")))?;
        self.arm = Some((sender, stop, thread));
        Ok(())
    }

    fn command(&mut self, command: Command, pending: Pending) {
        if command.device != self.config.device {
            return pending.refuse(&Refusal::new(Status::Invalid, "no such device here"));
        }
        if !matches!(command.name.as_str(), "open" | "close") {
            return pending.refuse(&Refusal::new(Status::Unsupported, "it opens and closes"));
        }
        let Some((sender, ..)) = &self.arm else {
            return pending.refuse(&Refusal::new(Status::Offline, "the driver does not run"));
        };
        if let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) =
            sender.try_send(Job { command, pending })
        {
            job.pending.refuse(&Refusal::new(Status::Busy, "too many commands wait"));
        }
    }

    fn stop(&mut self) {
        if let Some((sender, stop, thread)) = self.arm.take() {
            drop((sender, stop));
            // A panic of the thread was logged by the SDK's or its own words; there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

/// The arm's own thread.
struct Arm {
    host: Host,
    config: Config,
    /// Closed when the driver stops.
    stopping: Receiver<()>,
}

impl Arm {
    fn work(&self, jobs: &Receiver<Job>) {
        for job in jobs {
            self.travel(job);
        }
    }

    fn travel(&self, Job { command, pending }: Job) {
        let travel = Duration::from_millis(self.config.travel_ms);
        if self.host.until(command.deadline_ms) <= travel {
            return pending
                .refuse(&Refusal::new(Status::Timeout, "there is not enough time left for the arm to travel"));
        }
        // A wait that stop can end: it must not have to wait for the arm.
        if self.stopping.recv_timeout(travel) != Err(RecvTimeoutError::Timeout) {
            return pending.refuse(&Refusal::new(Status::Offline, "the driver stops"));
        }
        self.tell(if command.name == "open" { "up" } else { "down" });
        pending.complete(Completion::Confirmed);
    }

    fn tell(&self, position: &str) {
        if self.host.emit(&self.config.device, "state/barrier", &json!({"position": position})).is_err() {
            self.host.log(LogLevel::Error, "the host did not take the arm's position");
        }
    }
}

export_driver!(Barrier);
