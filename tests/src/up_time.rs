//! Owns how long a box has been up, over all its lives: by this clock cars wait for a box that is killed again and again.
//! It knows neither boxes nor cars; whoever starts and kills says so here.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A clock that runs while the box does.
///
/// The long kill run stops the box for `tollhouse verify`, which reads a journal that has grown with every kill: after
/// some hundred of them that takes many times as long as the moment for which the box is up. By the clock on the wall a car
/// that pays in three steps would then run out of patience with a box that never had the time to take them. And once it
/// takes as long as an opening command lives, what was on its way at the kill has run out: its outcome is unknown, and by the
/// contract only a new read, or a person, opens. So long absences are counted.
#[derive(Debug, Default)]
pub struct UpTime(Mutex<Lives>);

#[derive(Debug, Default)]
struct Lives {
    over: Duration,
    up_since: Option<Instant>,
    down_since: Option<Instant>,
    long_absences: usize,
}

/// Half of what an opening command lives in the tests' configuration: it was sent some time before the box went down.
const LONG_ABSENCE: Duration = Duration::from_secs(5);

impl UpTime {
    /// The box is up from now on.
    pub fn began(&self, now: Instant) {
        let mut lives = self.lives();
        let away = lives.down_since.take().map(|since| now.saturating_duration_since(since));
        lives.long_absences += usize::from(away.is_some_and(|away| away >= LONG_ABSENCE));
        lives.up_since = Some(now);
    }

    /// The box is down from now on.
    pub fn ended(&self, now: Instant) {
        let mut lives = self.lives();
        if let Some(since) = lives.up_since.take() {
            lives.over += now.saturating_duration_since(since);
            lives.down_since = Some(now);
        }
    }

    /// How often it has been away for so long that openings on their way may have run out.
    pub fn long_absences(&self) -> usize {
        self.lives().long_absences
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
        assert_eq!(up_time.long_absences(), 1, "what was to open at second 8 has run out");
        up_time.ended(second(40));
        up_time.began(second(41));
        assert_eq!(up_time.long_absences(), 1, "what was to open at second 40 goes out again");
    }
}
