//! What is carried into a day, relative to its midnight, as a list of numbers: equal lists, equal days to come.
//! It must not leave out anything that a later unit, cap or line depends on.

use super::axis::COMINGS_A_DAY;
use super::exact::Exact;
use super::plan::{How, SchemePlan};
use super::run::{Run, What};
use super::till::{self, Till};
use super::walk::{self, Flat, Walk};
use super::zone::DAY;
use crate::tariff::model::{CapPer, Counting};

fn push_exact(list: &mut Vec<i64>, amount: Exact) {
    let (top, bottom) = amount.parts();
    for number in [top, bottom] {
        for part in [number >> 64, number & i128::from(u64::MAX)] {
            #[expect(clippy::cast_possible_truncation, reason = "the two halves of a number")]
            list.push(part as i64);
        }
    }
}

/// The list for a walk that stands at or behind a midnight.
pub(super) fn likeness(walk: &Walk<'_, '_>, till: &Till<'_>, midnight: i64, day: i64) -> Vec<i64> {
    let (scheme, state) = (walk.scheme, &walk.state);
    let mut list = vec![state.at - midnight, (state.free_until - midnight).max(0)];
    if scheme.cycle.is_some() {
        list.extend([state.cycle.begins - midnight, state.cycle.ends - midnight]);
    }
    let phase = (midnight - walk.bounds.anchor).rem_euclid(DAY);
    let day_24h = (midnight - walk.bounds.anchor).div_euclid(DAY);
    if scheme.periods.days_24h {
        list.push(phase);
    }
    if scheme.periods.shared_24h {
        list.push((midnight - walk.bounds.shared_anchor).rem_euclid(DAY));
    }
    let first_day = walk.axis.plan.zone.wall(walk.bounds.anchor).div_euclid(DAY);
    for cap in &scheme.caps {
        if let Some(numbers) = cap.day_numbers {
            let number = if cap.per == CapPer::Day24h { day_24h } else { day - first_day };
            list.push(number.min(i64::from(numbers.last.unwrap_or(0).max(numbers.first)) + 2));
        }
    }
    positions(walk, &mut list);
    if let Some(window) = state.window.filter(|window| window.seen_to == state.at) {
        let coming = if window.coming == 0 { 0 } else { window.coming - COMINGS_A_DAY * day };
        let flat = i64::from(window.flat == Flat::Done);
        list.extend([1, i64::from(window.rate), coming, i64::from(window.charge), flat]);
    } else {
        list.push(0);
    }
    let around = Around { walk, midnight, day, day_24h };
    list.push(i64::try_from(walk.runs.len()).expect("at most one"));
    for run in &walk.runs {
        around.run(run, &mut list);
    }
    around.till(&till.state, &mut list);
    list
}

fn positions(walk: &Walk<'_, '_>, list: &mut Vec<i64>) {
    for (number, charge) in walk.scheme.charges.iter().enumerate() {
        let How::Steps(steps) = &charge.how else { continue };
        let position = walk.position(charge.rate);
        list.push(steps.alike(position));
        let lap = steps.place(position).lap;
        let band = walk.state.bands[number].filter(|(held, _)| *held == lap);
        list.push(band.map_or(0, |(_, step)| i64::from(step) + 1));
        if walk.scheme.counting == Counting::Window && walk.state.window.is_none() {
            list.pop();
            list.push(0);
        }
    }
}

struct Around<'a, 'b, 'p> {
    walk: &'a Walk<'b, 'p>,
    midnight: i64,
    day: i64,
    day_24h: i64,
}

impl Around<'_, '_, '_> {
    fn run(&self, run: &Run, list: &mut Vec<i64>) {
        let what = match run.what {
            What::Units { charge, step } => [0, charge.into(), step.into(), 0, 0],
            What::Band { charge, step } => [1, charge.into(), step.into(), 0, 0],
            What::Share { charge, step, part, of } => [2, charge.into(), step.into(), part, of],
            What::Flat { charge } => [3, charge.into(), 0, 0, 0],
            What::Free { charge } => [4, charge.into(), 0, 0, 0],
            What::Held { charge } => [5, charge.into(), 0, 0, 0],
            What::Visit => [6, 0, 0, 0, 0],
        };
        list.extend(what);
        list.extend([run.from - self.midnight, run.to - self.midnight, run.count]);
        push_exact(list, run.price);
        let place = run.place;
        for part in [place.marks >> 64, place.marks & u128::from(u64::MAX)] {
            #[expect(clippy::cast_possible_truncation, reason = "the two halves of a set of bits")]
            list.push(part as i64);
        }
        let state = &self.walk.state;
        let same_window = state.window.is_some_and(|window| window.number == place.window);
        list.extend([i64::from(same_window), i64::from(state.cycle.number == place.cycle), self.lap(run)]);
        let scheme = self.walk.scheme;
        list.push(if scheme.periods.days_24h { place.day_24h - self.day_24h } else { 0 });
        let shared_24h = (self.midnight - self.walk.bounds.shared_anchor).div_euclid(DAY);
        list.push(if scheme.periods.shared_24h { place.shared_24h - shared_24h } else { 0 });
        list.push(if scheme.periods.calendar_days { place.calendar_day - self.day } else { 0 });
    }

    /// Whether the steps of the run's charge have begun again since.
    fn lap(&self, run: &Run) -> i64 {
        let Some(charge) = run.what.charge() else { return 0 };
        let plan = &self.walk.scheme.charges[usize::from(charge)];
        let How::Steps(steps) = &plan.how else { return 0 };
        steps.place(self.walk.position(plan.rate)).lap - run.place.lap
    }

    fn till(&self, state: &till::State, list: &mut Vec<i64>) {
        let window = self.walk.state.window.map_or(0, |window| window.number);
        for (plan, cap) in self.walk.scheme.caps.iter().zip(&state.caps) {
            if cap.period == i64::MIN {
                list.push(i64::MIN);
                continue;
            }
            list.push(match plan.per {
                CapPer::Visit => 0,
                CapPer::Window => i64::from(cap.period == i64::from(window)),
                CapPer::Day24h => cap.period - self.day_24h,
                CapPer::CalendarDay => cap.period - self.day,
            });
            push_exact(list, cap.used);
            if plan.per != CapPer::Visit {
                push_exact(list, cap.cut);
                list.extend([cap.from, cap.to].map(|at| at.saturating_sub(self.midnight)));
            }
        }
        if let Some(held) = &state.window {
            list.extend([i64::from(held.number == window), i64::from(held.charge)]);
            list.extend([held.from - self.midnight, held.to - self.midnight]);
            push_exact(list, held.sum);
            push_exact(list, held.cut);
            for (run, amount) in &held.held {
                self.run(run, list);
                push_exact(list, *amount);
            }
        }
        list.push(i64::MIN);
        if let Some((cycle, sum, from, to)) = state.cycle {
            list.extend([i64::from(cycle == self.walk.state.cycle.number), from - self.midnight, to - self.midnight]);
            push_exact(list, sum);
        }
        #[expect(clippy::cast_possible_wrap, reason = "a set of bits")]
        list.push(state.amounts_made as i64);
    }
}

impl walk::State {
    /// The same so many days later.
    pub(super) fn move_by(&mut self, days: i64, seconds: i64) {
        self.at += seconds;
        self.free_until += seconds;
        self.cycle.begins += seconds;
        if self.cycle.ends != i64::MAX {
            self.cycle.ends += seconds;
        }
        if let Some(window) = &mut self.window {
            window.seen_to += seconds;
            if window.coming != 0 {
                window.coming += COMINGS_A_DAY * days;
            }
        }
    }
}

impl till::State {
    /// The same so many days later.
    pub(super) fn move_by(&mut self, scheme: &SchemePlan, days: i64, seconds: i64, run: impl Fn(&mut Run)) {
        for (plan, cap) in scheme.caps.iter().zip(&mut self.caps) {
            if cap.period == i64::MIN || plan.per == CapPer::Visit {
                continue;
            }
            if plan.per != CapPer::Window {
                cap.period += days;
            }
            cap.from = cap.from.saturating_add(seconds);
            cap.to = cap.to.saturating_add(seconds);
        }
        if let Some(held) = &mut self.window {
            held.from += seconds;
            held.to += seconds;
            held.held.iter_mut().for_each(|(held, _)| run(held));
        }
        if let Some((_, _, from, to)) = &mut self.cycle {
            *from += seconds;
            *to += seconds;
        }
    }
}
