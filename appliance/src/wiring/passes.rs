//! What keeps the gate's passes up to date, on a thread of its own.

use actix::{Actor, Addr, Arbiter};

use tollhouse_core::charging::gate::GateAreas;

use super::Shared;
use crate::actors::lot::LotActor;
use crate::actors::passes::{PassDesk, PassesActor, PassesParts};
use crate::config::Config;

/// The gate's passes follow cards and bills, as the lot's policy says.
pub(super) fn follow(config: &Config, shared: &Shared, lot: &Addr<LotActor>, thread: &Arbiter) {
    let areas = GateAreas::of_lanes(config.lanes.iter().map(|lane| (&lane.area, lane.within.as_ref())));
    let policy = config.charging.passes(config.lot.zone, areas);
    let parts = PassesParts {
        store: shared.store.clone(),
        desk: PassDesk::new(shared.store.clone(), shared.clock.clone(), policy),
        passes_moved: lot.clone().recipient(),
    };
    PassesActor::start_in_arbiter(&thread.handle(), move |_| PassesActor::new(parts));
}
