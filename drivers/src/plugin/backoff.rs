//! When a driver that failed is started again, and when it is left alone for a while.
//!
//! Pure but for the chance in the waits. It must not start anything.

use std::time::Duration;

use super::Patience;
use super::frame::Again;

/// What happens after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Another try after so long.
    Wait(Duration),
    /// It has failed too often, or can not do otherwise: nobody tries for so long, unless a person says so.
    Quarantine(Duration),
}

impl Next {
    pub(super) fn wait(self) -> Duration {
        match self {
            Self::Wait(wait) | Self::Quarantine(wait) => wait,
        }
    }
}

/// The failures since the driver was last healthy.
#[derive(Debug)]
pub(super) struct Backoff {
    failures: u32,
    chance: fastrand::Rng,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { failures: 0, chance: fastrand::Rng::new() }
    }

    /// It worked for long enough, or a person wants it to be tried anew.
    pub(super) fn forget(&mut self) {
        self.failures = 0;
    }

    /// It failed once more.
    pub(super) fn failed(&mut self, patience: &Patience, again: Again) -> Next {
        let before = self.failures;
        self.failures = self.failures.saturating_add(1);
        if self.failures >= patience.most_failures || again == Again::Useless {
            return Next::Quarantine(self.spread(patience.quarantine));
        }
        let doubled = patience.first_backoff.saturating_mul(1 << before.min(16));
        Next::Wait(self.spread(doubled.min(patience.longest_backoff)))
    }

    /// Three to five quarters of it: drivers that fall together, as when their devices lose power, do not all come back
    /// together.
    fn spread(&mut self, wait: Duration) -> Duration {
        wait * self.chance.u32(750..=1250) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience() -> Patience {
        Patience { most_failures: 9, ..Patience::default() }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_then_comes_the_quarantine() {
        let mut backoff = Backoff::new();
        for middle_ms in [100, 200, 400, 800, 1600, 3200, 5000, 5000] {
            let Next::Wait(wait) = backoff.failed(&patience(), Again::Perhaps) else { panic!("quarantine too early") };
            let middle = Duration::from_millis(middle_ms);
            assert!((middle * 3 / 4..=middle * 5 / 4).contains(&wait), "{wait:?}, about {middle:?}");
        }
        assert!(matches!(backoff.failed(&patience(), Again::Perhaps), Next::Quarantine(_)));
        assert!(matches!(backoff.failed(&patience(), Again::Perhaps), Next::Quarantine(_)), "one try, and again");
        backoff.forget();
        assert!(matches!(backoff.failed(&patience(), Again::Perhaps), Next::Wait(_)));
    }

    #[test]
    fn what_would_fail_in_the_same_way_is_not_tried_again_and_again() {
        assert!(matches!(Backoff::new().failed(&patience(), Again::Useless), Next::Quarantine(_)));
    }

    #[test]
    fn two_that_fall_together_do_not_come_back_together() {
        let waits: std::collections::BTreeSet<Duration> =
            (0..32).map(|_| Backoff::new().failed(&patience(), Again::Perhaps).wait()).collect();
        assert!(waits.len() > 8, "{waits:?}");
    }
}
