//! Drivers that vendors ship as shared libraries, each instance in a child process of the box's own executable.
//!
//! This module owns both sides of that process boundary: the parent ([`PluginHost`]) that starts, watches, kills and
//! starts again, and the child ([`child_main`]) that loads the library and calls it through `plugins/abi`. The child is
//! taken to be hostile: what comes from it is bounded, and anything malformed ends it. Whatever a driver does, the lanes
//! see no more than devices that go offline, come back with a new boot id, and commands whose outcome is unknown.
//!
//! The child confines itself before any thread runs: environment cleared, no new privileges, no core dump, few
//! descriptors, and the library opened from a sealed copy in memory, so that nothing changes between check and use. The
//! signature on the library, landlock and seccomp belong to a later issue and are not here: run only trusted libraries.
//!
//! It must not know what a device is for: no policy, no lanes.

mod child;
mod confine;
mod delivery;
mod frame;
mod guest;
mod library;
mod probe;
mod process;
mod reply;
mod report;
mod roster;
pub(crate) mod schema;
mod supervisor;
mod whitelist;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tollhouse_core::id::{BootId, DeviceId};

use crate::link::{Clock, DeviceCommand, DeviceLink, EventSink, LinkError, Observer};

pub use child::child_main;
pub use library::LibraryError;
pub use probe::{PROBE_ARGUMENT, probe_main};

/// The hidden first argument under which the executable is a plugin host's child.
pub const CHILD_ARGUMENT: &str = "__plugin-host";
/// At most so many commands wait for a driver that is away.
const MOST_COMMANDS_WAITING: usize = 256;

/// One instance of a driver.
#[derive(Debug, Clone)]
pub struct PluginConfig {
    /// The instance's name, for logs and the observer.
    pub name: String,
    /// The shared library.
    pub library: PathBuf,
    /// The executable whose `main` calls [`child_main`] first: in the appliance, itself.
    pub host_executable: PathBuf,
    /// What the driver's `create` is given.
    pub config: serde_json::Value,
    /// The devices that this instance may speak for.
    pub devices: Vec<DeviceId>,
    /// How patient the host is.
    pub patience: Patience,
}

/// How long the host waits for what. The defaults are for an installed box; tests are in more of a hurry.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the child's start to its readiness: loading, `create` and `start`.
    pub start: Duration,
    /// Between two pings.
    pub ping_every: Duration,
    /// For the answer to a ping; then the child counts as hung.
    pub ping_answer: Duration,
    /// For `stop` and `destroy` when the host closes.
    pub stop: Duration,
    /// Before the first restart; doubled each time.
    pub first_backoff: Duration,
    /// Before any restart.
    pub longest_backoff: Duration,
    /// After so long without a fault the backoff begins anew.
    pub healthy_after: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(10),
            ping_every: Duration::from_secs(1),
            ping_answer: Duration::from_secs(2),
            stop: Duration::from_secs(2),
            first_backoff: Duration::from_millis(100),
            longest_backoff: Duration::from_secs(5),
            healthy_after: Duration::from_secs(60),
        }
    }
}

/// What the host knows about its child now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginStatus {
    /// The child's process id, while there is one.
    pub pid: Option<u32>,
    /// The driver's run, while it is ready.
    pub boot_id: Option<BootId>,
    /// Id and version from the driver's descriptor, since it was first ready.
    pub driver: Option<(String, String)>,
    /// How often it was started again.
    pub restarts: u64,
    /// Why it last went down, in words.
    pub last_fault: Option<String>,
}

/// A running driver instance, as a link to its devices. Dropping it ends the child; [`PluginHost::shutdown`] waits for that.
#[derive(Debug)]
pub struct PluginHost {
    devices: Vec<DeviceId>,
    commands: mpsc::Sender<DeviceCommand>,
    status: Arc<Mutex<PluginStatus>>,
    close: Mutex<Option<oneshot::Sender<()>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl PluginHost {
    /// Starts the instance; it must be called inside a tokio runtime. The library is looked at at once, so that a file
    /// that cannot be one is refused in words. Everything later (it does not load, it crashes) is the driver's state.
    pub fn start(
        config: PluginConfig,
        clock: Clock,
        sink: Arc<dyn EventSink>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, LibraryError> {
        library::inspect(&config.library)?;
        let (commands, commands_in) = mpsc::channel(MOST_COMMANDS_WAITING);
        let (close, closing) = oneshot::channel();
        let status = Arc::new(Mutex::new(PluginStatus::default()));
        let devices = config.devices.clone();
        let shell = supervisor::Shell { clock, observer, status: Arc::clone(&status) };
        let supervisor = supervisor::Supervisor::new(config, shell, sink, commands_in);
        let task = Mutex::new(Some(tokio::spawn(supervisor.run(closing))));
        Ok(Self { devices, commands, status, close: Mutex::new(Some(close)), task })
    }

    /// What the host knows about its child now.
    pub fn status(&self) -> PluginStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops the driver, and returns when its process is gone.
    pub async fn shutdown(&self) {
        drop(self.close.lock().unwrap_or_else(PoisonError::into_inner).take());
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            // An error would be the task's panic, which has ended the child as well.
            let _ = task.await;
        }
    }
}

/// Whether the box would take an event of one of these devices as it stands; else why not. For the checker.
pub(crate) fn read_event(event: &str, devices: &[DeviceId]) -> Result<(), crate::wire::Refusal> {
    let event = serde_json::value::RawValue::from_string(event.to_owned())
        .map_err(|fault| (crate::link::Refused::BadJson, fault.to_string()))?;
    let mut run = report::Run::new(BootId::new("check").expect("a plain word is an id"));
    report::read(&event, devices, &mut run, chrono::Utc::now()).map(drop).map_err(|(_, refusal)| refusal)
}

impl DeviceLink for PluginHost {
    fn send(&self, command: DeviceCommand) -> Result<(), LinkError> {
        if !self.devices.contains(&command.device) {
            return Err(LinkError::UnknownDevice(command.device));
        }
        self.commands.try_send(command).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(command) => LinkError::Full(command.device),
            mpsc::error::TrySendError::Closed(_) => LinkError::Closed,
        })
    }
}
