//! Pauses that a stop cuts short, and how long to wait before trying again.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Tells every thread of a driver to end. Clones are the same signal.
#[derive(Debug, Clone, Default)]
pub struct StopSignal(Arc<(Mutex<bool>, Condvar)>);

/// How a pause ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// It was as long as it was to be.
    Over,
    /// The driver stops: return at once.
    Stopped,
}

impl StopSignal {
    /// Ends every pause, now and later.
    pub fn stop(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Whether the driver stops.
    pub fn is_stopped(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits so long, or until the driver stops.
    pub fn pause(&self, length: Duration) -> Pause {
        let stopped = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.1.wait_timeout_while(stopped, length, |stopped| !*stopped);
        let (stopped, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *stopped { Pause::Stopped } else { Pause::Over }
    }
}

/// Growing pauses between attempts: at once, then doubled from the first to the longest.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// The first attempt after a success is made at once.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: Duration::ZERO }
    }

    /// How long to wait now.
    pub fn next_pause(&mut self) -> Duration {
        let now = self.next;
        self.next = if now.is_zero() { self.first } else { now.saturating_mul(2).min(self.longest) };
        now
    }

    /// It worked.
    pub fn reset(&mut self) {
        self.next = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_attempt_is_at_once_and_the_pauses_grow_to_the_longest() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(300));
        let pauses: Vec<u128> = (0..5).map(|_| backoff.next_pause().as_millis()).collect();
        assert_eq!(pauses, [0, 100, 200, 300, 300]);
        backoff.reset();
        assert_eq!(backoff.next_pause(), Duration::ZERO);
    }

    #[test]
    fn a_stop_cuts_a_pause_short() {
        let stop = StopSignal::default();
        assert_eq!(stop.pause(Duration::ZERO), Pause::Over);
        let other = stop.clone();
        let paused = std::thread::spawn(move || other.pause(Duration::from_secs(600)));
        stop.stop();
        assert_eq!(paused.join().expect("no panic"), Pause::Stopped);
        assert!(stop.is_stopped());
    }
}
