//! Which lanes have a command that no device has answered yet: for the metrics, not for deciding.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tollhouse_core::id::LaneId;

/// Unanswered commands by lane.
#[derive(Default)]
pub struct Outbox {
    since: Mutex<HashMap<LaneId, DateTime<Utc>>>,
}

impl Outbox {
    /// The lane's command waits since then, or none does.
    pub fn lane(&self, lane: &LaneId, since: Option<DateTime<Utc>>) {
        let mut waiting = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        match since {
            Some(since) => {
                waiting.insert(lane.clone(), since);
            }
            None => {
                waiting.remove(lane);
            }
        }
    }

    /// How many wait, and how long the oldest has.
    pub fn depth_and_age(&self, now: DateTime<Utc>) -> (i64, Duration) {
        let waiting = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let depth = i64::try_from(waiting.len()).unwrap_or(i64::MAX);
        let age = waiting.values().min().and_then(|oldest| (now - *oldest).to_std().ok());
        (depth, age.unwrap_or_default())
    }
}
