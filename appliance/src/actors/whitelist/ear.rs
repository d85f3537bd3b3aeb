//! Listens to what cameras with a list say, on its way to their lanes. A box without such cameras has no ear.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use actix::Recipient;
use tollhouse_core::id::DeviceId;
use tollhouse_core::lane::Answer;
use tollhouse_core::whitelist::Said;
use tollhouse_drivers::event::{AckState, Availability, CommandAck, Presence};
use tollhouse_drivers::{DeviceEvent, EventSink, What};

use super::messages::CameraSaid;

/// See the module.
pub struct Ear {
    inner: Arc<dyn EventSink>,
    cameras: HashSet<DeviceId>,
    lists: OnceLock<Recipient<CameraSaid>>,
    /// What cameras said last of themselves before anybody was told: one word of each.
    early: Mutex<HashMap<DeviceId, Said>>,
}

impl Ear {
    /// In front of `inner`, for these cameras.
    pub fn new(inner: Arc<dyn EventSink>, cameras: impl IntoIterator<Item = DeviceId>) -> Self {
        Self { inner, cameras: cameras.into_iter().collect(), lists: OnceLock::new(), early: Mutex::default() }
    }

    /// From now on the lists are told.
    pub fn tell(&self, lists: Recipient<CameraSaid>) {
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        for (device, said) in early.drain() {
            lists.do_send(CameraSaid { device, said });
        }
        // It is called once, by the wiring.
        let _ = self.lists.set(lists);
    }
}

fn said(what: &What) -> Option<Said> {
    Some(match what {
        What::Availability(Availability { presence: Presence::Online, boot_id }) => Said::Came(boot_id.clone()),
        What::Availability(Availability { presence: Presence::Offline, .. }) => Said::Went,
        What::Ack(CommandAck { cmd_id, state, .. }) => Said::Answered {
            cmd_id: cmd_id.clone(),
            answer: match state {
                AckState::Accepted => Answer::Accepted,
                AckState::Confirmed => Answer::Confirmed,
                AckState::Rejected => Answer::Rejected,
                AckState::Failed => Answer::Failed,
                AckState::OutcomeUnknown => Answer::Unknown,
            },
        },
        _ => return None,
    })
}

impl Ear {
    fn pass_on(&self, device: DeviceId, said: Said) {
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        match self.lists.get() {
            // What finds no room is as if the camera had not said it: the part runs out and goes again.
            Some(lists) => drop(lists.try_send(CameraSaid { device, said })),
            None => drop(early.insert(device, said)),
        }
    }
}

impl EventSink for Ear {
    fn offer(&self, event: DeviceEvent) -> Result<(), DeviceEvent> {
        if self.cameras.contains(&event.device)
            && let Some(said) = said(&event.what)
        {
            self.pass_on(event.device.clone(), said);
        }
        self.inner.offer(event)
    }
}
