//! The reference: what a stay costs by docs/tariffs.md, walked tick by tick, slowly and obviously.
//!
//! Owns a second reading of the documentation. It must not call the engine or share code with it: only the types of a
//! tariff file are the same.

mod exact;
mod facts;
mod free;
mod offers;
mod settle;
mod steps;
mod visits;
mod walk;
mod wall;

use exact::Exact;
use free::Whole;
use settle::{Shared, Used, day_number, settle};
use tollhouse_core::tariff::model::{
    AreaVisit, Choose, Conditions, CycleLength, FreeAreas, Scheme, TariffFile, TimeWindow,
};
use walk::{Ahead, Item, Tick, TickState, Walk};
use wall::{Second, date, when};

pub(crate) use facts::{Book, Owed, owed};

/// Whether a visit may have free time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FreeTime {
    AsTheTariffSays,
    None,
}

/// One stretch of parking that one version prices by itself.
struct Reference<'t> {
    file: &'t TariffFile,
    vehicle: &'t str,
    /// Where the car was.
    areas: &'t [AreaVisit],
    from: Second,
    to: Second,
    free: FreeTime,
    /// When a joined stay was outside.
    away: &'t [(Second, Second)],
    /// The whole visit, with which free time is compared.
    whole: (Second, Second),
    shared_since: Second,
    used: &'t Used,
    tick_s: i64,
}

/// The time that a group of schemes prices, and what one of them makes of it.
type Group<'p> = (Vec<usize>, Vec<Option<&'p str>>);

impl<'t> Reference<'t> {
    /// Whether every moment and length that plays a part is a whole minute.
    fn is_by_minutes(&self) -> bool {
        let written = format!("{:?}", self.file.schemes);
        // Spans and windows show their seconds in the debug form: the obvious way to find them all.
        let spans = written.split("Span(").skip(1).filter_map(|rest| rest.split(')').next());
        let spans = spans.filter_map(|text| text.parse::<i64>().ok());
        let moments = [self.from, self.to, self.whole.0, self.whole.1, self.shared_since].into_iter();
        let areas = self.areas.iter().flat_map(|area| [area.enter.timestamp(), area.exit.timestamp()]);
        let away = self.away.iter().flat_map(|(from, to)| [*from, *to]);
        spans.chain(moments).chain(areas).chain(away).all(|seconds| seconds % 60 == 0)
    }

    /// Where the car is at the moment: outside the given spans in no area.
    fn area_at(&self, at: Second) -> Option<&'t str> {
        let mut inside = self.areas.iter().filter(|area| area.enter.timestamp() <= at && at < area.exit.timestamp());
        inside.next_back().map(|area| area.area.as_str())
    }

    fn is_away(&self, at: Second) -> bool {
        self.away.iter().any(|(from, to)| *from <= at && at < *to)
    }

    fn moments(&self, from: Second, to: Second) -> impl Iterator<Item = Second> + use<> {
        (from..to).step_by(usize::try_from(self.tick_s).expect("a tick"))
    }

    /// What it comes to, and what is used up of shared caps with it; none if free time covers the whole visit.
    fn fee(mut self) -> Option<(Exact, Used)> {
        self.tick_s = 60;
        if !self.is_by_minutes() {
            self.tick_s = 1;
        }
        let mut groups: Vec<Group<'t>> = Vec::new();
        for at in self.moments(self.from, self.to).filter(|at| !self.is_away(*at)) {
            let place = self.area_at(at);
            if groups.iter().any(|(_, places)| places.contains(&place)) {
                continue;
            }
            let candidates = self.candidates(place);
            match groups.iter_mut().find(|(schemes, _)| *schemes == candidates) {
                Some((_, places)) => places.push(place),
                None => groups.push((candidates, vec![place])),
            }
        }
        let (mut sum, mut used) = (Exact::ZERO, Used::new());
        for (number, (schemes, places)) in groups.iter().enumerate() {
            let mut fees = Vec::new();
            for scheme in schemes.iter().map(|scheme| &self.file.schemes[*scheme]) {
                let mine = |areas| number == 0 || areas == FreeAreas::Each;
                let free = scheme.free.filter(|free| self.free == FreeTime::AsTheTariffSays && mine(free.areas));
                match free.map_or(Whole::Charged, |free| self.covers_all(free, scheme, places)) {
                    Whole::FreeVisit => return None,
                    Whole::FreeHere => fees.push((Exact::ZERO, Used::new())),
                    Whole::Charged => fees.push(self.scheme_fee(scheme, places, free)),
                }
            }
            let least = fees.iter().map(|(fee, _)| *fee).min().expect("a scheme holds");
            let (fee, more) = fees.into_iter().find(|(fee, _)| *fee == least).expect("it is there");
            sum = sum + fee;
            used.extend(more);
        }
        Some((sum, used))
    }

    /// The schemes that may price the time at a place.
    fn candidates(&self, place: Option<&str>) -> Vec<usize> {
        let schemes = &self.file.schemes;
        let holding: Vec<usize> =
            (0..schemes.len()).filter(|one| self.holds(&schemes[*one].conditions, place)).collect();
        let weight = |one: usize| {
            let Conditions { vehicles, areas, entered, left, days, seasons, at_least, at_most } =
                &schemes[one].conditions;
            let place = u8::from(!vehicles.is_empty()) + u8::from(!areas.is_empty());
            let other = [!entered.is_empty(), !left.is_empty(), !days.is_empty(), !seasons.is_empty()];
            let other = other.into_iter().filter(|is| *is).count();
            let all = usize::from(place) + other + usize::from(at_least.is_some()) + usize::from(at_most.is_some());
            if self.file.choose == Choose::Cheapest { usize::from(place) } else { all }
        };
        let most = holding.iter().map(|one| weight(*one)).max().expect("a scheme holds");
        holding.into_iter().filter(|one| weight(*one) == most).collect()
    }

    fn holds(&self, conditions: &Conditions, place: Option<&str>) -> bool {
        let Conditions { vehicles, areas, entered, left, days, seasons, at_least, at_most } = conditions;
        let seconds = |moments: usize| i64::try_from(moments).expect("few") * self.tick_s;
        let duration = seconds(self.moments(self.from, self.to).filter(|at| !self.is_away(*at)).count());
        let (day, zone) = (date(self.file.time_zone, self.from), self.file.time_zone);
        let within = |windows: &[TimeWindow], at: Second| {
            let holds = |window: &TimeWindow| {
                [-1, 0].into_iter().any(|shift| {
                    let day = date(zone, at) + chrono::TimeDelta::days(shift);
                    let (from, to) = (when(zone, day, window.starts), when(zone, day, window.ends));
                    from <= at && at < to
                })
            };
            windows.is_empty() || windows.iter().any(holds)
        };
        let in_season = |name: &String| self.file.season(name).is_some_and(|season| season.contains(day));
        (vehicles.is_empty() || vehicles.iter().any(|kind| kind == self.vehicle))
            && (areas.is_empty() || place.is_some_and(|place| areas.iter().any(|area| area == place)))
            && within(entered, self.from)
            && within(left, self.to)
            && self.file.calendar.specificity_of_any(days, day).is_some()
            && (seasons.is_empty() || seasons.iter().any(in_season))
            && at_least.is_none_or(|least| duration >= least.seconds())
            && at_most.is_none_or(|most| duration <= most.seconds())
    }

    /// A walk of this part, or of a longer time that it is a part of; behind its end the car is where it was last.
    fn walk<'w>(
        &'w self,
        scheme: &'w Scheme,
        (from, to): (Second, Second),
        cycle_of: &'w dyn Fn(Second) -> i64,
        ahead: &'w dyn Fn(&Walk<'_>, Second) -> Ahead,
    ) -> Walk<'w> {
        let area_at = Box::new(move |at: Second| self.area_at(at.min(to - 1)));
        Walk::new(self.file, scheme, (self.vehicle, area_at), self.tick_s, (from, to), cycle_of, ahead)
    }

    fn scheme_fee(
        &self,
        scheme: &Scheme,
        places: &[Option<&str>],
        free: Option<tollhouse_core::tariff::model::Free>,
    ) -> (Exact, Used) {
        let is_here = |at: Second| places.contains(&self.area_at(at)) && !self.is_away(at);
        let begins = self.moments(self.from, self.to).find(|at| is_here(*at)).expect("the car was there");
        let cycle_of = |at: Second| self.cycle(scheme, begins, at);
        let ahead = |walk: &Walk<'_>, at| self.ahead(walk, at, places, free);
        let mut walk = self.walk(scheme, (self.from, self.to), &cycle_of, &ahead);
        let state = |at| if is_here(at) { TickState::Walked } else { TickState::Stopped };
        let ticks = self.moments(begins, self.to).map(|at| Tick { at, cycle: cycle_of(at), state: state(at) });
        let mut ticks: Vec<Tick> = ticks.collect();
        if let Some(free) = free {
            self.take_free_time(free, &walk, places, &mut ticks);
        }
        let shared = Shared { since: self.shared_since, used: self.used };
        if let Some(flat) = scheme.flat {
            // At the beginning of what is not free, if anything is not.
            let charged = ticks.iter().find(|tick| tick.state == TickState::Walked).map(|tick| tick.at);
            let (cycle, step, amount) = (0, usize::MAX, Exact::price(flat));
            let item = |at| Item { at, counts: (at, None), window: 0, rate: None, cycle, step, amount };
            walk.items.extend(charged.map(item));
        } else {
            walk.run(&ticks);
            offers::flat_and_cheapest(&mut walk, &ticks, begins, &shared);
        }
        settle(&walk, begins, &shared)
    }

    fn cycle(&self, scheme: &Scheme, begins: Second, at: Second) -> i64 {
        match scheme.cycle.map(|cycle| cycle.every) {
            None => 0,
            Some(CycleLength::Span(every)) => (at - begins).div_euclid(every.seconds()),
            Some(CycleLength::CalendarDay { starts }) => {
                let zone = self.file.time_zone;
                day_number(zone, starts, at) - day_number(zone, starts, begins)
            }
        }
    }
}
