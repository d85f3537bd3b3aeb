//! Committing from a thread that may wait: the runs and rounds of bills, which work through many changes one by one.
//! It must not know what a change says.

use std::sync::mpsc;

use tollhouse_core::record::{Change, Refusal, Revision};

use super::super::ChargingFault;
use crate::store::{Busy, CommitError, Store, Told};

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Committed {
    /// It is durable.
    Durable(Revision),
    /// Somebody wrote meanwhile what it relied on: look again and decide again.
    Stale,
}

/// Commits and waits until it is durable. Blocks: not for serving threads.
pub(super) fn commit(store: &Store, change: Change) -> Result<Committed, ChargingFault> {
    let (tell, told) = mpsc::channel();
    // Nobody listens any more when the caller is gone; the change stands all the same.
    let submitted = store.submit(change, move |outcome| drop(tell.send(outcome)));
    match submitted.map(|()| told.recv()) {
        Ok(Ok(Told::Durable { position })) => Ok(Committed::Durable(position)),
        Ok(Ok(Told::Refused(Refusal::Stale { .. } | Refusal::Full(_)))) | Err(Busy::Full) => Ok(Committed::Stale),
        Ok(Ok(Told::Refused(refusal))) => Err(ChargingFault::Broken(CommitError::Refused(refusal).to_string())),
        Ok(Err(_)) | Err(Busy::Stopped) => Err(ChargingFault::Busy),
    }
}
