//! Hikvision plate cameras and the barriers behind them, over ISAPI.
//!
//! One instance is one camera. It owns the driver's face to the host and its threads. It must not know the box.

mod config;
mod control;
mod device;
mod digest;
mod event;
mod events;
mod gate;
mod list;
mod multipart;
mod xml;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use tollhouse_field::StopSignal;
use tollhouse_field::http::{Listener, Server};
use tollhouse_sdk::{Command, Driver, Host, LogLevel, Pending, Refusal, Status, Whitelist, WhitelistPart};

use config::{Config, Events};
use control::Job;
use device::Device;
use events::{MOST_POST_BYTES, Posts};
use gate::Gate;

/// For the fuzz targets alone: the readers of what a camera sends.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::event::read;
    pub use crate::multipart::{MAX_PART_BYTES, Multipart};
}

/// At most so many commands wait for the camera.
const MOST_QUEUED: usize = 32;

/// One camera.
struct Hikvision {
    gate: Arc<Gate>,
    running: Option<Running>,
}

struct Running {
    stop: StopSignal,
    jobs: SyncSender<Job>,
    lists: SyncSender<list::Job>,
    server: Option<Server>,
    threads: Vec<JoinHandle<()>>,
}

impl Driver for Hikvision {
    const DESCRIPTOR: &'static str = config::DESCRIPTOR;
    type Config = Config;

    fn create(host: Host, config: Config) -> Result<Self, Refusal> {
        Ok(Self { gate: Arc::new(Gate::new(host, config)), running: None })
    }

    fn start(&mut self) -> Result<(), Refusal> {
        let stop = StopSignal::default();
        let device = Arc::new(Device::new(&self.gate.config));
        let server = match self.gate.config.events {
            Events::Push { listen, from } => {
                let listener = Listener { address: listen, from, most_body_bytes: MOST_POST_BYTES };
                let posts = Arc::new(Posts(Arc::clone(&self.gate)));
                let server = Server::start(listener, posts, stop.clone())
                    .map_err(|fault| Refusal::new(Status::Invalid, format!("it cannot listen on {listen}: {fault}")))?;
                self.gate.host.log(LogLevel::Info, &format!("listening on {}", server.address()));
                Some(server)
            }
            Events::Pull {} => None,
        };
        let mut threads = Vec::new();
        if server.is_none() {
            let (gate, device, stop) = (Arc::clone(&self.gate), Arc::clone(&device), stop.clone());
            threads.push(thread("alert-stream", move || events::pull(&gate, &device, &stop))?);
        }
        let (jobs, jobs_in) = sync_channel(MOST_QUEUED);
        let (gate, theirs, until) = (Arc::clone(&self.gate), Arc::clone(&device), stop.clone());
        threads.push(thread("control", move || control::run(&gate, &theirs, &jobs_in, &until))?);
        let (lists, lists_in) = sync_channel(1);
        let (gate, until) = (Arc::clone(&self.gate), stop.clone());
        threads.push(thread("list", move || list::run(&gate, &device, &lists_in, &until))?);
        self.running = Some(Running { stop, jobs, lists, server, threads });
        Ok(())
    }

    fn command(&mut self, command: Command, pending: Pending) {
        let Some(Running { jobs, .. }) = &self.running else {
            return pending.refuse(&Refusal::new(Status::Offline, "the driver is not running"));
        };
        match jobs.try_send(Job { command, pending }) {
            Ok(()) => {}
            Err(TrySendError::Full(job)) => {
                job.pending.refuse(&Refusal::new(Status::Busy, "too many commands wait for the camera"));
            }
            Err(TrySendError::Disconnected(job)) => {
                job.pending.refuse(&Refusal::new(Status::Internal, "the camera's thread has ended"));
            }
        }
    }

    fn stop(&mut self) {
        let Some(Running { stop, jobs, lists, server, threads }) = self.running.take() else { return };
        stop.stop();
        drop((jobs, lists));
        drop(server);
        for thread in threads {
            // A panic of a thread was logged by its own hook; there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

impl Whitelist for Hikvision {
    fn replace(&mut self, part: WhitelistPart, pending: Pending) {
        let refuse = |pending: Pending, status, words: &str| pending.refuse(&Refusal::new(status, words));
        if part.device != self.gate.config.camera {
            return refuse(pending, Status::Invalid, "that device keeps no list");
        }
        let Some(Running { lists, .. }) = &self.running else {
            return refuse(pending, Status::Offline, "the driver is not running");
        };
        if let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) =
            lists.try_send(list::Job { part, pending })
        {
            refuse(job.pending, Status::Busy, "a part is on its way already");
        }
    }

    fn capacity(&self, _device: &str) -> Option<u64> {
        None
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Refusal> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map_err(|fault| Refusal::new(Status::Internal, format!("no thread: {fault}")))
}

tollhouse_sdk::export_driver!(Hikvision, whitelist);
