//! What the lot may be told.

use actix::Message;
use tollhouse_core::id::{EventId, LaneId};

/// A bill was settled: a lane may be waiting for it.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct BillMoved;

/// A gate pass has changed, or a place of a card has come free: a car may be waiting for it.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct PassesMoved;

/// A person opens a lane. Answered when the opening is durable.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), NotOpened>")]
pub struct OpenLane {
    /// Which.
    pub lane: LaneId,
    /// Who.
    pub name: String,
    /// Why.
    pub reason: String,
    /// The request's own id: the same one opens once.
    pub request: EventId,
}

/// Why a person's order was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// The lot has no such lane.
    #[error("there is no lane {0}")]
    NoSuchLane(LaneId),
    /// Its actor is just being started again, or has too much in hand; the order may or may not have been taken, and can
    /// be given again under its own id.
    #[error("the lane {0} is busy: give the same order again")]
    Busy(LaneId),
    /// Under this id another order was given.
    #[error("this id stands for another order already")]
    AnotherOrder,
}

/// Makes a lane's actor panic, for the tests.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct PanicLane(pub LaneId);

/// Finishes what the lanes have decided; answers when it is done.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct FinishLanes;
