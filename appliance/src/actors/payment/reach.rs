//! Whether a provider can be reached, as far as its last calls tell: so that a page offers no button that cannot work.
//! Owns two numbers; it must not call anybody.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// One lost call is chance.
const FAILURES: u32 = 2;
/// Nobody has asked for so long: then a cheap question is due.
const QUIET: TimeDelta = TimeDelta::seconds(30);
/// The same while it cannot be reached.
const QUIET_AWAY: TimeDelta = TimeDelta::seconds(5);

/// How one account's provider is reached.
#[derive(Debug, Default)]
pub struct Reach {
    failures: AtomicU32,
    last_ms: AtomicI64,
}

/// Whether it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It answers.
    Yes,
    /// The last calls found nobody.
    No,
}

impl Reach {
    /// It has answered, whatever it said.
    pub fn answered(&self, now: DateTime<Utc>) {
        self.failures.store(0, Ordering::Relaxed);
        self.last_ms.store(now.timestamp_millis(), Ordering::Relaxed);
    }

    /// Nobody answered.
    pub fn silent(&self, now: DateTime<Utc>) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.last_ms.store(now.timestamp_millis(), Ordering::Relaxed);
    }

    /// Whether it can be reached.
    pub fn now(&self) -> Reached {
        if self.failures.load(Ordering::Relaxed) >= FAILURES { Reached::No } else { Reached::Yes }
    }

    /// Whether a cheap question is due, for nobody has asked anything; then it counts as asked.
    pub fn probe_is_due(&self, now: DateTime<Utc>) -> Option<()> {
        let quiet = if self.failures.load(Ordering::Relaxed) == 0 { QUIET } else { QUIET_AWAY };
        let last = self.last_ms.load(Ordering::Relaxed);
        if now.timestamp_millis() - last < quiet.num_milliseconds() {
            return None;
        }
        let now_ms = now.timestamp_millis();
        self.last_ms.compare_exchange(last, now_ms, Ordering::Relaxed, Ordering::Relaxed).ok().map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_away_after_two_lost_calls_and_back_with_its_first_answer() {
        let (reach, now) = (Reach::default(), DateTime::UNIX_EPOCH + TimeDelta::days(1));
        assert_eq!(reach.now(), Reached::Yes);
        reach.silent(now);
        assert_eq!(reach.now(), Reached::Yes);
        reach.silent(now);
        assert_eq!(reach.now(), Reached::No);
        assert!(reach.probe_is_due(now + TimeDelta::seconds(4)).is_none());
        assert!(reach.probe_is_due(now + TimeDelta::seconds(5)).is_some());
        assert!(reach.probe_is_due(now + TimeDelta::seconds(5)).is_none(), "once");
        reach.answered(now + TimeDelta::seconds(6));
        assert_eq!(reach.now(), Reached::Yes);
        assert!(reach.probe_is_due(now + TimeDelta::seconds(20)).is_none());
    }
}
