//! What a day looks like on the clock on the wall: which rate holds from when, and which caps and adjustments with it.
//!
//! A pattern follows from the classes of the day and of the day before, whose windows reach over midnight. It must not
//! know real time: a day of 23 hours has the pattern of any other.

use super::days::DayKey;
use super::plan::{Marks, SchemePlan, SelectorPlan};
use crate::tariff::model::SplitAtMidnight;

/// A stretch of a day; it reaches to the next one, or to the day's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Seconds after midnight.
    pub(super) starts: u32,
    /// The rate that holds; `None`: none does.
    pub(super) rate: Option<u16>,
    /// Which selectors of caps and adjustments hold.
    pub(super) marks: Marks,
    /// By which of the rate's windows, and on which day that began; `None`: the rate has no windows.
    pub(super) window: Option<(u8, Owner)>,
}

/// For which car and place a pattern is, and between which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Around {
    pub(super) kind: u16,
    pub(super) area: Option<u16>,
    pub(super) before: DayKey,
    pub(super) today: DayKey,
}

const DAY: u32 = 86_400;

/// The day on which the window began by which a selector holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Today,
    Before,
}

/// How a selector holds: how specifically, by which window, and whose day is asked.
struct Hold {
    rank: Rank,
    window: Option<(u8, Owner)>,
    asked: Owner,
}

/// How specifically a selector holds: days, time, seasons, vehicles, areas.
type Rank = [u8; 5];

/// The stretches of a day, the first from midnight.
pub(super) fn pattern(scheme: &SchemePlan, around: &Around) -> Vec<Stretch> {
    let selectors = || scheme.rates.iter().map(|rate| &rate.selector).chain(&scheme.marks);
    let mut bounds = vec![0];
    for window in selectors().flat_map(|selector| &selector.time) {
        bounds.extend([window.starts, window.ends % DAY]);
    }
    bounds.sort_unstable();
    bounds.dedup();
    let mut stretches: Vec<Stretch> = Vec::with_capacity(bounds.len());
    for starts in bounds {
        let best = rate_at(scheme, around, starts);
        let (rate, hold) = best.map_or((None, None), |(rate, hold)| (Some(rate), Some(hold)));
        let asked = hold.as_ref().map_or(Owner::Today, |hold| hold.asked);
        let marks = marks_at(scheme, around, starts, asked);
        let stretch = Stretch { starts, rate, marks, window: hold.and_then(|hold| hold.window) };
        if stretches.last().is_none_or(|last| Stretch { starts, ..*last } != stretch) {
            stretches.push(stretch);
        }
    }
    stretches
}

fn beats(one: Rank, other: Rank) -> bool {
    one != other && one.iter().zip(other).all(|(a, b)| *a >= b)
}

fn rate_at(scheme: &SchemePlan, around: &Around, second: u32) -> Option<(u16, Hold)> {
    let mut best: Option<(u16, Hold)> = None;
    for (place, rate) in (0..).zip(&scheme.rates) {
        let Some(hold) = holds(&rate.selector, around, second) else { continue };
        // The checks of a file see to it that one rate beats all others; with an overlaid calendar that they never saw,
        // the order of what is compared decides, so that the answer is the same every time.
        let wins = best.as_ref().is_none_or(|(_, held)| {
            beats(hold.rank, held.rank) || (!beats(held.rank, hold.rank) && hold.rank > held.rank)
        });
        if wins {
            best = Some((place, hold));
        }
    }
    best
}

/// How a selector holds at that second, if it does.
fn holds(selector: &SelectorPlan, around: &Around, second: u32) -> Option<Hold> {
    if !selector.vehicles.is_empty() && !selector.vehicles.contains(&around.kind) {
        return None;
    }
    if !selector.areas.is_empty() && !around.area.is_some_and(|area| selector.areas.contains(&area)) {
        return None;
    }
    let named = |named: bool| u8::from(named);
    let rank = |days| {
        let (vehicles, areas) = (named(!selector.vehicles.is_empty()), named(!selector.areas.is_empty()));
        [days, named(!selector.time.is_empty()), named(selector.seasons != 0), vehicles, areas]
    };
    if selector.time.is_empty() {
        let days = day_holds(selector, around.today)?;
        return Some(Hold { rank: rank(days), window: None, asked: Owner::Today });
    }
    let mut best: Option<(u8, Hold)> = None;
    for (number, window) in (0..).zip(&selector.time) {
        let began = if window.starts <= second && second < window.ends {
            Owner::Today
        } else if second + DAY < window.ends {
            Owner::Before
        } else {
            continue;
        };
        let asked = if selector.split_at_midnight == SplitAtMidnight::Yes { Owner::Today } else { began };
        if let Some(days) = day_holds(selector, around.key(asked))
            && best.as_ref().is_none_or(|(held, _)| days > *held)
        {
            best = Some((days, Hold { rank: rank(days), window: Some((number, began)), asked }));
        }
    }
    best.map(|(_, hold)| hold)
}

impl Around {
    fn key(&self, owner: Owner) -> DayKey {
        match owner {
            Owner::Today => self.today,
            Owner::Before => self.before,
        }
    }
}

fn day_holds(selector: &SelectorPlan, day: DayKey) -> Option<u8> {
    if selector.seasons != 0 && selector.seasons & day.seasons() == 0 {
        return None;
    }
    if selector.days.is_empty() {
        return Some(0);
    }
    selector.days.iter().filter_map(|class| class.rank(day)).max()
}

/// A selector without windows of its own goes by the day of the window of the rate that holds.
fn marks_at(scheme: &SchemePlan, around: &Around, second: u32, owner: Owner) -> Marks {
    let by_owner = Around { today: around.key(owner), ..*around };
    let held = |selector: &SelectorPlan| {
        let around = if selector.time.is_empty() { &by_owner } else { around };
        holds(selector, around, second).is_some()
    };
    let holding = (0..).zip(&scheme.marks).filter(|(_, selector)| held(selector));
    holding.fold(0, |marks, (place, _): (u32, _)| marks | 1 << place)
}
