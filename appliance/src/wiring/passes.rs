//! What keeps the gate's passes up to date, on a thread of its own.

use actix::{Actor, Addr, Arbiter};
use tollhouse_core::charging::gate::PassPolicy;
use tollhouse_core::pass::{MorePolicy, OverduePolicy};

use super::Shared;
use crate::actors::lot::LotActor;
use crate::actors::passes::{PassDesk, PassesActor, PassesParts};
use crate::config::Config;

/// Days of grace at the gate after a bill is due, or a term over.
const GRACE_DAYS: u16 = 7;

/// The gate's passes follow cards and bills.
pub(super) fn follow(config: &Config, shared: &Shared, lot: &Addr<LotActor>, thread: &Arbiter) {
    let policy = PassPolicy {
        zone: config.lot.zone,
        grace_days: GRACE_DAYS,
        overdue: OverduePolicy::OpenAndWarn,
        more: MorePolicy::ChargeAsTemporary,
    };
    let parts = PassesParts {
        store: shared.store.clone(),
        desk: PassDesk::new(shared.store.clone(), shared.clock.clone(), policy),
        passes_moved: lot.clone().recipient(),
    };
    PassesActor::start_in_arbiter(&thread.handle(), move |_| PassesActor::new(parts));
}
