//! The box's configuration: one TOML file, read whole, every fault told at once with its line.
//!
//! Owns the shape and the limits of the file (`systemd/tollhouse.toml` is the commented example). Looks at nothing but
//! the text: whether a folder can be written or a broker answers is for `tollhouse check`.

mod accounts;
mod bills;
mod books;
mod charging;
mod cross;
mod drivers;
mod invoices;
mod limits;
pub(crate) mod reader;
mod sections;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use rust_decimal::Decimal;
use serde::Serialize;
use tollhouse_core::books::Payee;
use tollhouse_core::charging::policy::ChargingPolicy;
use tollhouse_core::id::{AreaId, DeviceId, LaneId, LotId};
use tollhouse_core::invoice::Documents;
pub use tollhouse_core::lane::ConfirmedBy;
use tollhouse_core::money::Currency;
use tollhouse_core::user::RoleLimits;
use tollhouse_drivers::plugin::Allowance;

use crate::charging::bills::round::BillTimes;
pub use accounts::{AccountConfig, AtProvider, PlatformCertificates};
pub use books::BooksConfig;
pub use drivers::DriversConfig;
pub(crate) use sections::{LISTED_PLATES, SPARE_AFTER_MS};

/// The words that allow the sandbox provider on an installed box.
pub const SANDBOX_WORDS: &str = "no money is taken";
/// The largest file that is read: a lot with 256 lanes needs a quarter of it.
const MAX_FILE_BYTES: usize = 1 << 20;
/// The most lanes of one box.
pub const MAX_LANES: usize = 512;
/// The most areas that have places of their own.
pub const MAX_AREAS: usize = 64;
/// The most versions of a tariff that one box is told of.
pub const MAX_TARIFF_VERSIONS: usize = 64;
/// The most plugin instances of one box.
pub const MAX_PLUGINS: usize = 64;
/// The most vendors whose drivers one box trusts.
const MAX_VENDORS: usize = 64;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// The line, from 1; 0 stands for the file as a whole.
    pub line: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.message),
            line => write!(f, "line {line}: {}", self.message),
        }
    }
}

/// All that the box is told by its installer.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The car park.
    pub lot: LotConfig,
    /// Where the box keeps what it knows.
    pub store: StoreConfig,
    /// What it shows to browsers and programs.
    pub http: HttpConfig,
    /// The broker of the devices.
    pub mqtt: MqttConfig,
    /// What is left to the lot to decide.
    pub policy: PolicyConfig,
    /// The same for property charging.
    pub charging: ChargingPolicy,
    /// How drivers pay.
    pub payment: PaymentConfig,
    /// Our accounts at payment providers.
    pub accounts: Vec<AccountConfig>,
    /// Parts of the lot with places of their own.
    pub areas: Vec<AreaConfig>,
    /// Entries and exits.
    pub lanes: Vec<LaneConfig>,
    /// Which drivers' libraries are run at all.
    pub drivers: DriversConfig,
    /// Drivers that are loaded from libraries.
    pub plugins: Vec<PluginConfig>,
    /// How far each role may go where money is given up, where that differs from the rule.
    pub limits: RoleLimits,
    /// `[books]`
    pub books: BooksConfig,
    /// When the box bills by itself, and when it reminds.
    pub bills: BillTimes,
    /// What stands on invoices and receipts.
    pub documents: Documents,
}

/// `[lot]`
#[derive(Debug, Clone, PartialEq)]
pub struct LotConfig {
    /// Its name in topics and records.
    pub id: LotId,
    /// Its name for people.
    pub name: String,
    /// Where its midnight is.
    pub zone: chrono_tz::Tz,
    /// What it charges in.
    pub currency: Currency,
    /// Places.
    pub capacity: i64,
    /// The share of tax, as 0.09, that prices contain.
    pub tax_rate: Decimal,
    /// What a temporary stay costs.
    pub tariff: TariffSource,
}

/// Where the tariff of temporary stays stands. Its text is read, and checked, when the box starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TariffSource {
    /// Files: the versions of one tariff, each with its `in_force_from`.
    Files(Vec<PathBuf>),
    /// A text that the program carries with it.
    BuiltIn {
        /// As its faults name it.
        name: &'static str,
        /// The text of the file.
        text: &'static str,
    },
}

/// `[store]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// The data folder.
    pub data: PathBuf,
}

/// `[http]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// Where the box listens.
    pub listen: SocketAddr,
    /// How phones reach it, without a slash at the end; `None`: as the browser wrote it.
    pub public_url: Option<String>,
    /// Whether `/` shows the lot to everybody who can reach it.
    pub live_page: LivePage,
    /// A file whose first line is the password of `admin`; without it `admin` does not sign in by password.
    pub admin_password_file: Option<PathBuf>,
    /// Whose word about a client's address is taken: the tunnel's end on this machine, a web server in front.
    pub trusted_proxies: Vec<IpAddr>,
}

/// Whether the live page is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LivePage {
    /// To everybody who can reach the box.
    Open,
    /// To nobody.
    Off,
}

/// `[mqtt]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttConfig {
    /// The broker's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The box's client id, which keeps its session.
    pub client_id: String,
    /// How the box signs in, if it has to.
    pub username: Option<String>,
    /// A file whose first line is the password.
    pub password_file: Option<PathBuf>,
}

/// `[policy]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyConfig {
    /// What happens to a car at the exit that never came in, as far as the box knows.
    pub exit_without_entry: ExitWithoutEntry,
    /// What happens at the exit to a car whose pass did not cover all of its stay.
    pub holder_owes: HolderOwes,
    /// An event older than this is backlog and opens nothing.
    pub stale_after_s: u32,
    /// How long a command to a device is worth carrying out.
    pub command_ttl_s: u32,
    /// A lane without a passage signal counts the car as passed so long after the command.
    pub passed_after_s: u32,
}

/// What happens to a car at the exit without an entry on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitWithoutEntry {
    /// It leaves, and a case is kept.
    Open,
    /// It waits for a person.
    Attend,
}

/// What happens at the exit to a car whose pass did not cover all of its stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderOwes {
    /// It leaves, and its holder owes the rest.
    Arrears,
    /// It pays at the exit.
    Pays,
}

/// `[[areas]]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaConfig {
    /// Its name, as lanes and tariff call it.
    pub id: AreaId,
    /// Places for temporary cars.
    pub capacity: i64,
}

/// `[payment]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentConfig {
    /// Whether the sandbox provider is there.
    pub sandbox: Sandbox,
    /// How long an order can be paid.
    pub order_minutes: u32,
    /// The token of the QR codes inside the lot; without one nobody asks by plate.
    pub inside_token: Option<String>,
    /// How long a driver may type a password after a payment code was scanned.
    pub code_seconds: u32,
    /// Whose money the fee of a temporary stay is.
    pub temporary_payee: Payee,
}

/// Whether the sandbox provider is there, which lets cars out without money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sandbox {
    /// It is not.
    Off,
    /// It is, in so many words ([`SANDBOX_WORDS`]).
    On,
}

/// `[[lanes]]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneConfig {
    /// Its name.
    pub id: LaneId,
    /// In or out.
    pub direction: Direction,
    /// The area that it leads into or out of.
    pub area: AreaId,
    /// The area on its other side; `None`: the street.
    pub within: Option<AreaId>,
    /// What its QR code says.
    pub code: String,
    /// The device that opens it.
    pub barrier: DeviceId,
    /// The device that shows words to the driver.
    pub display: Option<DeviceId>,
    /// The devices that read plates there.
    pub cameras: Vec<DeviceId>,
    /// The cameras that stand in for those.
    pub spare_cameras: Vec<DeviceId>,
    /// How long a spare camera's read waits for a main camera's.
    pub spare_after_ms: u32,
    /// The device that feels a car under the barrier.
    pub loop_device: Option<DeviceId>,
    /// How the box learns that a car has passed.
    pub passed_by: PassedBy,
    /// The cameras that let in by themselves, from a list, while the box is away.
    pub self_opening: Vec<DeviceId>,
    /// So many plates go on a camera's list at most.
    pub whitelist_limit: u32,
    /// What proves that the barrier has opened.
    pub confirmed_by: ConfirmedBy,
}

/// In or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// In.
    Entry,
    /// Out.
    Exit,
}

/// How the box learns that a car has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassedBy {
    /// A device says so (`event/passed`).
    Event,
    /// No device does: the confirmed opening counts, or the time after the command.
    Opening,
}

/// `[[plugins]]`
#[derive(Debug, Clone, PartialEq)]
pub struct PluginConfig {
    /// The instance's name.
    pub name: String,
    /// What runs behind it.
    pub driver: DriverSource,
    /// The devices behind it.
    pub devices: Vec<DeviceId>,
    /// What it may use of the machine.
    pub allowance: Allowance,
    /// What the driver itself is told, an object.
    pub config: serde_json::Value,
}

/// Where an instance's driver comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriverSource {
    /// `library`: this file, as it lies when the box starts.
    File(PathBuf),
    /// `driver`: the installed driver of this id, in the version that is on record.
    Installed(String),
}

impl LaneConfig {
    /// The devices of this lane, each once.
    pub fn devices(&self) -> Vec<&DeviceId> {
        let mut devices = vec![&self.barrier];
        devices.extend(&self.cameras);
        devices.extend(&self.spare_cameras);
        devices.extend(&self.display);
        devices.extend(&self.loop_device);
        devices.sort();
        devices.dedup();
        devices
    }
}

impl Config {
    /// The areas that lanes lead into or out of, each once.
    pub fn areas(&self) -> Vec<AreaId> {
        let sides = |lane: &LaneConfig| [Some(lane.area.clone()), lane.within.clone()];
        let mut areas: Vec<AreaId> = self.lanes.iter().flat_map(sides).flatten().collect();
        areas.sort();
        areas.dedup();
        areas
    }

    /// Places for temporary cars in an area: its own, else the lot's.
    pub fn capacity_of(&self, area: &AreaId) -> i64 {
        self.areas.iter().find(|known| known.id == *area).map_or(self.lot.capacity, |known| known.capacity)
    }

    /// The devices that speak MQTT: those of the lanes that stand behind no plugin.
    pub fn mqtt_devices(&self) -> Vec<DeviceId> {
        let behind = |device: &DeviceId| self.plugins.iter().any(|plugin| plugin.devices.contains(device));
        let mut devices: Vec<DeviceId> =
            self.lanes.iter().flat_map(LaneConfig::devices).filter(|device| !behind(device)).cloned().collect();
        devices.sort();
        devices.dedup();
        devices
    }
}

/// Reads a file: all of it is right, or every fault is told, in the order of lines.
pub fn load(path: &Path) -> Result<Config, Vec<Fault>> {
    let whole = |message: String| vec![Fault { line: 0, message }];
    let bytes = std::fs::read(path).map_err(|error| whole(format!("{} cannot be read: {error}", path.display())))?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(whole(format!("{} is larger than 1 MiB: that is no configuration", path.display())));
    }
    let text = String::from_utf8(bytes).map_err(|_| whole(format!("{} is not UTF-8", path.display())))?;
    parse(&text)
}

/// Reads the text of a file.
pub fn parse(text: &str) -> Result<Config, Vec<Fault>> {
    let mut document = reader::Document::parse(text);
    let config = sections::read(&mut document);
    document.outcome(config)
}

#[cfg(test)]
mod tests;
