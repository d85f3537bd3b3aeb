//! The place of one driver instance: its devices stand here whatever version runs behind them, or none.
//!
//! It owns the host that runs now. Which version that should be is for [`super::desk`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tollhouse_core::id::DeviceId;
use tollhouse_drivers::link::LinkState;
use tollhouse_drivers::plugin::{self, Patience, PluginHost, SealedLibrary, Standing, Trust};
use tollhouse_drivers::{Clock, DeviceCommand, DeviceLink, EventSink, LinkError, Observer};

use super::order::InstanceStanding;
use super::plan::Instance;
use crate::config::{Config, DriverSource, LaneConfig, PluginConfig};

/// Above what loading, `create` and `start` may take together.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// What a running box gives its drivers to work with.
#[derive(Clone)]
pub struct Surroundings {
    /// The box's clock.
    pub clock: Clock,
    /// Where events go.
    pub sink: Arc<dyn EventSink>,
    /// Who hears of links and refusals.
    pub observer: Arc<dyn Observer>,
    /// The executable that children are started from: the box's own.
    pub executable: std::path::PathBuf,
}

/// The places of the configured instances, each with the lanes that need it.
pub fn slots(config: &Config) -> Vec<Arc<DriverSlot>> {
    let lanes_of = |devices: &[DeviceId]| {
        let needs = |lane: &&LaneConfig| lane.devices().iter().any(|device| devices.contains(device));
        config.lanes.iter().filter(needs).map(|lane| lane.id.to_string()).collect()
    };
    let slot = |plugin: &PluginConfig| Arc::new(DriverSlot::new(plugin.clone(), lanes_of(&plugin.devices)));
    config.plugins.iter().map(slot).collect()
}

/// See the module.
pub struct DriverSlot {
    config: PluginConfig,
    lanes: Vec<String>,
    host: ArcSwapOption<PluginHost>,
    wrong: Mutex<Option<String>>,
}

impl DriverSlot {
    /// The place of a configured instance; nothing runs in it yet.
    pub fn new(config: PluginConfig, lanes: Vec<String>) -> Self {
        Self { config, lanes, host: ArcSwapOption::empty(), wrong: Mutex::default() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// What the configuration says of it.
    pub fn config(&self) -> &PluginConfig {
        &self.config
    }

    /// The id of the installed driver that it runs; of one that runs a file, none.
    pub fn installed(&self) -> Option<&str> {
        match &self.config.driver {
            DriverSource::Installed(id) => Some(id),
            DriverSource::File(_) => None,
        }
    }

    /// As a plan sees it.
    pub fn instance(&self) -> Option<Instance> {
        let driver = self.installed()?.to_owned();
        Some(Instance { name: self.config.name.clone(), driver, lanes: self.lanes.clone() })
    }

    /// What runs in it.
    pub fn host(&self) -> Option<Arc<PluginHost>> {
        self.host.load_full()
    }

    /// Says why nothing runs.
    pub fn wrong(&self, why: Option<String>) {
        *self.wrong.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Starts a library in an empty place.
    pub fn start(&self, library: SealedLibrary, around: &Surroundings) -> Arc<PluginHost> {
        let config = plugin::PluginConfig {
            name: self.config.name.clone(),
            library: library.path().to_owned(),
            host_executable: around.executable.clone(),
            config: self.config.config.clone(),
            devices: self.config.devices.clone(),
            // The library was taken in already, by whatever trust the box had then.
            trust: Trust::default(),
            allowance: self.config.allowance.clone(),
            patience: Patience::default(),
        };
        let (clock, sink, observer) = (around.clock.clone(), Arc::clone(&around.sink), Arc::clone(&around.observer));
        let host = Arc::new(PluginHost::start_sealed(config, library, clock, sink, observer));
        self.wrong(None);
        self.host.store(Some(Arc::clone(&host)));
        host
    }

    /// Runs a library instead of what runs, or in the empty place. In words, why it does not become ready; then the place
    /// is as it was.
    pub async fn switch(&self, library: SealedLibrary, around: &Surroundings) -> Result<(), String> {
        if let Some(host) = self.host() {
            return host.replace(library).await;
        }
        let host = self.start(library, around);
        let mut status = host.watch();
        let decided = status.wait_for(|status| status.standing == Standing::Ready || status.failures > 0);
        let why = match tokio::time::timeout(READY_WITHIN, decided).await {
            Ok(Ok(status)) if status.standing == Standing::Ready => return Ok(()),
            Ok(Ok(status)) => status.last_fault.clone().unwrap_or_else(|| "it went down".to_owned()),
            Ok(Err(_)) => "its host has ended".to_owned(),
            Err(_) => "it was not ready in time".to_owned(),
        };
        self.clear(around).await;
        self.wrong(Some(why.clone()));
        Err(why)
    }

    /// Takes away what runs.
    pub async fn clear(&self, around: &Surroundings) {
        if let Some(host) = self.host.swap(None) {
            host.retire().await;
            host.shutdown().await;
            around.observer.link(&self.config.name, LinkState::Down);
        }
        self.wrong(Some("its driver was removed".to_owned()));
    }

    /// How it stands.
    pub fn standing(&self, meant: Option<String>) -> InstanceStanding {
        let host = self.host();
        let status = host.as_ref().map(|host| host.status());
        let proved = host.as_ref().and_then(|host| host.identity().signed.map(|(statement, _)| statement));
        let said = status.as_ref().and_then(|status| status.driver.as_ref());
        let version = proved.as_ref().map(|proved| proved.version.to_string());
        let id = self.installed().map(str::to_owned).or_else(|| proved.map(|proved| proved.id));
        let library = match &self.config.driver {
            DriverSource::File(path) => Some(path.display().to_string()),
            DriverSource::Installed(_) => None,
        };
        let state = match status.as_ref().map(|status| status.standing) {
            Some(Standing::Ready) => "ready",
            Some(Standing::Starting) => "starting",
            Some(Standing::Waiting) => "waiting",
            Some(Standing::Quarantined) => "quarantined",
            None => "absent",
        };
        InstanceStanding {
            name: self.config.name.clone(),
            driver: id.or_else(|| said.map(|said| said.id.clone())),
            library,
            version: version.or_else(|| said.map(|said| said.version.clone())).or(meant),
            state: state.to_owned(),
            pid: status.as_ref().and_then(|status| status.pid),
            restarts: status.as_ref().map_or(0, |status| status.restarts),
            failures: status.as_ref().map_or(0, |status| status.failures),
            fault: match &status {
                Some(status) => status.last_fault.clone(),
                None => self.wrong.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            },
            devices: self.config.devices.iter().map(ToString::to_string).collect(),
            lanes: self.lanes.clone(),
        }
    }
}

impl DeviceLink for DriverSlot {
    fn send(&self, command: DeviceCommand) -> Result<(), LinkError> {
        match &*self.host.load() {
            Some(host) => host.send(command),
            None => Err(LinkError::NoDriver(command.device)),
        }
    }
}
