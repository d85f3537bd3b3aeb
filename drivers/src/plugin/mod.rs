//! Drivers that vendors ship as shared libraries, each instance in a child process of the box's own executable.
//!
//! This module owns both sides of that process boundary: the parent ([`PluginHost`]) that starts, watches, kills and
//! starts again, and the child ([`child_main`]) that loads the library and calls it through `plugins/abi`. The child is
//! taken to be hostile: what comes from it is bounded, and anything malformed ends it. Whatever a driver does, the lanes
//! see no more than devices that go offline, come back with a new boot id, and commands whose outcome is unknown.
//!
//! Nothing of a library runs before the box has taken it in ([`SealedLibrary`]): copied into sealed memory, its signature
//! held against the configured keys ([`Trust`]), its needs read from the ELF tables. The child locks itself up before it
//! loads that very copy: limits, no privileges, landlock, a filter on system calls. Then it says who it is, and is created
//! only if that agrees with what was signed.
//!
//! It must not know what a device is for: no policy, no lanes.

mod backoff;
mod births;
mod chatter;
mod child;
mod confine;
mod delivery;
mod describe;
mod descriptor;
mod elf;
mod frame;
mod guest;
mod hearing;
mod library;
mod life;
mod pace;
mod probe;
mod process;
mod reply;
mod report;
mod roster;
pub(crate) mod schema;
mod sealed;
pub mod signature;
mod supervisor;
mod trust;
mod whitelist;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tollhouse_core::id::{BootId, DeviceId};

use crate::link::{Clock, DeviceCommand, DeviceLink, EventSink, LinkError, Observer};

pub use child::child_main;
pub use confine::{Allowance, FileWall, file_wall};
pub use describe::{DescribeError, describe, describe_sealed};
pub use descriptor::Descriptor;
pub use probe::{PROBE_ARGUMENT, probe_main};
pub use sealed::{LibraryError, SealedLibrary, signature_text};
pub use trust::{Identity, Revoked, Trust, TrustError, Unsigned, VendorKey};

/// The hidden first argument under which the executable is a plugin host's child.
pub const CHILD_ARGUMENT: &str = "__plugin-host";
/// At most so many commands wait for a driver that is away.
const MOST_COMMANDS_WAITING: usize = 256;
/// At most so many of a person's orders wait.
const MOST_ORDERS_WAITING: usize = 4;

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
    /// Which libraries are run.
    pub trust: Trust,
    /// What the instance may use beyond what every driver may.
    pub allowance: Allowance,
    /// How patient the host is.
    pub patience: Patience,
}

/// How long the host waits for what. The defaults are for an installed box; tests are in more of a hurry.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the child to lock itself up and load the library.
    pub load: Duration,
    /// For `create`.
    pub create: Duration,
    /// For `start`.
    pub start: Duration,
    /// Between two pings; one more goes out with each command.
    pub ping_every: Duration,
    /// For the answer to a ping, and so for `command` to return; then the child counts as hung.
    pub ping_answer: Duration,
    /// For `stop` and `destroy` when the host closes.
    pub stop: Duration,
    /// Before the first restart; doubled each time.
    pub first_backoff: Duration,
    /// Before any restart.
    pub longest_backoff: Duration,
    /// After so long without a fault the backoff begins anew.
    pub healthy_after: Duration,
    /// So many failures in a row, and the driver is left alone.
    pub most_failures: u32,
    /// For so long; then it is tried once.
    pub quarantine: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            load: Duration::from_secs(5),
            create: Duration::from_secs(5),
            start: Duration::from_secs(5),
            ping_every: Duration::from_secs(1),
            ping_answer: Duration::from_secs(2),
            stop: Duration::from_secs(2),
            first_backoff: Duration::from_millis(100),
            longest_backoff: Duration::from_secs(5),
            healthy_after: Duration::from_secs(60),
            most_failures: 15,
            quarantine: Duration::from_secs(600),
        }
    }
}

/// How an instance stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Standing {
    /// On its way.
    #[default]
    Starting,
    /// At work.
    Ready,
    /// It failed, and is started again soon.
    Waiting,
    /// It failed too often, and is left alone for a while.
    Quarantined,
}

/// What the host knows about its child now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginStatus {
    /// How it stands.
    pub standing: Standing,
    /// The child's process id, while there is one.
    pub pid: Option<u32>,
    /// The driver's run, while it is ready.
    pub boot_id: Option<BootId>,
    /// The driver's descriptor, since it was first loaded.
    pub driver: Option<Descriptor>,
    /// How often it became ready again.
    pub restarts: u64,
    /// How often it failed, ready or not.
    pub failures: u64,
    /// Why it last went down, in words.
    pub last_fault: Option<String>,
    /// How long it was left alone after that.
    pub last_wait: Option<Duration>,
}

/// A running driver instance, as a link to its devices. Dropping it ends the child; [`PluginHost::shutdown`] waits for that.
#[derive(Debug)]
pub struct PluginHost {
    devices: Vec<DeviceId>,
    commands: mpsc::Sender<DeviceCommand>,
    orders: mpsc::Sender<supervisor::Order>,
    status: Arc<watch::Sender<PluginStatus>>,
    identity: Mutex<Identity>,
    close: Mutex<Option<oneshot::Sender<()>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl PluginHost {
    /// Starts the instance; it must be called inside a tokio runtime. The library is taken in at once, so that a file that
    /// is no driver, is not trusted or does not fit is refused in words. Everything later (it does not load, it crashes)
    /// is the driver's state.
    pub fn start(
        config: PluginConfig,
        clock: Clock,
        sink: Arc<dyn EventSink>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, LibraryError> {
        let library = SealedLibrary::take(&config.library, &config.trust)?;
        Ok(Self::start_sealed(config, library, clock, sink, observer))
    }

    /// The same with a library that the box has taken in already, whatever the configuration's path says.
    pub fn start_sealed(
        config: PluginConfig,
        library: SealedLibrary,
        clock: Clock,
        sink: Arc<dyn EventSink>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let identity = Mutex::new(library.identity().clone());
        let (commands, commands_in) = mpsc::channel(MOST_COMMANDS_WAITING);
        let (orders, orders_in) = mpsc::channel(MOST_ORDERS_WAITING);
        let (close, closing) = oneshot::channel();
        let status = Arc::new(watch::Sender::new(PluginStatus::default()));
        let devices = config.devices.clone();
        let shell = supervisor::Shell { clock, observer, status: Arc::clone(&status) };
        let inbox = supervisor::Inbox { commands: commands_in, orders: orders_in };
        let supervisor = supervisor::Supervisor::new(config, library, shell, sink, inbox);
        let task = Mutex::new(Some(tokio::spawn(supervisor.run(closing))));
        Self { devices, commands, orders, status, identity, close: Mutex::new(Some(close)), task }
    }

    /// What the host knows about its child now.
    pub fn status(&self) -> PluginStatus {
        self.status.borrow().clone()
    }

    /// The same, to wait on.
    pub fn watch(&self) -> watch::Receiver<PluginStatus> {
        self.status.subscribe()
    }

    /// Who the library is that runs, as far as it is proved.
    pub fn identity(&self) -> Identity {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts a driver that waits or is in quarantine at once, as if it had never failed.
    pub async fn release(&self) {
        // A host that is closed has nothing to release.
        let _ = self.orders.send(supervisor::Order::Release).await;
    }

    /// Stops the driver and runs another library in its place; commands under way end with an unknown outcome. Returns once
    /// the new one is ready. If it does not become ready, the one before it runs again, and the words say why.
    pub async fn replace(&self, library: SealedLibrary) -> Result<(), String> {
        let closed = || "the driver's host is closed".to_owned();
        let identity = library.identity().clone();
        let (answer, answered) = oneshot::channel();
        self.orders
            .send(supervisor::Order::Replace { library: Box::new(library), answer })
            .await
            .map_err(|_| closed())?;
        answered.await.map_err(|_| closed())??;
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = identity;
        Ok(())
    }

    /// Stops the driver because it is taken away: its devices go offline, and commands under way end with an unknown
    /// outcome. [`PluginHost::shutdown`] has to follow.
    pub async fn retire(&self) {
        let (answer, answered) = oneshot::channel();
        if self.orders.send(supervisor::Order::Retire { answer }).await.is_ok() {
            // A host that closes meanwhile has nothing more to say.
            let _ = answered.await;
        }
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

/// A text from a child, fit for logs and pages.
fn short(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
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
