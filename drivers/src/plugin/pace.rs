//! How fast a child is heard: a flood costs the flooder alone. Its socket fills, and its `emit` waits.
//!
//! It must not know what is said.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// What a lane's devices say in a busy second, thirty times over.
const MOST_FRAMES_A_SECOND: u32 = 1000;
/// Pictures of 2 MiB, sixteen of them.
const MOST_BYTES_A_SECOND: u32 = 32 * 1024 * 1024;
/// So much of a second's allowance may come at once, which keeps the box's other work waiting for a millisecond or two.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Since when the child's allowance is used up, as a point in time: it is in arrears while that lies ahead.
#[derive(Debug)]
pub(super) struct Pace {
    paid_until: Instant,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { paid_until: Instant::now() }
    }

    /// Waits while the child has said more than its share.
    pub(super) async fn wait(&self) {
        if let Some(again_at) = self.again_at(Instant::now()) {
            sleep_until(again_at).await;
        }
    }

    fn again_at(&self, now: Instant) -> Option<Instant> {
        (self.paid_until > now + AT_ONCE).then(|| self.paid_until - AT_ONCE)
    }

    /// A frame of so many bytes was heard.
    pub(super) fn heard(&mut self, bytes: usize) {
        self.charge(bytes, Instant::now());
    }

    fn charge(&mut self, bytes: usize, now: Instant) {
        let bytes = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
        let for_bytes = Duration::from_secs(1).mul_f64(bytes / f64::from(MOST_BYTES_A_SECOND));
        let price = (Duration::from_secs(1) / MOST_FRAMES_A_SECOND).max(for_bytes);
        self.paid_until = self.paid_until.max(now) + price;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long so many frames take that are said as fast as they are heard.
    fn takes(frames: usize, bytes: usize) -> Duration {
        let start = Instant::now();
        let (mut pace, mut now) = (Pace { paid_until: start }, start);
        for _ in 0..frames {
            now = pace.again_at(now).unwrap_or(now);
            pace.charge(bytes, now);
        }
        now - start
    }

    #[test]
    fn a_little_is_heard_at_once_and_a_flood_at_its_pace() {
        assert_eq!(takes(90, 100), Duration::ZERO);
        let second = takes(1000 + 100, 100);
        assert!((Duration::from_millis(990)..=Duration::from_millis(1010)).contains(&second), "{second:?}");
        let pictures = takes(16 + 2, 2 * 1024 * 1024);
        assert!((Duration::from_millis(900)..=Duration::from_millis(1100)).contains(&pictures), "{pictures:?}");
    }

    #[test]
    fn silence_is_not_saved_up() {
        let start = Instant::now();
        let mut pace = Pace { paid_until: start };
        let later = start + Duration::from_secs(3600);
        for _ in 0..200 {
            pace.charge(100, later);
        }
        assert!(pace.again_at(later).is_some());
    }
}
