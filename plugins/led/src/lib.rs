//! LED and voice boards on a serial line, or behind a serial server on the network.
//!
//! One instance is one board. It owns the driver's face to the host; the frames are in `tollhouse_field::board`, the line
//! is in [`talk`]. It must not know the box.

mod config;
mod talk;

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use serde_json::Value;
use tollhouse_field::board;
use tollhouse_sdk::{Command, Driver, Host, Pending, Refusal, Status};

use config::Config;
use talk::Job;

/// At most so many frames wait for the board.
const MOST_QUEUED: usize = 16;

/// One board.
struct Led {
    host: Host,
    config: Config,
    running: Option<(SyncSender<Job>, JoinHandle<()>)>,
}

impl Driver for Led {
    const DESCRIPTOR: &'static str = config::DESCRIPTOR;
    type Config = Config;

    fn create(host: Host, config: Config) -> Result<Self, Refusal> {
        Ok(Self { host, config, running: None })
    }

    fn start(&mut self) -> Result<(), Refusal> {
        let (sender, jobs) = sync_channel(MOST_QUEUED);
        let (host, config) = (self.host, self.config.clone());
        let thread = std::thread::Builder::new()
            .name("led".to_owned())
            .spawn(move || talk::run(host, &config, &jobs))
            .map_err(|fault| Refusal::new(Status::Internal, format!("no thread for the board: {fault}")))?;
        self.running = Some((sender, thread));
        Ok(())
    }

    fn command(&mut self, command: Command, pending: Pending) {
        let Some((jobs, _)) = &self.running else {
            return pending.refuse(&Refusal::new(Status::Offline, "the driver is not running"));
        };
        let frame = match frame(&self.config, &command) {
            Ok(frame) => frame,
            Err(refusal) => return pending.refuse(&refusal),
        };
        match jobs.try_send(Job { frame, deadline_ms: command.deadline_ms, pending }) {
            Ok(()) => {}
            Err(TrySendError::Full(job)) => {
                job.pending.refuse(&Refusal::new(Status::Busy, "too much waits for the board"));
            }
            Err(TrySendError::Disconnected(job)) => {
                job.pending.refuse(&Refusal::new(Status::Internal, "the board's thread has ended"));
            }
        }
    }

    fn stop(&mut self) {
        if let Some((jobs, thread)) = self.running.take() {
            drop(jobs);
            // A panic of the thread was logged by its own hook; there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

fn frame(config: &Config, command: &Command) -> Result<Vec<u8>, Refusal> {
    if command.device != config.display {
        return Err(Refusal::new(Status::Invalid, format!("no device {} here", command.device)));
    }
    match command.name.as_str() {
        "display" => {
            let lines = command.args.get("lines").and_then(Value::as_array);
            let lines: Vec<&str> = lines.into_iter().flatten().filter_map(Value::as_str).collect();
            if lines.is_empty() {
                return Err(Refusal::new(Status::Invalid, "display needs lines"));
            }
            Ok(board::lines(config.address, &lines, "", config.style()))
        }
        "speak" => {
            let text = command.args.get("text").and_then(Value::as_str).filter(|text| !text.is_empty());
            let text = text.ok_or_else(|| Refusal::new(Status::Invalid, "speak needs a text"))?;
            Ok(board::speak(config.address, text))
        }
        other => Err(Refusal::new(Status::Unsupported, format!("a board does not {other}"))),
    }
}

tollhouse_sdk::export_driver!(Led);
