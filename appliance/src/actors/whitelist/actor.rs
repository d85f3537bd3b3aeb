//! The actor: looks every few seconds whether the passes have changed, makes each lane's list anew, and carries it to its
//! cameras as `core` says. It decides about no car.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler};
use chrono::{DateTime, TimeDelta, Utc};
use tollhouse_core::id::{AreaId, DeviceId, IdKey};
use tollhouse_core::lane::Command;
use tollhouse_core::pass::GatePass;
use tollhouse_core::record::{ReadError, Record, Records, Revision};
use tollhouse_core::whitelist::{Part, Push, Pushed, Said, Whitelist};

use super::messages::CameraSaid;
use crate::clock::BoxClock;
use crate::devices::Devices;
use crate::metrics::Metrics;
use crate::store::Store;

/// How often it is looked whether anything is to be done.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Passes are read at most so often: a batch of changes makes one list.
const READ_EVERY: TimeDelta = TimeDelta::seconds(2);
/// And at least so often, since time alone changes a list too.
const READ_AT_LEAST_EVERY: TimeDelta = TimeDelta::minutes(10);
/// So many passes are read in one go.
const PASSES_AT_ONCE: usize = 1_000;

/// A camera that keeps a list.
#[derive(Debug, Clone)]
pub struct ListedCamera {
    /// Which.
    pub device: DeviceId,
    /// The area of its lane.
    pub area: AreaId,
    /// So many plates at most.
    pub limit: usize,
}

/// What the actor works with.
pub struct WhitelistParts {
    /// The cameras.
    pub cameras: Vec<ListedCamera>,
    /// Where passes are read.
    pub store: Store,
    /// Where lists go.
    pub devices: Arc<Devices>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: BoxClock,
    /// From which ids are derived.
    pub key: IdKey,
}

/// See the module.
pub struct WhitelistActor {
    parts: WhitelistParts,
    pushes: HashMap<DeviceId, Push>,
    lists: HashMap<(AreaId, usize), Arc<Whitelist>>,
    read_at: Option<(DateTime<Utc>, Revision)>,
}

impl WhitelistActor {
    /// For these cameras.
    pub fn new(parts: WhitelistParts) -> Self {
        let push = |camera: &ListedCamera| (camera.device.clone(), Push::new(camera.device.clone(), parts.key.clone()));
        let pushes = parts.cameras.iter().map(push).collect();
        Self { parts, pushes, lists: HashMap::new(), read_at: None }
    }

    fn look(&mut self) {
        let now = self.parts.clock.now();
        let newest = *self.parts.store.durable().borrow();
        let due = self.read_at.is_none_or(|(at, position)| {
            let ends = self.lists.values().filter_map(|list| list.ends_first()).min();
            let old = now - at >= READ_AT_LEAST_EVERY || ends.is_some_and(|end| end <= now);
            (position != newest || old) && now - at >= READ_EVERY
        });
        if due {
            match self.read(now) {
                Ok(()) => self.read_at = Some((now, newest)),
                Err(fault) => tracing::error!(%fault, "the passes could not be read for the cameras' lists"),
            }
        }
        for device in self.parts.cameras.iter().map(|camera| camera.device.clone()).collect::<Vec<_>>() {
            self.tell(&device, Said::Time);
        }
    }

    /// Makes the lists anew. What has not changed is the same list to a camera that holds it.
    fn read(&mut self, now: DateTime<Utc>) -> Result<(), ReadError> {
        let passes = passes(&self.parts.store.snapshot())?;
        self.lists.clear();
        for camera in self.parts.cameras.clone() {
            let ListedCamera { device, area, limit } = camera;
            let make = || Arc::new(Whitelist::of(passes.iter().cloned(), &area, now, limit));
            let list = Arc::clone(self.lists.entry((area.clone(), limit)).or_insert_with(make));
            self.tell(&device, Said::List(list));
        }
        Ok(())
    }

    fn tell(&mut self, device: &DeviceId, said: Said) {
        let Some(push) = self.pushes.get_mut(device) else { return };
        let before = push.standing();
        let part = push.step(self.parts.clock.now(), said);
        let standing = push.standing();
        if before != standing {
            match standing {
                Pushed::Held => tracing::info!(%device, "the camera holds the newest list of plates"),
                Pushed::Failed => tracing::warn!(%device, "the camera did not take the list of plates"),
                Pushed::OnItsWay => {}
            }
        }
        if let Some(Part { cmd_id, args, expires_at }) = part {
            let command = Command { device: device.clone(), cmd_id, name: "whitelist", args, expires_at };
            if let Err(fault) = self.parts.devices.send(command) {
                tracing::warn!(%device, %fault, "a part of a list could not be handed over");
            }
        }
        let camera = self.parts.cameras.iter().find(|camera| camera.device == *device);
        let list = camera.and_then(|camera| self.lists.get(&(camera.area.clone(), camera.limit)));
        if let Some(list) = list {
            self.parts.metrics.whitelist(device, list.len(), list.left_out, &standing);
        }
    }
}

/// All passes, a page at a time.
fn passes(records: &impl Records) -> Result<Vec<GatePass>, ReadError> {
    let (mut all, mut from) = (Vec::new(), String::new());
    loop {
        let page = records.list::<GatePass>(&from, PASSES_AT_ONCE)?;
        let full = page.len() == PASSES_AT_ONCE;
        if let Some(last) = page.last() {
            from = format!("{}\u{0}", last.record.key());
        }
        all.extend(page.into_iter().map(|kept| kept.record));
        if !full {
            return Ok(all);
        }
    }
}

impl Actor for WhitelistActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.look();
        ctx.run_interval(LOOK_EVERY, |actor, _| actor.look());
    }
}

impl Handler<CameraSaid> for WhitelistActor {
    type Result = ();

    fn handle(&mut self, heard: CameraSaid, _: &mut Self::Context) {
        self.tell(&heard.device, heard.said);
    }
}
