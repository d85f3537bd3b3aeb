//! Where the linter looks: vehicles, areas, entry times and durations at which a tariff may change its mind.
//! Knows the tariff's words; must not know the engine.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, TimeZone, Utc};

use super::super::model::{
    AreaVisit, Charge, CycleLength, Record, Scheme, Span, StepPrice, Steps, TariffFile, TimeWindow, WrittenStay,
};
use crate::plate::Colour;

/// From where and as what a car comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scene {
    pub(super) vehicle: String,
    pub(super) area: Option<String>,
    pub(super) enter: DateTime<Utc>,
    /// Durations in seconds to look at, rising.
    pub(super) durations: Vec<i64>,
}

const DAY: i64 = 86_400;
const GRID_S: i64 = 30 * 60;
const LONGEST_S: i64 = 50 * 3_600;
const MOST_DATES: usize = 6;
const MOST_TIMES: usize = 6;
const MOST_SCENES: usize = 40;

impl Scene {
    /// A stay of this length.
    pub(super) fn stay(&self, seconds: i64) -> WrittenStay {
        self.between(0, seconds)
    }

    /// A stay from so many to so many seconds after the scene's entry.
    pub(super) fn between(&self, from_s: i64, to_s: i64) -> WrittenStay {
        let (enter, exit) = (self.enter + TimeDelta::seconds(from_s), self.enter + TimeDelta::seconds(to_s));
        let visit = |area: &String| AreaVisit { area: area.clone(), enter, exit };
        WrittenStay {
            enter,
            exit,
            vehicle: Some(self.vehicle.clone()),
            colour: Colour::Unknown,
            areas: self.area.iter().map(visit).collect(),
            earlier: Vec::new(),
            payments: Vec::new(),
            record: Record::Known,
            covered: Vec::new(),
            calendar: None,
        }
    }
}

/// All scenes worth looking at, the plainest first.
pub(super) fn scenes(file: &TariffFile) -> Vec<Scene> {
    let durations = durations(file);
    let mut scenes = Vec::new();
    let (dates, times) = (dates(file), times(file));
    for time in &times {
        for date in &dates {
            for area in areas(file) {
                for vehicle in vehicles(file) {
                    let Some(enter) = moment(file, *date, *time) else { continue };
                    scenes.push(Scene { vehicle, area: area.clone(), enter, durations: durations.clone() });
                }
            }
        }
    }
    // Spread over all of them when there are too many: every vehicle and time keeps its turn.
    let step = scenes.len().div_ceil(MOST_SCENES).max(1);
    let odd = if step % 2 == 0 { step + 1 } else { step };
    scenes.into_iter().step_by(if step == 1 { 1 } else { odd }).collect()
}

fn moment(file: &TariffFile, date: NaiveDate, second_of_day: u32) -> Option<DateTime<Utc>> {
    let local = date.and_hms_opt(0, 0, 0)? + TimeDelta::seconds(i64::from(second_of_day));
    file.time_zone.from_local_datetime(&local).earliest().map(|at| at.with_timezone(&Utc))
}

fn rules(file: &TariffFile) -> impl Iterator<Item = &super::super::model::Selectors> {
    file.schemes.iter().flat_map(|scheme| {
        let rates = scheme.rates.iter().map(|rate| &rate.selectors);
        let caps = scheme.caps.iter().map(|cap| &cap.selectors);
        rates.chain(caps).chain(scheme.adjusts.iter().map(|adjust| &adjust.selectors))
    })
}

fn vehicles(file: &TariffFile) -> Vec<String> {
    let conditions = file.schemes.iter().flat_map(|scheme| &scheme.conditions.vehicles);
    let named: BTreeSet<&String> = conditions.chain(rules(file).flat_map(|rule| &rule.vehicles)).collect();
    let mut kinds: Vec<String> = named.into_iter().cloned().collect();
    // One more that no rule names stands for all the others.
    let other = file.vehicles.iter().map(|vehicle| &vehicle.kind).find(|kind| !kinds.contains(kind));
    kinds.extend(other.cloned());
    kinds.sort_by_key(|kind| kind != "small");
    kinds
}

fn areas(file: &TariffFile) -> Vec<Option<String>> {
    let named = file.areas.iter().map(|area| Some(area.id.clone()));
    std::iter::once(None).chain(named).collect()
}

/// One date for each kind of day, from the first example's on.
fn dates(file: &TariffFile) -> Vec<NaiveDate> {
    let zone = file.time_zone;
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    let first = file.examples.first().map(|example| local(example.stay.enter));
    let from = file.in_force_from.map(local).max(first);
    let from = from.or(NaiveDate::from_ymd_opt(2026, 3, 2)).expect("a date");
    let by_days = rules(file).any(|rule| !rule.days.is_empty())
        || file.schemes.iter().any(|scheme| !scheme.conditions.days.is_empty());
    let by_season = !file.seasons.is_empty();
    let (mut dates, mut seen) = (Vec::new(), BTreeSet::new());
    for date in from.iter_days().take(400) {
        let kind = by_days.then(|| format!("{:?}", file.calendar.kind_of(date)));
        let event = |(name, ranges): (&String, &Vec<super::super::model::DateRange>)| {
            ranges.iter().any(|range| range.contains(date)).then(|| name.clone())
        };
        let events: Vec<String> = file.calendar.events.iter().filter_map(event).collect();
        let seasons = file.seasons.iter().filter(|season| by_season && season.contains(date));
        let seasons: Vec<&String> = seasons.map(|season| &season.name).collect();
        if seen.insert(format!("{kind:?}{events:?}{seasons:?}")) {
            dates.push(date);
        }
    }
    // A night that runs from one kind of day into another begins on the day before it.
    if let Some(second) = dates.get(1).and_then(|date| date.checked_sub_days(Days::new(1)))
        && !dates.contains(&second)
    {
        dates.push(second);
    }
    dates.truncate(MOST_DATES);
    dates
}

/// Times of day around which the tariff changes, in seconds after midnight.
fn times(file: &TariffFile) -> Vec<u32> {
    let windows = rules(file).flat_map(|rule| &rule.time);
    let entered =
        file.schemes.iter().flat_map(|scheme| scheme.conditions.entered.iter().chain(&scheme.conditions.left));
    let mut times = vec![8 * 3_600];
    let mut add = |second: u32| {
        let second = second % 86_400;
        if !times.contains(&second) {
            times.push(second);
        }
    };
    for TimeWindow { starts, ends } in windows.chain(entered) {
        add(*starts);
        add(starts + 86_400 - 40 * 60);
        add(ends + 86_400 - 40 * 60);
    }
    add(21 * 3_600 + 30 * 60);
    times.truncate(MOST_TIMES);
    times
}

/// The grid, and every span that the tariff names, with the second after it.
fn durations(file: &TariffFile) -> Vec<i64> {
    let mut all: BTreeSet<i64> = (1..=LONGEST_S / GRID_S).map(|count| count * GRID_S).collect();
    for seconds in critical(file) {
        for near in [seconds - 1, seconds, seconds + 1, DAY + seconds, DAY + seconds + 1] {
            all.insert(near);
        }
    }
    all.into_iter().filter(|seconds| (1..=LONGEST_S + DAY).contains(seconds)).take(400).collect()
}

/// The spans that the tariff names.
pub(super) fn critical(file: &TariffFile) -> BTreeSet<i64> {
    let mut spans: BTreeSet<i64> = BTreeSet::from([file.exit_grace.seconds()]);
    for scheme in &file.schemes {
        spans.extend(of_scheme(scheme));
    }
    spans.retain(|seconds| (1..=LONGEST_S).contains(seconds));
    spans
}

fn of_scheme(scheme: &Scheme) -> Vec<i64> {
    let mut spans = Vec::new();
    spans.extend(scheme.free.map(|free| free.time.seconds()));
    spans.extend(scheme.conditions.at_least.map(Span::seconds));
    spans.extend(scheme.conditions.at_most.map(Span::seconds));
    if let Some(CycleLength::Span(every)) = scheme.cycle.map(|cycle| cycle.every) {
        spans.push(every.seconds());
    }
    for rate in &scheme.rates {
        match &rate.charge {
            Charge::Steps(steps) => spans.extend(of_steps(steps)),
            Charge::Cheapest(offers) => {
                for offer in offers {
                    if let Charge::Steps(steps) = &offer.charge {
                        spans.extend(of_steps(steps));
                    }
                }
            }
            Charge::Flat { tolerance, .. } => spans.push(tolerance.seconds()),
            Charge::Free(_) => {}
        }
    }
    spans
}

fn of_steps(steps: &Steps) -> Vec<i64> {
    let mut spans = Vec::new();
    for step in &steps.steps {
        spans.extend(step.until.map(Span::seconds));
        if let StepPrice::Units { per, tolerance, .. } = step.price {
            spans.extend([per.seconds(), tolerance.seconds()]);
        }
    }
    spans
}
