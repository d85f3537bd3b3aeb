//! What is asked about when: each open order and refund by its own schedule, nobody twice at once, and a callback at once but
//! at most once in two seconds. In memory alone: after a start everything is due.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// Callbacks of one order make us ask at most this often.
const HINTS_APART: TimeDelta = TimeDelta::seconds(2);
/// What nobody has looked after for so long is forgotten.
const KEPT_FOR: TimeDelta = TimeDelta::minutes(10);

#[derive(Debug, Clone, Copy)]
struct Seen {
    due: DateTime<Utc>,
    asked_at: DateTime<Utc>,
    hinted_at: Option<DateTime<Utc>>,
    differing: u32,
    asking: Asking,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    No,
    Now,
    /// Once more when it is over.
    Again,
}

/// Whether to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Now; whoever got this answer says when it is over.
    Ask,
    /// Not now.
    Wait,
}

/// The schedule of one kind of thing.
pub(super) struct Watch<K>(Mutex<HashMap<K, Seen>>);

impl<K> Default for Watch<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Copy> Watch<K> {
    fn all(&self) -> MutexGuard<'_, HashMap<K, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is this one's turn.
    pub(super) fn turn(&self, key: K, now: DateTime<Utc>) -> Turn {
        let mut all = self.all();
        let seen = all.entry(key).or_insert(new(now));
        if seen.asking != Asking::No || now < seen.due {
            return Turn::Wait;
        }
        seen.asking = Asking::Now;
        seen.asked_at = now;
        Turn::Ask
    }

    /// Somebody says that something has happened.
    pub(super) fn hint(&self, key: K, now: DateTime<Utc>) -> Turn {
        let mut all = self.all();
        let seen = all.entry(key).or_insert(new(now));
        if let Some(before) = seen.hinted_at.filter(|at| now - *at < HINTS_APART) {
            seen.due = seen.due.min(before + HINTS_APART);
            return Turn::Wait;
        }
        seen.hinted_at = Some(now);
        if seen.asking != Asking::No {
            seen.asking = Asking::Again;
            return Turn::Wait;
        }
        seen.asking = Asking::Now;
        seen.asked_at = now;
        Turn::Ask
    }

    /// The question is over; the next is due then.
    pub(super) fn over(&self, key: K, now: DateTime<Utc>, next: DateTime<Utc>) {
        if let Some(seen) = self.all().get_mut(&key) {
            seen.due = if seen.asking == Asking::Again { now } else { next };
            seen.asking = Asking::No;
        }
    }

    /// It is due at once.
    pub(super) fn soon(&self, key: K, now: DateTime<Utc>) {
        if let Some(seen) = self.all().get_mut(&key) {
            seen.due = now;
        }
    }

    /// An answer did not fit: how many in a row by now.
    pub(super) fn differed(&self, key: K, now: DateTime<Utc>) -> u32 {
        let mut all = self.all();
        let seen = all.entry(key).or_insert(new(now));
        seen.differing += 1;
        seen.differing
    }

    /// An answer did fit.
    pub(super) fn fitted(&self, key: K) {
        if let Some(seen) = self.all().get_mut(&key) {
            seen.differing = 0;
        }
    }

    /// Forgets what nobody asks about any more.
    pub(super) fn tidy(&self, now: DateTime<Utc>) {
        self.all().retain(|_, seen| seen.asking != Asking::No || now - seen.asked_at.max(seen.due) < KEPT_FOR);
    }
}

fn new(now: DateTime<Utc>) -> Seen {
    Seen { due: now, asked_at: now, hinted_at: None, differing: 0, asking: Asking::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(ms)
    }

    #[test]
    fn nobody_is_asked_twice_at_once_and_everybody_when_due() {
        let watch = Watch::<u8>::default();
        assert_eq!(watch.turn(1, at(0)), Turn::Ask);
        assert_eq!(watch.turn(1, at(5_000)), Turn::Wait, "the question is under way");
        watch.over(1, at(5_000), at(7_000));
        assert_eq!(watch.turn(1, at(6_999)), Turn::Wait);
        assert_eq!(watch.turn(1, at(7_000)), Turn::Ask);
    }

    #[test]
    fn a_hundred_callbacks_make_one_question_in_two_seconds_and_none_is_lost() {
        let watch = Watch::<u8>::default();
        assert_eq!(watch.turn(1, at(0)), Turn::Ask);
        watch.over(1, at(10), at(30_000));
        assert_eq!(watch.hint(1, at(1_000)), Turn::Ask, "the first makes us ask at once");
        watch.over(1, at(1_050), at(30_000));
        let turns: Vec<Turn> = (1..100).map(|more| watch.hint(1, at(1_050 + more * 10))).collect();
        assert!(turns.iter().all(|turn| *turn == Turn::Wait));
        assert_eq!(watch.turn(1, at(2_999)), Turn::Wait);
        assert_eq!(watch.turn(1, at(3_000)), Turn::Ask, "what came in between is asked about then");
    }

    #[test]
    fn a_callback_that_comes_while_the_question_is_under_way_is_asked_about_afterwards() {
        let watch = Watch::<u8>::default();
        assert_eq!(watch.turn(1, at(0)), Turn::Ask);
        assert_eq!(watch.hint(1, at(10)), Turn::Wait);
        watch.over(1, at(50), at(30_000));
        assert_eq!(watch.turn(1, at(50)), Turn::Ask);
    }
}
