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

use crate::actors::lane::messages::Heard;
use crate::actors::lane::{LaneActor, Places};

/// One lane's actor, and how much it may have in hand.
#[derive(Default)]
struct Slot {
    actor: ArcSwapOption<Addr<LaneActor>>,
    places: Places,
}

/// Lanes by device.
pub struct Routes {
    lane_of: HashMap<DeviceId, LaneId>,
    lanes: HashMap<LaneId, Slot>,
    ending: AtomicBool,
}

impl Routes {
    /// The devices of each lane.
    pub fn new(lanes: impl IntoIterator<Item = (LaneId, Vec<DeviceId>)>) -> Self {
        let (mut lane_of, mut slots) = (HashMap::new(), HashMap::new());
        for (lane, devices) in lanes {
            lane_of.extend(devices.into_iter().map(|device| (device, lane.clone())));
            slots.insert(lane, Slot::default());
        }
        Self { lane_of, lanes: slots, ending: AtomicBool::new(false) }
    }

    /// The lane's actor is this one now, or none.
    pub fn set(&self, lane: &LaneId, actor: Option<Addr<LaneActor>>) {
        if let Some(slot) = self.lanes.get(lane) {
            slot.actor.store(actor.map(Arc::new));
        }
    }

    /// The lane's actor, if it is there.
    pub fn actor(&self, lane: &LaneId) -> Option<Addr<LaneActor>> {
        self.lanes.get(lane)?.actor.load().as_deref().cloned()
    }

    /// The box ends: links keep their events, which come again at the next start.
    pub fn stop_taking(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// All lanes' actors that are there.
    pub fn all(&self) -> Vec<Addr<LaneActor>> {
        self.lanes.values().filter_map(|slot| slot.actor.load().as_deref().cloned()).collect()
    }

    /// Whether every lane's actor is there.
    pub fn complete(&self) -> Completeness {
        let missing = self.lanes.values().any(|slot| slot.actor.load().is_none());
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
        let slot = self.lane_of.get(&event.device).and_then(|lane| self.lanes.get(lane));
        let Some(slot) = slot else {
            // A configured device of no lane: nobody waits for what it says.
            event.receipt.done();
            return Ok(());
        };
        // The address is used where it stands: a clone would pass the mailbox's bound.
        let actor = slot.actor.load();
        let Some(actor) = actor.as_deref() else { return Err(event) };
        let Some(place) = slot.places.take() else { return Err(event) };
        actor.try_send(Heard { event, place, arrived: Instant::now() }).map_err(|refused| match refused {
            SendError::Full(heard) | SendError::Closed(heard) => heard.event,
        })
    }
}
