//! From a decision to a durable change: decided against the newest records, and again while somebody else is faster.
//!
//! Every desk commits through this. It knows nothing of what is decided.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tollhouse_core::record::{By, Change, OnceRefusal, ReadError, Refusal};

use super::{Busy, CommitError, Snapshot, Store};

/// So often a step is decided again when somebody else was faster.
const MOST_TRIES: usize = 50;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Undone<E> {
    /// The decision says no.
    #[error(transparent)]
    Refused(E),
    /// The request's key stands for another request.
    #[error("this Idempotency-Key stands for another request: use a new one")]
    KeyReused,
    /// The store cannot take it now: try again later.
    #[error("the box is busy: try again later")]
    Busy,
    /// The records cannot be read, or the change is wrong: a fault of the box, for its log.
    #[error("the box cannot do it: {0}; its log says more, `tollhouse verify` tells whether its data is whole")]
    Failed(String),
}

impl<E> Undone<E> {
    /// The same with another refusal.
    pub fn map<F>(self, other: impl FnOnce(E) -> F) -> Undone<F> {
        match self {
            Self::Refused(refusal) => Undone::Refused(other(refusal)),
            Self::KeyReused => Undone::KeyReused,
            Self::Busy => Undone::Busy,
            Self::Failed(why) => Undone::Failed(why),
        }
    }
}

impl<E> From<ReadError> for Undone<E> {
    fn from(fault: ReadError) -> Self {
        Self::Failed(fault.to_string())
    }
}

impl Store {
    /// Decides and makes it durable. `decide` gives what came of it, and the change that it takes, if any; it is called
    /// again when what it relied on has changed. Under the key of `by` it is done once: later calls with the same
    /// request get what came of the first, others are refused.
    pub async fn decide<T, E>(
        &self,
        by: &By,
        mut decide: impl FnMut(&Snapshot) -> Result<(T, Option<Change>), E>,
    ) -> Result<T, Undone<E>>
    where
        T: Serialize + DeserializeOwned,
    {
        for _ in 0..MOST_TRIES {
            let records = self.snapshot();
            if let Some(once) = &by.once {
                match once.before(&records) {
                    Ok(Some(outcome)) => return Ok(outcome),
                    Ok(None) => {}
                    Err(OnceRefusal::KeyReused) => return Err(Undone::KeyReused),
                    Err(OnceRefusal::Read(fault)) => return Err(fault.into()),
                }
            }
            let (outcome, change) = decide(&records).map_err(Undone::Refused)?;
            drop(records);
            let Some(mut change) = change else { return Ok(outcome) };
            if let Some(once) = &by.once {
                once.keep(&mut change, &outcome);
            }
            match self.commit(change).await {
                Ok(_) => return Ok(outcome),
                Err(CommitError::Refused(Refusal::Stale { .. } | Refusal::Full(_))) => {}
                Err(CommitError::Busy(Busy::Full | Busy::Stopped)) => return Err(Undone::Busy),
                Err(fault) => {
                    tracing::error!(%fault, "a change could not be made");
                    return Err(Undone::Failed(fault.to_string()));
                }
            }
        }
        Err(Undone::Busy)
    }
}
