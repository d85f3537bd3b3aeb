//! A passage (过车记录) and what a lane has in hand, as records.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{DecisionCode, Direction};
use crate::id::{BillId, BootId, CommandId, DeviceId, EventId, LaneId, PassageId, StayId};
use crate::money::Money;
use crate::plate::{Colour, Plate};
use crate::record::{Record, Table};
use crate::words::Words;

/// One car at one lane, whatever was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// Derived from the event that began it.
    pub id: PassageId,
    /// Where.
    pub lane: LaneId,
    /// In or out.
    pub direction: Direction,
    /// The car; `None` when a person opened for one that no camera read.
    pub plate: Option<Plate>,
    /// Its plate's colour.
    #[serde(default)]
    pub colour: Colour,
    /// When the car stood there, by the box's clock.
    pub captured_at: DateTime<Utc>,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// What was decided.
    pub code: DecisionCode,
    /// What was due then.
    #[serde(default)]
    pub due: Option<Money>,
    /// The stay that it began or would end.
    #[serde(default)]
    pub stay: Option<StayId>,
    /// The bill that it waits for.
    #[serde(default)]
    pub bill: Option<BillId>,
    /// How it stands.
    pub state: PassageState,
    /// The authorisation to pass, once given. It covers this one passage.
    #[serde(default)]
    pub grant: Option<Grant>,
    /// What ended it.
    #[serde(default)]
    pub ended: Option<Ended>,
    /// When the car was read again last.
    #[serde(default)]
    pub read_again_at: Option<DateTime<Utc>>,
    /// The camera that opened for it by itself, from its list, while the box was away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<DeviceId>,
}

impl Passage {
    /// When the car was last seen there.
    pub fn last_seen_at(&self) -> DateTime<Utc> {
        self.read_again_at.map_or(self.decided_at, |again| again.max(self.decided_at))
    }
}

impl Record for Passage {
    const TABLE: Table = Table::Passages;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// How a passage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassageState {
    /// The car waits: it has to pay, or for the attendant.
    Waiting,
    /// It may pass.
    Granted,
    /// It was not let through.
    Refused,
    /// It has passed: the authorisation is consumed.
    Passed,
    /// It backed out or is gone: the authorisation has lapsed.
    Lapsed,
}

/// An authorisation to pass, and the command that follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The one cause of the opening.
    pub cause: GrantCause,
    /// When it was given.
    pub at: DateTime<Utc>,
    /// The newest command; earlier ones were rejected, failed or ended unknown.
    pub command: OpenCommand,
}

/// The causes of payments.md, invariant 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantCause {
    /// All is paid.
    Settled,
    /// Nothing was due.
    NothingDue,
    /// A gate pass.
    Pass,
    /// The lot's policy: temporary cars may come in.
    Policy,
    /// A person.
    Manual,
}

/// An opening command as sent. It is its own outbox: until it is answered or has run out it may be sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCommand {
    /// Its id.
    pub cmd_id: CommandId,
    /// To which device.
    pub device: DeviceId,
    /// To which run of the device, if that was known.
    #[serde(default)]
    pub boot_id: Option<BootId>,
    /// Which attempt: 1 for the first.
    pub attempt: u8,
    /// Until when it may be carried out.
    pub expires_at: DateTime<Utc>,
    /// What became of it.
    pub state: CommandState,
    /// Why, in the device's words.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// On its way.
    Sent,
    /// Taken, not yet done.
    Accepted,
    /// Done, by a position signal.
    Confirmed,
    /// Not taken.
    Rejected,
    /// Taken and not done.
    Failed,
    /// It ran out, or the device went away: nobody knows.
    Unknown,
}

/// What ended a passage, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// What.
    pub by: EndedBy,
    /// When.
    pub at: DateTime<Utc>,
}

/// What ended a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// A device said that the car has passed.
    Loop,
    /// No loop: the opening was confirmed.
    Opening,
    /// No loop: time passed after the command.
    Time,
    /// The next car was read.
    NextCar,
    /// It backed out.
    BackedOut,
    /// It was backlog: it had passed before the box heard of it.
    Backlog,
}

/// What a lane has in hand. Every commit of the lane writes it and relies on its revision, so that a lane actor that was
/// started again and its predecessor cannot both be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneHand {
    /// Which lane.
    pub lane: LaneId,
    /// The newest passage there, whatever its state.
    pub passage: Option<PassageId>,
    /// A car that the barrier opened for and no loop has seen pass yet, though the next one is there.
    #[serde(default)]
    pub passing: Option<Passing>,
    /// Another car that waits there: one that has not paid yet, though the next one has been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<Also>,
}

impl Record for LaneHand {
    const TABLE: Table = Table::Lanes;
    fn key(&self) -> String {
        self.lane.to_string()
    }
}

/// A car on its way through while the next one is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passing {
    /// Its passage.
    pub passage: PassageId,
    /// When the next car was read.
    pub since: DateTime<Utc>,
}

/// A car that waits at the lane beside the one in hand: in front of it or behind it, no camera can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Also {
    /// Its passage.
    pub passage: PassageId,
    /// Since when another one is in hand.
    pub since: DateTime<Utc>,
}

/// An event that has been taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSeen {
    /// Whose.
    pub device: DeviceId,
    /// The device's id of it.
    pub event_id: EventId,
    /// What its body hashes to, in hexadecimal: the same id with another body is an error.
    pub fingerprint: String,
    /// When it was taken.
    pub at: DateTime<Utc>,
}

impl EventSeen {
    /// The key of an event.
    pub fn key_of(device: &DeviceId, event_id: &EventId) -> String {
        format!("{device}/{event_id}")
    }
}

impl Record for EventSeen {
    const TABLE: Table = Table::Events;
    fn key(&self) -> String {
        Self::key_of(&self.device, &self.event_id)
    }
}

/// Something that a human should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Kind and passage: one case of a kind per passage.
    pub id: String,
    /// What kind.
    pub kind: CaseKind,
    /// When it was noted.
    pub at: DateTime<Utc>,
    /// At which passage.
    pub passage: PassageId,
    /// About which stay.
    pub stay: Option<StayId>,
    /// For people.
    pub words: Words,
}

impl Record for Case {
    const TABLE: Table = Table::Cases;
    fn key(&self) -> String {
        self.id.clone()
    }
}

/// Kinds of case that a lane notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// It came in again without having been seen to leave.
    ExitMissed,
    /// It left without having been seen to come in.
    EntryMissed,
    /// It left owing money.
    LeftUnpaid,
    /// The barrier did not open.
    BarrierFault,
    /// It stood in another area than the books had it in.
    MoveMissed,
}

impl CaseKind {
    /// The word in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExitMissed => "exit_missed",
            Self::EntryMissed => "entry_missed",
            Self::LeftUnpaid => "left_unpaid",
            Self::BarrierFault => "barrier_fault",
            Self::MoveMissed => "move_missed",
        }
    }

    /// The sentence for people.
    pub fn words(self) -> Words {
        match self {
            Self::ExitMissed => {
                Words::new("车辆再次入场，上次出场未记录", "The car came in again; its last exit was missed")
            }
            Self::EntryMissed => Words::new("车辆出场，无入场记录", "The car left without an entry on record"),
            Self::LeftUnpaid => Words::new("车辆未缴清费用即离场", "The car left owing money"),
            Self::BarrierFault => Words::new("道闸未能打开，请检查", "The barrier did not open: please check it"),
            Self::MoveMissed => Words::new(
                "车辆所在区域与记录不符，请核对费用",
                "The car was in another area than on record: please check its fee",
            ),
        }
    }
}
