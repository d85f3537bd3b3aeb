//! What the lot may be told.

use actix::Message;
use tollhouse_core::id::{EventId, LaneId};

/// A bill was settled: a lane may be waiting for it.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct BillMoved;

/// A person opens a lane.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), NoSuchLane>")]
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

/// There is no such lane, or its actor is just being started again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no lane {0}, or it is being started again: try again")]
pub struct NoSuchLane(pub LaneId);

/// Makes a lane's actor panic, for the tests.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct PanicLane(pub LaneId);

/// Finishes what the lanes have decided; answers when it is done.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct FinishLanes;
