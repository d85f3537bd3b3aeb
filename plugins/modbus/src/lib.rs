//! Barriers, loops and buttons behind a Modbus relay and input board, over TCP or a serial line.
//!
//! One instance is one board. It owns the driver's face to the host; the talk with the board is in [`board`], on a thread
//! of its own. It must not know the box.

mod board;
mod config;
mod frame;
mod lane;
mod pdu;

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use tollhouse_sdk::{Command, Driver, Host, Pending, Refusal, Status};

use board::{Job, Worker};
use config::Config;

/// For the fuzz target alone: the readers of what a board says.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::frame::read_answer;
    pub use crate::pdu::{Level, Request};
}

/// At most so many commands wait for the board.
const MOST_QUEUED: usize = 64;

/// One board.
struct Modbus {
    host: Host,
    config: Config,
    worker: Option<(SyncSender<Job>, JoinHandle<()>)>,
}

impl Driver for Modbus {
    const DESCRIPTOR: &'static str = config::DESCRIPTOR;
    type Config = Config;

    fn create(host: Host, config: Config) -> Result<Self, Refusal> {
        match config.fault() {
            Some(fault) => Err(Refusal::new(Status::Invalid, fault)),
            None => Ok(Self { host, config, worker: None }),
        }
    }

    fn start(&mut self) -> Result<(), Refusal> {
        let (sender, jobs) = sync_channel(MOST_QUEUED);
        let worker = Worker::new(self.host, self.config.clone(), jobs);
        let thread = std::thread::Builder::new()
            .name("modbus".to_owned())
            .spawn(move || worker.run())
            .map_err(|fault| Refusal::new(Status::Internal, format!("no thread for the board: {fault}")))?;
        self.worker = Some((sender, thread));
        Ok(())
    }

    fn command(&mut self, command: Command, pending: Pending) {
        let Some((sender, _)) = &self.worker else {
            return pending.refuse(&Refusal::new(Status::Offline, "the driver is not running"));
        };
        match sender.try_send(Job { command, pending }) {
            Ok(()) => {}
            Err(TrySendError::Full(job)) => {
                job.pending.refuse(&Refusal::new(Status::Busy, "too many commands wait for the board"));
            }
            Err(TrySendError::Disconnected(job)) => {
                job.pending.refuse(&Refusal::new(Status::Internal, "the board's thread has ended"));
            }
        }
    }

    fn stop(&mut self) {
        if let Some((sender, thread)) = self.worker.take() {
            drop(sender);
            // A panic of the thread was logged by its own hook; there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

tollhouse_sdk::export_driver!(Modbus);
