//! What goes into a lane and what comes out of it.

use chrono::{DateTime, TimeDelta, Utc};

use super::Tone;
use crate::id::{BootId, CommandId, DeviceId, EventId, PassageId};
use crate::money::Money;
use crate::plate::{Colour, Plate};
use crate::record::{Change, Refusal, Revision};
use crate::words::Words;

/// What a lane can be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A camera has read a plate.
    Read(Read),
    /// A device says that a car has left the lane.
    Passed(Passed),
    /// A button, a code or an alarm, to be noted.
    Noted(Mark),
    /// The barrier answered a command.
    Answered(Answered),
    /// Where the arm is, told now.
    Arm(Arm),
    /// Where the arm was when it last told, some time ago.
    ArmStood(Arm),
    /// A car stands on the loop, or no longer.
    Loop(OnLoop),
    /// The barrier has signed in with this run.
    BarrierOnline(Option<BootId>),
    /// Time has passed.
    Timer(Timer),
    /// Something may have been paid: look at the bill.
    LookAtBill,
    /// A gate pass has changed, or a place of a card has come free: look whether the car that stands here may pass now.
    LookAtPass,
    /// A person opens.
    OpenedBy(Person),
    /// What the lane wanted to commit is durable.
    Durable(Revision),
    /// What the lane wanted to commit was refused.
    Refused(Refusal),
}

/// An event's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Whose.
    pub device: DeviceId,
    /// The device's id of it.
    pub event_id: EventId,
    /// What its body hashes to, in hexadecimal.
    pub fingerprint: String,
    /// When it happened, by the box's clock.
    pub captured_at: DateTime<Utc>,
    /// How long it lay with the device.
    pub age: TimeDelta,
}

/// A plate read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Its identity.
    pub mark: Mark,
    /// The plate.
    pub plate: Plate,
    /// Its colour.
    pub colour: Colour,
}

/// A car has left the lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Its identity.
    pub mark: Mark,
    /// Which way.
    pub way: Way,
}

/// Which way a car left the lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Through the barrier.
    Through,
    /// Back out.
    Back,
}

/// The barrier's answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// To which.
    pub cmd_id: String,
    /// What became of it.
    pub answer: Answer,
    /// Why, in the device's words.
    pub reason: Option<String>,
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Taken.
    Accepted,
    /// Done.
    Confirmed,
    /// Not taken.
    Rejected,
    /// Taken and not done.
    Failed,
    /// The device went away before it said.
    Unknown,
}

/// Where a barrier's arm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arm {
    /// Open.
    Up,
    /// Closed.
    Down,
    /// On its way.
    Moving,
    /// No signal.
    #[default]
    Unknown,
}

/// Whether a car stands on the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLoop {
    /// It does.
    Occupied,
    /// It does not.
    Clear,
}

/// A person's order to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub name: String,
    /// Why.
    pub reason: String,
    /// The order's own id, so that asking twice opens once.
    pub request: EventId,
}

/// How a person's order stands in the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStanding {
    /// Nothing of it has been taken.
    New,
    /// It has been taken: the same order again changes nothing.
    Taken,
    /// Under its request id another order has been taken, by another person or for another reason.
    Another,
}

/// A timer that a lane armed. It names its passage and attempt, so that a stale one is told from a live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    /// For what.
    pub kind: TimerKind,
    /// For which passage.
    pub passage: PassageId,
    /// For which attempt to open.
    pub attempt: u8,
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimerKind {
    /// The opening command has run out.
    CommandExpiry,
    /// A rejected or failed opening may be tried again.
    Retry,
    /// Without a loop: the car counts as passed.
    CountAsPassed,
    /// Look whether the bill has been paid, in case a message was lost.
    LookAtBill,
}

/// What a lane wants done.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Send this to a device.
    Command(Command),
    /// Wake me then.
    Arm(Timer, DateTime<Utc>),
    /// Tell people.
    Tell(Tell),
    /// Count an event that was refused: known id, other content.
    CountConflict(DeviceId),
}

/// A command to a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// To whom.
    pub device: DeviceId,
    /// Its id.
    pub cmd_id: CommandId,
    /// Its name on the wire.
    pub name: &'static str,
    /// Its arguments.
    pub args: serde_json::Value,
    /// Until when it may be carried out.
    pub expires_at: DateTime<Utc>,
}

/// Something for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tell {
    /// The machine code: a decision's, or `passed`, `lapsed`, `barrier_fault`.
    pub code: &'static str,
    /// How it should look.
    pub tone: Tone,
    /// The car.
    pub plate: Option<Plate>,
    /// The sentence.
    pub words: Words,
    /// Money that it is about.
    pub money: Option<Money>,
}

/// The outcome of one step: effects at once, and at most one commit whose effects wait for it.
#[derive(Debug, Default)]
pub struct Step {
    /// To be carried out now.
    pub effects: Vec<Effect>,
    /// To be made durable. Until the lane is told `Durable` or `Refused` it takes no other input.
    pub commit: Option<Change>,
}

impl Step {
    /// Nothing to do.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// These effects, nothing to commit.
    pub fn effects(effects: Vec<Effect>) -> Self {
        Self { effects, commit: None }
    }
}
