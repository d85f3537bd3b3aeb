//! Brings the redb file up behind the journal, in durable commits that no acknowledgement waits for.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};
use redb::Database;

use super::Shared;
use super::fault::StoreFailure;
use super::layer::Layer;
use super::snapshot::View;
use super::tables::{Applied, Base, RedbFault, apply};

/// A layer that takes no more writes, and the entry that it ends with.
pub(super) struct Work {
    pub(super) layer: Arc<Layer>,
    pub(super) applied: Applied,
}

/// How far it steps back behind the lanes and the writer when all want the processor.
const NICE: i32 = 10;

/// Applies layer after layer until the writer hangs up.
pub(super) fn run(shared: &Shared, database: &Database, work: &Receiver<Work>, done: &Sender<()>) {
    // Linux gives a thread a niceness of its own. Without it, this work takes turns with the lanes' as an equal.
    if let Err(fault) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE) {
        tracing::debug!(%fault, "the store's applier runs at the priority of all others");
    }
    for Work { layer, applied } in work {
        match bring_up(database, &layer, applied) {
            Ok(base) => {
                let base = Arc::new(base);
                shared.view.rcu(|now| View {
                    base: base.clone(),
                    applying: None,
                    latest: now.latest.clone(),
                    position: now.position,
                });
            }
            Err(fault) => return (shared.options.on_failure)(&StoreFailure::Redb(fault.to_string())),
        }
        if done.send(()).is_err() {
            return;
        }
    }
}

fn bring_up(database: &Database, layer: &Layer, applied: Applied) -> Result<Base, RedbFault> {
    apply(database, layer, applied)?;
    Base::read(database)
}
