//! What a lane may be told.

use std::time::Instant;

use actix::Message;
use tollhouse_core::id::LaneId;
use tollhouse_core::lane::{Input, Person};
use tollhouse_drivers::{DeviceEvent, Receipt};

use super::Place;
use crate::store::Told;

/// A device of the lane said something.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Heard {
    /// What.
    pub event: DeviceEvent,
    /// Its place in the lane's hand.
    pub place: Place,
    /// When it reached the box: from here the way to the command is measured.
    pub arrived: Instant,
}

/// An input that comes from the box itself: a timer, a person, a bill that moved.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Take(pub Input);

/// A person's order, with the receipt that is done when what came of it is durable.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Order {
    /// Who wants it opened, and why.
    pub person: Person,
    /// Abandoned when the lane's actor ends before.
    pub receipt: Receipt,
}

/// The store's answer to the lane's open commit.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct StoreTold(pub Told);

/// Answers when nothing is open any more: what was decided is finished.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Finish;

/// Makes the lane's actor panic: how the tests provoke what must never happen.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Panic;

/// A lane's actor is gone. Told to its parent, also when it panicked.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Gone {
    /// Which lane.
    pub lane: LaneId,
    /// Which of its actors, counted from 1: an old one's end says nothing about a new one.
    pub run: u64,
}

/// One thing that waits its turn at the lane.
pub(super) struct Job {
    pub(super) input: Input,
    pub(super) receipt: Receipt,
    pub(super) arrived: Option<Instant>,
    /// Held until the job is done.
    pub(super) _place: Option<Place>,
}
