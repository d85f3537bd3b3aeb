//! The box's clock: monotonic while the box is up, anchored to the machine's clock, and faster in a demo.
//!
//! The only place that asks the machine for the time of day. A jump of the machine's clock is seen by [`BoxClock::check`],
//! counted by its caller, and taken over at once; small drift is followed silently.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use chrono::{DateTime, TimeDelta, Utc};

/// From this difference on, the machine's clock is said to have jumped.
const JUMP: TimeDelta = TimeDelta::seconds(2);

/// The box's clock.
#[derive(Clone)]
pub struct BoxClock {
    anchor: Arc<ArcSwap<Anchor>>,
    speed: u32,
}

struct Anchor {
    wall: DateTime<Utc>,
    monotonic: Instant,
}

/// What looking at the machine's clock found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockCheck {
    /// Nothing to speak of.
    Steady,
    /// It has jumped by so much.
    Jumped(TimeDelta),
}

impl BoxClock {
    /// A clock that starts at the machine's time and runs `speed` times as fast (1 on every real box).
    pub fn start(speed: u32) -> Self {
        let anchor = Anchor { wall: Utc::now(), monotonic: Instant::now() };
        Self { anchor: Arc::new(ArcSwap::from_pointee(anchor)), speed: speed.max(1) }
    }

    /// The time of day.
    pub fn now(&self) -> DateTime<Utc> {
        let anchor = self.anchor.load();
        let passed = anchor.monotonic.elapsed() * self.speed;
        anchor.wall + TimeDelta::from_std(passed).unwrap_or(TimeDelta::MAX)
    }

    /// How long to wait, by the machine's clock, until the box's clock shows `at`.
    pub fn until(&self, at: DateTime<Utc>) -> Duration {
        (at - self.now()).to_std().unwrap_or(Duration::ZERO) / self.speed
    }

    /// Compares with the machine's clock and follows it. A clock that runs faster than the machine's follows nothing.
    pub fn check(&self) -> ClockCheck {
        if self.speed != 1 {
            return ClockCheck::Steady;
        }
        let (ours, wall) = (self.now(), Utc::now());
        let difference = wall - ours;
        self.anchor.store(Arc::new(Anchor { wall, monotonic: Instant::now() }));
        if difference.abs() >= JUMP { ClockCheck::Jumped(difference) } else { ClockCheck::Steady }
    }

    /// The same clock in the form that the drivers take.
    pub fn for_drivers(&self) -> tollhouse_drivers::Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}
