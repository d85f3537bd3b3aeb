//! Whether at each moment exactly one rate of a scheme goes before all others that hold, and whether each rate does so at
//! some moment.
//! It must not know what the rates charge.

use super::super::model::{Rate, Scheme, SplitAtMidnight, TariffFile};
use super::super::parse::Faults;
use super::days::{Asked, Day};
use super::{Budget, Levels, beats, clock, stretches};

const TOO_INTRICATE: &str = "the rates select in too many combinations to be checked; split the scheme, or use fewer windows, seasons or events";

/// Where a vehicle stands: its kind and its area, if it is in any.
#[derive(Clone, Copy)]
struct Place<'a> {
    kind: &'a str,
    area: Option<&'a str>,
}

impl Place<'_> {
    fn words(self) -> String {
        self.area.map_or_else(|| self.kind.to_owned(), |area| format!("{} in area {area}", self.kind))
    }
}

/// Names that make a difference, and one that stands for all others.
fn representatives<'a>(all: impl Iterator<Item = &'a str>, named: &[&str]) -> Vec<&'a str> {
    let (mut kept, others): (Vec<&str>, Vec<&str>) = all.partition(|name| named.contains(name));
    kept.extend(others.first());
    kept
}

fn places<'a>(tariff: &'a TariffFile, scheme: &'a Scheme) -> Vec<Place<'a>> {
    let selected = |of: fn(&Rate) -> &Vec<String>| -> Vec<&str> {
        scheme.rates.iter().flat_map(|rate| of(rate).iter().map(String::as_str)).collect()
    };
    let allowed = |names: &[String], name: &str| names.is_empty() || names.iter().any(|one| one == name);
    let kinds = tariff.vehicles.iter().map(|vehicle| vehicle.kind.as_str());
    let kinds = kinds.filter(|kind| allowed(&scheme.conditions.vehicles, kind));
    let kinds = representatives(kinds, &selected(|rate| &rate.selectors.vehicles));
    let areas = tariff.areas.iter().map(|area| area.id.as_str());
    let areas = areas.filter(|area| allowed(&scheme.conditions.areas, area));
    let areas = representatives(areas, &selected(|rate| &rate.selectors.areas));
    let mut areas: Vec<Option<&str>> = areas.into_iter().map(Some).collect();
    if scheme.conditions.areas.is_empty() {
        areas.push(None);
    }
    kinds.into_iter().flat_map(|kind| areas.iter().map(move |area| Place { kind, area: *area })).collect()
}

/// How specifically the rate holds at that second of today; `None`: it does not.
fn level(rate: &Rate, tariff: &TariffFile, days: &(Day, Day), second: u32) -> Option<Levels<3>> {
    let (yesterday, today) = days;
    let selectors = &rate.selectors;
    let on = |day: &Day| {
        let seasons = &selectors.seasons;
        let season = seasons.is_empty()
            || seasons.iter().any(|name| tariff.season(name).is_some_and(|season| season.contains(day.date)));
        season.then(|| day.level(&selectors.days, &tariff.calendar)).flatten()
    };
    let named = u8::from(!selectors.seasons.is_empty());
    if selectors.time.is_empty() {
        return on(today).map(|days| [days, 0, named]);
    }
    let holds = |at: u32| selectors.time.iter().any(|window| window.starts <= at && at < window.ends);
    let begun_today = holds(second).then(|| on(today)).flatten();
    let split = selectors.split_at_midnight == SplitAtMidnight::Yes;
    let begun_before = holds(second + 86_400).then(|| on(if split { today } else { yesterday })).flatten();
    begun_today.max(begun_before).map(|days| [days, 1, named])
}

/// The same with vehicle and area.
fn level_at(rate: &Rate, by_time: Option<Levels<3>>, place: Place<'_>) -> Option<Levels<5>> {
    let [days, time, season] = by_time?;
    let selectors = &rate.selectors;
    let fits = |names: &[String], name: Option<&str>| {
        if names.is_empty() {
            return Some(0);
        }
        names.iter().any(|one| Some(one.as_str()) == name).then_some(1)
    };
    Some([days, time, season, fits(&selectors.vehicles, Some(place.kind))?, fits(&selectors.areas, place.area)?])
}

/// What was found out about the rates of one scheme.
struct Search<'a> {
    scheme: &'a Scheme,
    faults: &'a Faults<'a>,
    taken: Vec<bool>,
    told_unpriced: bool,
    told_pairs: Vec<(usize, usize)>,
}

impl Search<'_> {
    fn path(&self) -> String {
        format!("scheme {:?}", self.scheme.name)
    }

    /// One moment: who holds, and whether one of them goes before all others.
    fn moment(&mut self, holding: &[(usize, Levels<5>)], place: Place<'_>, day: &Day, from: u32, to: u32) {
        if holding.is_empty() {
            if !self.told_unpriced {
                self.told_unpriced = true;
                let span =
                    format!("from {} to {}", clock(from), if to == 86_400 { "24:00".to_owned() } else { clock(to) });
                let message = format!(
                    "no rate holds {span} on {} for vehicles of kind {}; give that time a rate, price = \"free\" if it costs nothing",
                    day.words(),
                    place.words()
                );
                self.faults.tell_line(self.scheme.line, self.path(), message);
            }
            return;
        }
        let first = |(one, levels): &&(usize, Levels<5>)| {
            holding.iter().all(|(other, against)| one == other || beats(levels, against))
        };
        if let Some((winner, _)) = holding.iter().find(first) {
            self.taken[*winner] = true;
            return;
        }
        // Of those that nothing goes before there are two at least: they are the quarrel.
        let unbeaten: Vec<usize> = holding
            .iter()
            .filter(|(_, levels)| !holding.iter().any(|(_, other)| beats(other, levels)))
            .map(|(rate, _)| *rate)
            .collect();
        let (one, other) = (unbeaten[0], unbeaten[1]);
        self.taken[one] = true;
        self.taken[other] = true;
        if !self.told_pairs.contains(&(one, other)) {
            self.told_pairs.push((one, other));
            let (one, other) = (&self.scheme.rates[one], &self.scheme.rates[other]);
            let message = format!(
                "rates {:?} (line {}) and {:?} both hold at {} on {} for vehicles of kind {}, and neither is more specific in every way; \
                 narrow one of them, or add a rate with the selectors of both",
                one.name,
                one.line,
                other.name,
                clock(from),
                day.words(),
                place.words()
            );
            self.faults.tell_line(other.line, self.path(), message);
        }
    }
}

pub(super) fn check(tariff: &TariffFile, scheme: &Scheme, faults: &Faults<'_>) {
    if scheme.rates.is_empty() {
        return;
    }
    let asked = Asked::of(
        tariff,
        scheme.rates.iter().flat_map(|rate| &rate.selectors.days),
        scheme.rates.iter().flat_map(|rate| &rate.selectors.seasons),
    );
    let marks =
        scheme.rates.iter().flat_map(|rate| &rate.selectors.time).flat_map(|window| [window.starts, window.ends]);
    let stretches = stretches(marks);
    let places = places(tariff, scheme);
    let windows: usize = scheme.rates.iter().map(|rate| rate.selectors.time.len() + 1).sum();
    let mut search =
        Search { scheme, faults, taken: vec![false; scheme.rates.len()], told_unpriced: false, told_pairs: Vec::new() };
    let Some(pairs) = asked.pairs(&tariff.calendar) else {
        faults.tell_line(scheme.line, search.path(), TOO_INTRICATE);
        return;
    };
    let mut budget = Budget::new();
    for days in pairs {
        for (from, to) in &stretches {
            if !budget.spend(windows + places.len() * scheme.rates.len()) {
                let message =
                    "the rates select in too many combinations to be checked; split the scheme or use fewer windows";
                faults.tell_line(scheme.line, search.path(), message);
                return;
            }
            let levels: Vec<_> = scheme.rates.iter().map(|rate| level(rate, tariff, &days, *from)).collect();
            for place in &places {
                let rates = scheme.rates.iter().zip(&levels).enumerate();
                let holding: Vec<(usize, Levels<5>)> =
                    rates.filter_map(|(i, (rate, levels))| Some((i, level_at(rate, *levels, *place)?))).collect();
                search.moment(&holding, *place, &days.1, *from, *to);
            }
        }
    }
    unreachable(&search);
}

fn unreachable(search: &Search<'_>) {
    for (rate, _) in search.scheme.rates.iter().zip(&search.taken).filter(|(_, taken)| !**taken) {
        let message = format!(
            "rate {:?} can never be taken: more specific ones hold whenever it does, or nothing that it selects exists",
            rate.name
        );
        search.faults.tell_line(rate.line, search.path(), message);
    }
}
