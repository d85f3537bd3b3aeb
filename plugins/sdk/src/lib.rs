//! Safe Rust over the driver ABI: implement [`Driver`], name it in [`export_driver!`], and never see a raw table.
//!
//! The SDK catches a panic at every boundary (it becomes [`Status::Internal`]), reads the configuration into the
//! driver's own type, and makes sure by type that each command is completed exactly once: a [`Pending`] is consumed by
//! completing it, and completes as `INTERNAL` when it is dropped instead. It must not know any device, nor the box.

mod boundary;
mod host;
mod pending;
mod whitelist;

pub use host::{EmitError, Host, Reply};
pub use pending::{Completion, Confirmation, Pending};
pub use tollhouse_abi::{LogLevel, Status};
pub use whitelist::{Whitelist, WhitelistPart, WhitelistPlate};

#[doc(hidden)]
pub use boundary::table;
#[doc(hidden)]
pub use tollhouse_abi::DriverTable;
#[doc(hidden)]
pub use whitelist::table as table_with_whitelist;

/// Why the driver does not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What the host sees.
    pub status: Status,
    /// What people see.
    pub reason: String,
}

impl Refusal {
    /// A refusal with the words for people.
    pub fn new(status: Status, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }
}

/// A command to one of the driver's devices.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// For whom.
    pub device: String,
    /// `open`, `close`, `reply` (see [`Reply`]), ..., or the driver's own with the prefix `x-`.
    pub name: String,
    /// The command's arguments.
    pub args: serde_json::Value,
    /// By [`Host::now_ms`]; after it the command must not be carried out.
    pub deadline_ms: u64,
}

/// A driver. All of it is called from one thread, one call at a time. `command` must return within 50 ms, `create` and
/// `start` within 5 s each, `stop` within 2 s; slow work belongs to threads of its own, which hold a copy of the [`Host`].
///
/// A panic in here is caught, logged, and answered as [`Status::Internal`], so a driver is built with `panic = "unwind"`.
pub trait Driver: Send + Sized + 'static {
    /// The descriptor's JSON (see the C header): static, so that it can be read without making anything.
    const DESCRIPTOR: &'static str;

    /// What the configuration holds.
    type Config: serde::de::DeserializeOwned;

    /// Makes an instance, touching no device yet.
    fn create(host: Host, config: Self::Config) -> Result<Self, Refusal>;

    /// Connects to the devices and begins to emit.
    fn start(&mut self) -> Result<(), Refusal>;

    /// Takes a command. It may be completed here, or later from any thread.
    fn command(&mut self, command: Command, pending: Pending);

    /// Ends what `start` began: every [`Pending`] is answered or dropped, and no thread of the driver runs afterwards.
    fn stop(&mut self);
}

/// Exports a [`Driver`] as the library's one symbol; with `, whitelist` behind it also as a [`Whitelist`].
///
/// ```
/// use tollhouse_sdk::{Command, Completion, Driver, Host, Pending, Refusal, Status};
///
/// struct Barrier {
///     host: Host,
///     device: String,
/// }
///
/// #[derive(serde::Deserialize)]
/// struct Config {
///     device: String,
/// }
///
/// impl Driver for Barrier {
///     const DESCRIPTOR: &'static str = r#"{"id":"example.barrier","version":"1.0.0","kinds":["barrier"],
///         "commands":["open"],"events":["state/barrier"],"config":{"type":"object","required":["device"],
///         "properties":{"device":{"type":"string"}}}}"#;
///     type Config = Config;
///
///     fn create(host: Host, config: Config) -> Result<Self, Refusal> {
///         Ok(Self { host, device: config.device })
///     }
///     fn start(&mut self) -> Result<(), Refusal> {
///         Ok(())
///     }
///     fn command(&mut self, command: Command, pending: Pending) {
///         if command.name != "open" {
///             return pending.refuse(&Refusal::new(Status::Unsupported, "it only opens"));
///         }
///         let up = serde_json::json!({"position": "up"});
///         match self.host.emit(&self.device, "state/barrier", &up) {
///             Ok(()) => pending.complete(Completion::Confirmed),
///             Err(_) => pending.refuse(&Refusal::new(Status::Internal, "the host did not hear it")),
///         }
///     }
///     fn stop(&mut self) {}
/// }
///
/// tollhouse_sdk::export_driver!(Barrier);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_driver {
    ($driver:ty) => {
        $crate::export_driver!(@ $crate::table::<$driver>());
    };
    ($driver:ty, whitelist) => {
        $crate::export_driver!(@ $crate::table_with_whitelist::<$driver>());
    };
    (@ $table:expr) => {
        // SAFETY: the symbol is the ABI's; a library exports one driver.
        #[allow(unsafe_code)]
        #[allow(non_upper_case_globals, missing_docs)]
        #[unsafe(no_mangle)]
        pub static tollhouse_driver_v1: $crate::DriverTable = $table;
    };
}
