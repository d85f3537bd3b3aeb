//! Days that begin alike and look alike are priced once: the ten-thousandth costs a look at its calendar.
//!
//! A day is alike another when everything that is carried into it is, relative to its midnight, and its pattern and that
//! of the day after are the same. What a day looked at beyond the day after it is never carried over. It must not
//! change what a stay costs: walking every day gives the same items.

use std::collections::HashMap;
use std::ops::Range;

use super::PriceError;
use super::alike::likeness;
use super::axis::PatternNumber;
use super::run::Run;
use super::till::{self, Item, Till};
use super::walk::{self, Walk};
use super::zone::DAY;

/// Whether days that are alike are walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alike {
    /// Once for all.
    Skipped,
    /// Each.
    Walked,
}

/// Items that came again, so many seconds later each time.
#[derive(Debug)]
pub(super) struct Again {
    pub(super) items: Range<usize>,
    pub(super) shifts: Vec<i64>,
}

/// Where walk and till stand at a midnight.
#[derive(Debug, Clone)]
struct Standing {
    day: i64,
    midnight: i64,
    walk: walk::State,
    open: Option<Run>,
    till: till::State,
}

struct Day {
    midnight: i64,
    again: Again,
    then: Standing,
    then_state: u32,
}

#[derive(Default)]
struct Memory {
    states: HashMap<Vec<i64>, u32>,
    known: HashMap<(u32, PatternNumber, PatternNumber), usize>,
    days: Vec<Day>,
    hits: usize,
}

/// So many days of which hardly one was like another: looking for likeness then costs more than it saves.
const GIVE_UP_AFTER: usize = 200;

/// Walks to the end of the stay; the till has everything then.
pub(super) fn drive(walk: &mut Walk<'_, '_>, till: &mut Till<'_>, alike: Alike) -> Result<Vec<Again>, PriceError> {
    let mut memory = Memory::default();
    if alike == Alike::Skipped && walk.bounds.end - walk.state.at > 3 * DAY {
        skip_through(walk, till, &mut memory)?;
    }
    walk.run_to(walk.bounds.end)?;
    walk.finish()?;
    for run in std::mem::take(&mut walk.runs) {
        till.take(&run)?;
    }
    till.finish()?;
    Ok(memory.days.into_iter().map(|day| day.again).filter(|again| !again.shifts.is_empty()).collect())
}

/// All runs but the last are complete.
fn drain(walk: &mut Walk<'_, '_>, till: &mut Till<'_>) -> Result<(), PriceError> {
    let complete = walk.runs.len().saturating_sub(1);
    for run in walk.runs.drain(..complete) {
        till.take(&run)?;
    }
    Ok(())
}

fn skip_through(walk: &mut Walk<'_, '_>, till: &mut Till<'_>, memory: &mut Memory) -> Result<(), PriceError> {
    let zone = std::sync::Arc::clone(&walk.axis.plan.zone);
    let mut day = zone.wall(walk.state.at).div_euclid(DAY) + 1;
    walk.run_to(zone.moment(day * DAY))?;
    // The state in which the day begins, if it is known; and the day whose end it is, if nobody walked there.
    let (mut state, mut ended): (Option<u32>, Option<usize>) = (None, None);
    let mut midnights = [0; 3];
    let mut seen: Option<(i64, PatternNumber)> = None;
    loop {
        // As long as the clock does not change, midnights are a day apart.
        midnights = if midnights[1] > 0 && zone.next_change(midnights[0]) > midnights[2] + DAY {
            midnights.map(|midnight| midnight + DAY)
        } else {
            [0, 1, 2].map(|later| zone.moment((day + later) * DAY))
        };
        let [midnight, next, after] = midnights;
        if walk.bounds.end < after || memory.is_useless() {
            memory.restore(walk, till, ended, day, midnight);
            return Ok(());
        }
        if !is_plain(walk, midnights) {
            memory.restore(walk, till, ended.take(), day, midnight);
            walk.run_to(next)?;
            drain(walk, till)?;
            (state, day) = (None, day + 1);
            continue;
        }
        let today = seen.filter(|(seen, _)| *seen == day).map(|(_, look)| look);
        let looks = (today.unwrap_or_else(|| walk.axis.look(day, midnight)), walk.axis.look(day + 1, midnight));
        seen = Some((day + 1, looks.1));
        let from = if let Some(state) = state {
            state
        } else {
            drain(walk, till)?;
            memory.number(likeness(walk, till, midnight, day))
        };
        if let Some(known) = memory.known.get(&(from, looks.0, looks.1)).copied() {
            let found = &mut memory.days[known];
            found.again.shifts.push(midnight - found.midnight);
            (state, ended) = (Some(found.then_state), Some(known));
            memory.hits += 1;
        } else {
            memory.restore(walk, till, ended.take(), day, midnight);
            state = walk_day(walk, till, memory, (day, midnights), (from, looks.0, looks.1))?;
        }
        day += 1;
    }
}

/// Whether a day and the day after it have 24 hours, lie within the stay, and see the car stay where it is.
fn is_plain(walk: &Walk<'_, '_>, [midnight, next, after]: [i64; 3]) -> bool {
    let free = walk.bounds.free.map_or(0, |free| free.time.seconds());
    after - midnight == 2 * DAY
        && walk.axis.plan.zone.next_change(midnight) >= after
        && walk.axis.same_course_until(midnight) >= after
        && walk.bounds.stay_end - next > free
}

/// Walks a day and keeps it, unless it looked too far; gives the state in which the next one begins.
fn walk_day(
    walk: &mut Walk<'_, '_>,
    till: &mut Till<'_>,
    memory: &mut Memory,
    (day, [midnight, next, after]): (i64, [i64; 3]),
    known_by: (u32, PatternNumber, PatternNumber),
) -> Result<Option<u32>, PriceError> {
    drain(walk, till)?;
    let first = till.items.len();
    walk.axis.seen_to = midnight;
    walk.run_to(next)?;
    drain(walk, till)?;
    if walk.axis.seen_to > after {
        return Ok(None);
    }
    let then_state = memory.number(likeness(walk, till, next, day + 1));
    let then = Standing {
        day: day + 1,
        midnight: next,
        walk: walk.state.clone(),
        open: walk.runs.last().cloned(),
        till: till.state.clone(),
    };
    let again = Again { items: first..till.items.len(), shifts: Vec::new() };
    memory.known.insert(known_by, memory.days.len());
    memory.days.push(Day { midnight, again, then, then_state });
    Ok(Some(then_state))
}

impl Memory {
    fn is_useless(&self) -> bool {
        self.days.len() > GIVE_UP_AFTER && self.hits < self.days.len()
    }

    fn number(&mut self, likeness: Vec<i64>) -> u32 {
        let next = u32::try_from(self.states.len()).expect("bounded by the days of a stay");
        *self.states.entry(likeness).or_insert(next)
    }

    /// Puts walk and till where the day `ended` left them, moved to the midnight at which we are.
    fn restore(&self, walk: &mut Walk<'_, '_>, till: &mut Till<'_>, ended: Option<usize>, day: i64, midnight: i64) {
        let Some(known) = ended else { return };
        let mut standing = self.days[known].then.clone();
        standing.move_to(day, midnight, walk.scheme);
        walk.state = standing.walk;
        walk.runs.clear();
        walk.runs.extend(standing.open);
        till.state = standing.till;
    }
}

impl Standing {
    fn move_to(&mut self, day: i64, midnight: i64, scheme: &super::plan::SchemePlan) {
        let (days, seconds) = (day - self.day, midnight - self.midnight);
        self.walk.move_by(days, seconds);
        let periods = scheme.periods;
        let run = |run: &mut Run| {
            run.from += seconds;
            run.to += seconds;
            run.place.day_24h += if periods.days_24h { days } else { 0 };
            run.place.shared_24h += if periods.shared_24h { days } else { 0 };
            run.place.calendar_day += if periods.calendar_days { days } else { 0 };
        };
        self.open.iter_mut().for_each(run);
        self.till.move_by(scheme, days, seconds, run);
    }
}

/// All items with what they come to, times how often they came.
pub(super) fn sum(items: &[Item], again: &[Again]) -> Result<super::exact::Exact, PriceError> {
    let mut sum = super::exact::Exact::ZERO;
    for item in items {
        sum = sum.plus(item.amount)?;
    }
    for again in again {
        let count = i64::try_from(again.shifts.len()).map_err(|_| PriceError::TooLarge)?;
        for item in &items[again.items.clone()] {
            sum = sum.plus(item.amount.times(count)?)?;
        }
    }
    Ok(sum)
}
