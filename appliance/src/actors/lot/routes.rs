//! From a device to its lane's actor: where the links deliver. A lane whose actor is being started again takes nothing,
//! and the link offers the event again soon.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use actix::Addr;
use actix::dev::SendError;
use arc_swap::ArcSwapOption;
use std::sync::Arc;
use tollhouse_core::id::{DeviceId, LaneId};
use tollhouse_drivers::{DeviceEvent, EventSink};

use crate::actors::lane::LaneActor;
use crate::actors::lane::messages::Heard;

/// Lanes by device.
pub struct Routes {
    lane_of: HashMap<DeviceId, LaneId>,
    actors: HashMap<LaneId, ArcSwapOption<Addr<LaneActor>>>,
    ending: AtomicBool,
}

impl Routes {
    /// The devices of each lane.
    pub fn new(lanes: impl IntoIterator<Item = (LaneId, Vec<DeviceId>)>) -> Self {
        let (mut lane_of, mut actors) = (HashMap::new(), HashMap::new());
        for (lane, devices) in lanes {
            lane_of.extend(devices.into_iter().map(|device| (device, lane.clone())));
            actors.insert(lane, ArcSwapOption::empty());
        }
        Self { lane_of, actors, ending: AtomicBool::new(false) }
    }

    /// The lane's actor is this one now, or none.
    pub fn set(&self, lane: &LaneId, actor: Option<Addr<LaneActor>>) {
        if let Some(slot) = self.actors.get(lane) {
            slot.store(actor.map(Arc::new));
        }
    }

    /// The lane's actor, if it is there.
    pub fn actor(&self, lane: &LaneId) -> Option<Addr<LaneActor>> {
        self.actors.get(lane)?.load().as_deref().cloned()
    }

    /// The box ends: links keep their events, which come again at the next start.
    pub fn stop_taking(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// All lanes' actors that are there.
    pub fn all(&self) -> Vec<Addr<LaneActor>> {
        self.actors.values().filter_map(|slot| slot.load().as_deref().cloned()).collect()
    }

    /// Whether every lane's actor is there.
    pub fn complete(&self) -> Completeness {
        let missing = self.actors.values().any(|slot| slot.load().is_none());
        if missing { Completeness::SomeMissing } else { Completeness::AllThere }
    }
}

/// Whether every lane's actor is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// It is.
    AllThere,
    /// It is not.
    SomeMissing,
}

impl EventSink for Routes {
    fn offer(&self, event: DeviceEvent) -> Result<(), DeviceEvent> {
        if self.ending.load(Ordering::Relaxed) {
            return Err(event);
        }
        let slot = self.lane_of.get(&event.device).and_then(|lane| self.actors.get(lane));
        let Some(slot) = slot else {
            // A configured device of no lane: nobody waits for what it says.
            event.receipt.done();
            return Ok(());
        };
        // The address is used where it stands: a clone would pass the mailbox's bound.
        let actor = slot.load();
        let Some(actor) = actor.as_deref() else { return Err(event) };
        actor.try_send(Heard { event, arrived: Instant::now() }).map_err(|refused| match refused {
            SendError::Full(heard) | SendError::Closed(heard) => heard.event,
        })
    }
}
