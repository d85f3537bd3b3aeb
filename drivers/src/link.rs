//! The seam between devices and the box: what every kind of link offers and needs.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tollhouse_core::id::{CommandId, DeviceId};

use crate::event::DeviceEvent;

/// The box's clock. The demo runs it faster; nothing in this crate asks the machine for the time of day otherwise.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// A command to one device.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceCommand {
    /// For whom.
    pub device: DeviceId,
    /// The same id is the same command: a device carries it out once.
    pub cmd_id: CommandId,
    /// `open`, `close`, `hold`, `release`, `display`, `speak`, `snapshot`, `restart`.
    pub name: &'static str,
    /// The command's `args`.
    pub args: serde_json::Value,
    /// After this it must not be carried out.
    pub expires_at: DateTime<Utc>,
}

/// A way to devices: an MQTT broker, or a plugin host.
pub trait DeviceLink: Send + Sync {
    /// Hands a command over without waiting. `Ok` means queued, not done; what becomes of it comes back as an ack
    /// event, or never: then its expiry ends it.
    fn send(&self, command: DeviceCommand) -> Result<(), LinkError>;
}

/// Why a command was not even queued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The queue is full: the link is away and too much waits already.
    #[error("too many commands wait for the link to {0}")]
    Full(DeviceId),
    /// No such device behind this link.
    #[error("no device {0} behind this link")]
    UnknownDevice(DeviceId),
    /// Longer than a device has to take (64 KiB).
    #[error("a command of {bytes} bytes for {device} is too long")]
    TooLarge {
        /// For whom.
        device: DeviceId,
        /// How long it would be.
        bytes: usize,
    },
    /// No driver is installed, or it was removed.
    #[error("no driver runs for {0}: tollhouse driver list tells more")]
    NoDriver(DeviceId),
    /// The link is being shut down.
    #[error("the link is closed")]
    Closed,
}

/// Where a link delivers events. Called from the link's own task: it must not block.
pub trait EventSink: Send + Sync {
    /// Takes the event, or gives it back when the box cannot take more now; the link then offers it again soon.
    fn offer(&self, event: DeviceEvent) -> Result<(), DeviceEvent>;
}

/// Counts what a link sees. The shell makes metrics and log lines of it.
pub trait Observer: Send + Sync {
    /// An event or a command was refused. `device` is `None` when the sender is not configured.
    fn refused(&self, device: Option<&DeviceId>, reason: Refused, detail: &str);
    /// Numbers are missing between two events of one device and boot.
    fn gap(&self, device: &DeviceId, missing: u64);
    /// The device's clock less the box's, in milliseconds, as far as the network's delay lets tell.
    fn clock_offset(&self, device: &DeviceId, offset_ms: i64);
    /// The link came up or went down: `mqtt`, or the plugin instance's name.
    fn link(&self, name: &str, state: LinkState);
    /// A device has come or gone.
    fn presence(&self, device: &DeviceId, presence: crate::event::Presence);
    /// A picture that belongs to an event.
    fn picture(&self, device: &DeviceId, event_id: &str, jpeg: &[u8]);
}

/// Whether a link is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// Connected and subscribed, or the plugin has started.
    Up,
    /// Not so.
    Down,
    /// Going down and up again counts once here (a plugin host that was started again).
    Restarted,
    /// A plugin that failed too often and is left alone for a while: somebody should look.
    Quarantined,
}

/// Why something from outside was refused: the label `reason` of `tollhouse_events_refused_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// Not JSON, or JSON of another shape.
    BadJson,
    /// Longer than the topic allows.
    TooLarge,
    /// Not UTF-8.
    BadUtf8,
    /// A field outside its limits.
    BadField,
    /// A plate that is no plate.
    BadPlate,
    /// No plate was read.
    NoPlate,
    /// A topic outside the contract.
    UnknownTopic,
    /// A device that is not configured.
    UnknownDevice,
    /// Known event id, other content.
    Conflict,
    /// A retained command or event, which nobody may retain.
    Retained,
    /// Delivered again and again without anybody finishing it.
    Poison,
    /// Too many events waited for the box.
    Overflow,
}

impl Refused {
    /// The label's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadJson => "bad_json",
            Self::TooLarge => "too_large",
            Self::BadUtf8 => "bad_utf8",
            Self::BadField => "bad_field",
            Self::BadPlate => "bad_plate",
            Self::NoPlate => "no_plate",
            Self::UnknownTopic => "unknown_topic",
            Self::UnknownDevice => "unknown_device",
            Self::Conflict => "conflict",
            Self::Retained => "retained",
            Self::Poison => "poison",
            Self::Overflow => "overflow",
        }
    }
}
