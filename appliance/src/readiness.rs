//! Whether the box is ready: store, lanes and subscriptions up, and which devices or drivers are missing.
//!
//! Owns three flags and a list of names. Knows nothing of why: whoever brings a part up or down says so here.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// A part without which the box is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The store is open and replayed.
    Store,
    /// Every lane's actor is running.
    Lanes,
    /// The MQTT link is connected and subscribed.
    Subscriptions,
}

const PARTS: [Part; 3] = [Part::Store, Part::Lanes, Part::Subscriptions];

/// Whether a part is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It works.
    Up,
    /// It does not, or not yet.
    Down,
}

/// What is known of readiness now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Parts that are not up: empty means ready.
    pub missing: Vec<Part>,
    /// Devices and drivers that are not there. The box is ready all the same.
    pub degraded: Vec<String>,
}

/// The picture that all parts write and `/readyz` reads. At the start everything is down.
#[derive(Debug, Default)]
pub struct Readiness {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    up: BTreeSet<Part>,
    degraded: BTreeSet<String>,
}

impl Readiness {
    /// Says how a part stands.
    pub fn part(&self, part: Part, standing: Standing) {
        let mut known = self.known();
        match standing {
            Standing::Up => known.up.insert(part),
            Standing::Down => known.up.remove(&part),
        };
    }

    /// Says how a device or driver stands. Name each configured device `Down` at the start: it is absent until it
    /// says otherwise. The number of names is that of the configuration.
    pub fn device(&self, name: &str, standing: Standing) {
        let mut known = self.known();
        match standing {
            Standing::Up => known.degraded.remove(name),
            Standing::Down => known.degraded.insert(name.to_owned()),
        };
    }

    /// What is missing and what is degraded, in a fixed order.
    pub fn report(&self) -> Report {
        let known = self.known();
        let missing = PARTS.into_iter().filter(|part| !known.up.contains(part)).collect();
        Report { missing, degraded: known.degraded.iter().cloned().collect() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Each write is a single insert or remove: a panic elsewhere cannot leave half of one.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_box_is_ready_once_store_lanes_and_subscriptions_are_up() {
        let readiness = Readiness::default();
        assert_eq!(readiness.report().missing, PARTS);
        for part in PARTS {
            readiness.part(part, Standing::Up);
        }
        assert_eq!(readiness.report().missing, []);
        readiness.part(Part::Subscriptions, Standing::Down);
        assert_eq!(readiness.report().missing, [Part::Subscriptions]);
    }

    #[test]
    fn an_absent_device_degrades_without_making_the_box_unready() {
        let readiness = Readiness::default();
        for part in PARTS {
            readiness.part(part, Standing::Up);
        }
        readiness.device("cam-in-1", Standing::Down);
        assert_eq!(readiness.report(), Report { missing: vec![], degraded: vec!["cam-in-1".to_owned()] });
        readiness.device("cam-in-1", Standing::Up);
        assert_eq!(readiness.report().degraded, Vec::<String>::new());
    }
}
