//! For which stays a scheme and for which time a rate may be taken.
//! It must not know prices, nor which of several is taken.

use super::forms;
use super::head::Head;
use super::reader::Keys;
use crate::tariff::model::{Conditions, Selectors, Span, SplitAtMidnight, TimeWindow};

const MOST_WINDOWS: usize = 16;

/// Windows of one list that do not overlap: a moment is in one of them or in none.
fn windows(keys: &Keys<'_>, key: &str) -> Vec<TimeWindow> {
    let found = keys.list(key, MOST_WINDOWS, forms::WINDOW, TimeWindow::parse);
    for (i, window) in found.iter().enumerate() {
        if let Some(other) = found[..i].iter().find(|other| overlap(window.value, other.value)) {
            keys.faults.tell(&window.place, format!("{} overlaps {} of the same list", window.value, other.value));
        }
    }
    found.into_iter().map(|window| window.value).collect()
}

/// Whether two windows that come every day share a moment.
fn overlap(one: TimeWindow, other: TimeWindow) -> bool {
    [-86_400, 0, 86_400].into_iter().any(|shift| {
        let (starts, ends) = (i64::from(other.starts) + shift, i64::from(other.ends) + shift);
        i64::from(one.starts) < ends && starts < i64::from(one.ends)
    })
}

/// The selectors of a rate, cap or surcharge, as far as its table may have them.
pub(super) fn selectors(keys: &Keys<'_>, head: &Head<'_>) -> Selectors {
    let time = windows(keys, "time");
    let crosses = time.iter().any(|window| window.crosses_midnight());
    let split = match keys.truth("split_at_midnight") {
        Some(true) => SplitAtMidnight::Yes,
        _ => SplitAtMidnight::No,
    };
    if split == SplitAtMidnight::Yes && !crosses {
        let place = keys.place_at("split_at_midnight");
        keys.faults.tell(&place, "none of its windows crosses midnight, so there is nothing to split; leave it out");
    }
    Selectors {
        days: head.days(keys),
        time,
        seasons: head.seasons(keys),
        vehicles: head.vehicles(keys),
        areas: head.areas(keys),
        split_at_midnight: split,
    }
}

pub(super) fn conditions(keys: &Keys<'_>, head: &Head<'_>) -> Conditions {
    let at_least = keys.read("at_least", forms::SPAN, Span::parse);
    let at_most = keys.read_at("at_most", forms::SPAN, Span::parse);
    if let (Some(least), Some(most)) = (at_least, &at_most)
        && least > most.value
    {
        keys.faults.tell(&most.place, format!("no stay is at least {least} and at most {} long", most.value));
    }
    Conditions {
        vehicles: head.vehicles(keys),
        areas: head.areas(keys),
        entered: windows(keys, "entered"),
        left: windows(keys, "left"),
        days: head.days(keys),
        seasons: head.seasons(keys),
        at_least,
        at_most: at_most.map(|most| most.value),
    }
}
