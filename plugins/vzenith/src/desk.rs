//! Where commands wait for the camera to come for them, and plates for their commands: the camera is never called.
//!
//! It owns the one lock between the control thread and the threads that answer the camera. It must not know HTTP.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tollhouse_sdk::{Host, Refusal, Status};

use crate::deed::{Deed, What};

/// At most so many commands wait.
const MOST_WAITING: usize = 32;
/// At most so many frames for the serial port go with one answer.
const MOST_AT_ONCE: usize = 4;
/// A reply that was on its way when its plate's time ended is still taken.
const GRACE: Duration = Duration::from_millis(100);
/// A camera that has not polled for so long does not poll.
const POLLS_EVERY: Duration = Duration::from_secs(35);

/// A command is given up so long before its deadline, so that the lane hears of it in time.
pub(crate) const ANSWER_AHEAD_MS: u64 = 300;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Plates that wait, by their token, with what was decided.
    plates: BTreeMap<String, Option<Deed>>,
    outbox: VecDeque<Deed>,
    polled_at: Option<Instant>,
    closed: bool,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A plate is about to wait under this token.
    pub(crate) fn expect(&self, token: &str) {
        self.lock().plates.insert(token.to_owned(), None);
    }

    /// Waits for the command that answers a plate; what else goes to the camera goes with it.
    pub(crate) fn decided(&self, token: &str, by: Instant) -> Vec<Deed> {
        let mut state = self.lock();
        let until = by + GRACE;
        while !state.closed && state.plates.get(token).is_some_and(Option::is_none) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut deeds: Vec<Deed> = state.plates.remove(token).flatten().into_iter().collect();
        // A relay command that was not meant for this plate would open for the wrong car.
        let others = state.outbox.extract_if_front(|deed| !matches!(deed.what, What::Relay(_)));
        deeds.extend(others);
        deeds
    }

    /// Hands a plate its command.
    pub(crate) fn reply(&self, token: &str, deed: Deed) {
        let mut state = self.lock();
        match state.plates.get_mut(token) {
            Some(place @ None) => {
                *place = Some(deed);
                self.changed.notify_all();
            }
            _ => deed.pending.refuse(&Refusal::new(Status::Timeout, "the camera has had its answer already")),
        }
    }

    /// Leaves a command for the next poll.
    pub(crate) fn leave(&self, deed: Deed) {
        let mut state = self.lock();
        let polls = state.polled_at.is_some_and(|at| at.elapsed() < POLLS_EVERY);
        if matches!(deed.what, What::Relay(_)) && !polls {
            let words = "no plate waits for an answer, and the camera does not poll: switch on its comet polling";
            return deed.pending.refuse(&Refusal::new(Status::Offline, words));
        }
        if state.outbox.len() >= MOST_WAITING {
            return deed.pending.refuse(&Refusal::new(Status::Busy, "too many commands wait for the camera"));
        }
        state.outbox.push_back(deed);
        self.changed.notify_all();
    }

    /// Waits for what a poll is answered with.
    pub(crate) fn polled(&self, hold: Duration) -> Vec<Deed> {
        let until = Instant::now() + hold;
        let mut state = self.lock();
        loop {
            state.polled_at = Some(Instant::now());
            let mut relays = 0;
            let deeds = state.outbox.extract_if_front(|deed| {
                relays += usize::from(matches!(deed.what, What::Relay(_)));
                relays <= 1 || !matches!(deed.what, What::Relay(_))
            });
            let left = until.saturating_duration_since(Instant::now());
            if !deeds.is_empty() || left.is_zero() || state.closed {
                return deeds;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Refuses what nobody came for in time.
    pub(crate) fn time_passed(&self, host: Host) {
        let now_ms = host.now_ms() + ANSWER_AHEAD_MS;
        let mut state = self.lock();
        while let Some(place) = state.outbox.iter().position(|deed| deed.deadline_ms <= now_ms) {
            if let Some(deed) = state.outbox.remove(place) {
                deed.pending.refuse(&Refusal::new(Status::Timeout, "the camera did not come for it in time"));
            }
        }
    }

    /// The driver stops: nobody waits any more.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for deed in state.outbox.drain(..) {
            deed.pending.refuse(&Refusal::new(Status::Offline, "the driver stops"));
        }
        self.changed.notify_all();
    }
}

/// Takes some of a queue, a few at most, and keeps the order of the rest.
trait ExtractFront {
    fn extract_if_front(&mut self, wanted: impl FnMut(&Deed) -> bool) -> Vec<Deed>;
}

impl ExtractFront for VecDeque<Deed> {
    fn extract_if_front(&mut self, mut wanted: impl FnMut(&Deed) -> bool) -> Vec<Deed> {
        let (mut taken, mut rest) = (Vec::new(), Self::new());
        for deed in self.drain(..) {
            if taken.len() < MOST_AT_ONCE && wanted(&deed) {
                taken.push(deed);
            } else {
                rest.push_back(deed);
            }
        }
        *self = rest;
        taken
    }
}
