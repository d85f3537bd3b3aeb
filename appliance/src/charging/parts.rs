//! What every desk of property charging works with. It must not know what is decided.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tollhouse_core::charging::policy::ChargingPolicy;
use tollhouse_core::charging::timeline::Note;
use tollhouse_core::id::IdKey;
use tollhouse_core::lot::Lot;
use tollhouse_core::money::Currency;
use tollhouse_core::record::{By, Cause, Change, ChangeKind};

use super::fault::ChargingFault;
use crate::clock::BoxClock;
use crate::desks::DeskParts;
use crate::store::{Snapshot, Store};

/// What a decision came to: what is to be written, if anything, and what whoever asked is told.
#[derive(Debug)]
pub struct Decided<T> {
    /// What is to be written; a change without writes and postings is not journalled.
    pub change: Change,
    /// What came of it.
    pub outcome: T,
}

/// What a desk works with. Cloning it is cheap.
#[derive(Clone)]
pub struct ChargingParts {
    /// What the box keeps.
    pub store: Store,
    /// Its clock.
    pub clock: BoxClock,
    /// From which it derives ids.
    pub key: IdKey,
    /// The lot: zone, currency, policy.
    pub lot: Arc<Lot>,
}

impl ChargingParts {
    /// Of what all desks are made of.
    pub fn new(parts: &DeskParts) -> Self {
        let DeskParts { store, clock, key, lot, .. } = parts.clone();
        Self { store, clock, key, lot }
    }

    /// The box's time.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The lot's date.
    pub fn today(&self) -> NaiveDate {
        self.date(self.now())
    }

    /// The lot's date at a moment.
    pub fn date(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.lot.zone).date_naive()
    }

    /// What the lot decides.
    pub fn policy(&self) -> &ChargingPolicy {
        &self.lot.charging
    }

    /// What it charges in.
    pub fn currency(&self) -> Currency {
        self.lot.currency
    }

    /// What stands on every dated change.
    pub fn note(&self, by: &By) -> Note {
        let at = self.now();
        let why = match &by.cause {
            Cause::Person { reason, .. } => reason,
            Cause::Box(why) => why,
            _ => "",
        };
        Note::new(at, self.date(at), by.name(), why)
    }

    /// An empty change for what somebody asked.
    pub fn change(&self, kind: ChangeKind, by: &By) -> Change {
        by.change(kind, self.now())
    }

    /// Decides against a snapshot and commits; decides anew when somebody wrote meanwhile what the decision relied on.
    /// Under the key of `by` it is done once.
    pub async fn carry_out<T>(
        &self,
        by: &By,
        mut decide: impl FnMut(&Snapshot) -> Result<Decided<T>, ChargingFault>,
    ) -> Result<T, ChargingFault>
    where
        T: Serialize + DeserializeOwned,
    {
        let decided = self.store.decide(by, |records| {
            let Decided { change, outcome } = decide(records)?;
            let writes = !change.ops.is_empty() || !change.postings.is_empty();
            Ok((outcome, writes.then_some(change)))
        });
        decided.await.map_err(ChargingFault::from)
    }
}
