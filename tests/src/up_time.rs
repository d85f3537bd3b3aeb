//! Owns how long a box has been up, over all its lives: by this clock cars wait for a box that is killed again and again.
//! It knows neither boxes nor cars; whoever starts and kills says so here.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A clock that runs while the box does.
///
/// The long kill run stops the box for `tollhouse verify`, which reads a journal that has grown with every kill: after
/// some hundred of them that takes many times as long as the moment for which the box is up. By the clock on the wall a car
/// that pays in three steps would then run out of patience with a box that never had the time to take them.
#[derive(Debug, Default)]
pub struct UpTime(Mutex<Lives>);

#[derive(Debug, Default)]
struct Lives {
    over: Duration,
    up_since: Option<Instant>,
}

impl UpTime {
    /// The box is up from now on.
    pub fn began(&self, now: Instant) {
        self.lives().up_since = Some(now);
    }

    /// The box is down from now on.
    pub fn ended(&self, now: Instant) {
        let mut lives = self.lives();
        if let Some(since) = lives.up_since.take() {
            lives.over += now.saturating_duration_since(since);
        }
    }

    /// How long it has been up so far.
    pub fn until(&self, now: Instant) -> Duration {
        let lives = self.lives();
        lives.over + lives.up_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    fn lives(&self) -> MutexGuard<'_, Lives> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_that_is_down_costs_nobody_patience() {
        let (up_time, start) = (UpTime::default(), Instant::now());
        let second = |number| start + Duration::from_secs(number);
        assert_eq!(up_time.until(second(5)), Duration::ZERO, "it has not been started");
        up_time.began(second(5));
        assert_eq!(up_time.until(second(7)), Duration::from_secs(2));
        up_time.ended(second(8));
        // Half a minute for the proof that nothing was lost.
        assert_eq!(up_time.until(second(38)), Duration::from_secs(3));
        up_time.began(second(38));
        assert_eq!(up_time.until(second(39)), Duration::from_secs(4));
    }
}
