//! What devices tell the box, after parsing: typed and bounded (contracts.md, 'MQTT between box and devices').

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::id::{BootId, DeviceId, EventId};
use tollhouse_core::plate::{Colour, Plate};

/// One thing that one device said.
#[derive(Debug)]
pub struct DeviceEvent {
    /// Who said it.
    pub device: DeviceId,
    /// When it reached the box, by the box's clock.
    pub received_at: DateTime<Utc>,
    /// What it said.
    pub what: What,
    /// To be completed when what followed is durable.
    pub receipt: Receipt,
}

/// What a device can say.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A camera has read a plate.
    Plate(PlateRead),
    /// A car has left the lane.
    Passed(Passed),
    /// Somebody pressed a button (help, ticket), a code was read, or a device reports a fault.
    Notice(Notice),
    /// A barrier's position or a loop's occupancy, told now.
    State(ChannelState),
    /// The same, told some time ago and kept by the broker: how things stand, and no news of what the box has just done.
    Stood(ChannelState),
    /// A device's answer to a command.
    Ack(CommandAck),
    /// A device has come or gone.
    Availability(Availability),
}

/// Identity and time that every event carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHead {
    /// The device's own id of the event.
    pub event_id: EventId,
    /// The run of the device that made it.
    pub boot_id: Option<BootId>,
    /// Counts per device and boot.
    pub seq: Option<u64>,
    /// When it happened, by the box's clock: arrival less age.
    pub captured_at: DateTime<Utc>,
    /// How long it lay with the device: `sent_at - at` by the device's own clock, never negative.
    pub age: TimeDelta,
    /// The device itself marked it as backlog.
    pub backlog: Backlog,
    /// SHA-256 over the body as received, to tell a repetition from another content under the same id.
    pub fingerprint: [u8; 32],
}

/// Whether the device marked an event as backlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// Marked.
    Marked,
    /// Not marked: its age decides.
    Unmarked,
}

/// A plate that a camera has read.
#[derive(Debug, Clone, PartialEq)]
pub struct PlateRead {
    /// Identity and time.
    pub head: EventHead,
    /// The plate as read.
    pub plate: Plate,
    /// Its colour.
    pub colour: Colour,
    /// 0 to 1, as the camera judges itself.
    pub confidence: Option<f64>,
    /// Other readings, best first, at most 8.
    pub candidates: Vec<(Plate, f64)>,
    /// Which way the car moves, seen from the barrier.
    pub direction: Approach,
}

/// Which way a car moves that a camera sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approach {
    /// Towards the barrier.
    #[default]
    Approach,
    /// Away from it.
    Depart,
}

/// A car has left the lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Identity and time.
    pub head: EventHead,
    /// Through the barrier or back out.
    pub direction: PassedDirection,
}

/// Which way a car left the lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassedDirection {
    /// Through the barrier.
    #[default]
    Forward,
    /// It backed out.
    Backward,
}

/// A button, a code or an alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Identity and time.
    pub head: EventHead,
    /// Which of them.
    pub kind: NoticeKind,
    /// The body, for whoever understands more of it.
    pub body: serde_json::Value,
}

/// Events that the lane only notes so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Help or ticket button.
    Button,
    /// QR, card or payment code.
    Code,
    /// Fault.
    Alarm,
}

/// A channel's last known state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelState {
    /// Where the barrier's arm is.
    Barrier(Position),
    /// Whether a car stands on the loop.
    Loop(Occupancy),
}

/// Where a barrier's arm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Open.
    Up,
    /// Closed.
    Down,
    /// On its way.
    Moving,
    /// No signal.
    #[serde(other)]
    Unknown,
}

/// Whether a car stands on a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occupancy {
    /// It does.
    Occupied,
    /// It does not.
    Clear,
}

/// A device's answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandAck {
    /// The command's id, as sent.
    pub cmd_id: String,
    /// What became of it.
    pub state: AckState,
    /// Why, in the device's words, at most 200 characters.
    pub reason: Option<String>,
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AckState {
    /// Taken, not yet done. Accepted is not opened.
    Accepted,
    /// Done, by a position signal.
    Confirmed,
    /// Not taken.
    Rejected,
    /// Taken and not done.
    Failed,
    /// The device went away before it said: nobody knows.
    OutcomeUnknown,
}

/// A device has come or gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// Whether it is there.
    pub presence: Presence,
    /// Its run.
    pub boot_id: Option<BootId>,
}

/// Whether a device is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Signed in.
    Online,
    /// Gone, by its own word or its last will.
    Offline,
}

/// The late acknowledgement of an event.
///
/// [`Receipt::done`] says that what followed is durable (or that the event was junk), and lets the source forget it. A
/// receipt that is dropped instead, as when its actor panics, tells the source to deliver the event again.
#[derive(Default)]
pub struct Receipt(Option<Box<dyn FnOnce(Outcome) + Send>>);

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What followed is durable.
    Done,
    /// Nobody finished it: deliver it again.
    Abandoned,
}

impl Receipt {
    /// Calls `tell` exactly once, with what became of the event. It may run on any thread and must not block.
    pub fn new(tell: impl FnOnce(Outcome) + Send + 'static) -> Self {
        Self(Some(Box::new(tell)))
    }

    /// For events that need no acknowledgement.
    pub fn none() -> Self {
        Self(None)
    }

    /// What followed is durable: the source may forget the event.
    pub fn done(mut self) {
        if let Some(tell) = self.0.take() {
            tell(Outcome::Done);
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            tell(Outcome::Abandoned);
        }
    }
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Receipt(open)" } else { "Receipt(none)" })
    }
}
