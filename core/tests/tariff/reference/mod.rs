//! The reference: what a stay costs by docs/tariffs.md, walked tick by tick, slowly and obviously.
//!
//! Owns a second reading of the documentation. It must not call the engine or share code with it: only the types of a
//! tariff file are the same.

mod exact;
mod facts;
mod offers;
mod settle;
mod steps;
mod walk;
mod wall;

use exact::Exact;
use settle::{day_number, settle};
use tollhouse_core::tariff::model::{
    Again, Choose, Conditions, CycleLength, Exceeded, Free, FreeAreas, FreeEnds, Measured, Scheme, Seconds, TariffFile,
    WrittenStay,
};
use walk::{Tick, TickState, Walk};
use wall::{Second, date, when};

pub(crate) use facts::owed;

/// Whether a visit may have free time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FreeTime {
    AsTheTariffSays,
    None,
}

/// What one stretch of parking costs, in the currency's smallest unit; `away` is time that a joined stay was outside.
fn plain_fee(file: &TariffFile, stay: &WrittenStay, free: FreeTime, away: &[(Second, Second)]) -> i64 {
    let mut file = file.clone();
    if let Some(calendar) = &stay.calendar {
        file.calendar = file.calendar.overlaid_with(calendar);
    }
    let mut reference = Reference::new(&file, stay);
    reference.free = free;
    reference.away = away.to_vec();
    if reference.to <= reference.from {
        return 0;
    }
    reference.visit().minor(file.currency.decimals())
}

struct Reference<'t> {
    file: &'t TariffFile,
    stay: &'t WrittenStay,
    vehicle: String,
    from: Second,
    to: Second,
    tick_s: i64,
    free: FreeTime,
    away: Vec<(Second, Second)>,
}

impl<'t> Reference<'t> {
    fn new(file: &'t TariffFile, stay: &'t WrittenStay) -> Self {
        let cut = |at: Second| if file.seconds == Seconds::Drop { at.div_euclid(60) * 60 } else { at };
        let kind = || file.vehicle_of(stay.colour).map(|vehicle| vehicle.kind.clone());
        let vehicle = stay.vehicle.clone().or_else(kind).unwrap_or_else(|| "small".to_owned());
        let (from, to) = (cut(stay.enter.timestamp()), cut(stay.exit.timestamp()));
        let (free, away) = (FreeTime::AsTheTariffSays, Vec::new());
        let mut reference = Self { file, stay, vehicle, from, to, tick_s: 60, free, away };
        if !reference.is_by_minutes() {
            reference.tick_s = 1;
        }
        reference
    }

    /// Whether every moment and length that plays a part is a whole minute.
    fn is_by_minutes(&self) -> bool {
        let written = format!("{:?}", self.file.schemes);
        // Spans and windows show their seconds in the debug form: the obvious way to find them all.
        let spans = written.split("Span(").skip(1).filter_map(|rest| rest.split(')').next());
        let spans = spans.filter_map(|text| text.parse::<i64>().ok());
        let moments = [self.from, self.to].into_iter();
        let areas = self.stay.areas.iter().flat_map(|area| [area.enter.timestamp(), area.exit.timestamp()]);
        let covered = self.stay.covered.iter().flat_map(|span| [span.from.timestamp(), span.to.timestamp()]);
        spans.chain(moments).chain(areas).chain(covered).all(|seconds| seconds % 60 == 0)
    }

    /// Where the car is at the moment: outside the given spans in no area.
    fn area_at(&self, at: Second) -> Option<&str> {
        let mut inside =
            self.stay.areas.iter().filter(|area| area.enter.timestamp() <= at && at < area.exit.timestamp());
        inside.next_back().map(|area| area.area.as_str())
    }

    fn places(&self) -> Vec<Option<&str>> {
        let mut places = Vec::new();
        for at in self.moments(self.from, self.to) {
            let place = self.area_at(at);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    fn moments(&self, from: Second, to: Second) -> impl Iterator<Item = Second> + use<> {
        (from..to).step_by(usize::try_from(self.tick_s).expect("a tick"))
    }

    fn visit(&self) -> Exact {
        let places = self.places();
        let mut groups: Vec<(Vec<usize>, Vec<Option<&str>>)> = Vec::new();
        for place in places {
            let candidates = self.candidates(place);
            match groups.iter_mut().find(|(schemes, _)| *schemes == candidates) {
                Some((_, places)) => places.push(place),
                None => groups.push((candidates, vec![place])),
            }
        }
        let cheapest = |(schemes, places): &(Vec<usize>, Vec<Option<&str>>)| {
            let fees = schemes.iter().map(|scheme| self.scheme_fee(&self.file.schemes[*scheme], places));
            fees.min().expect("a scheme holds")
        };
        groups.iter().map(cheapest).sum()
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
        let duration = self.to - self.from;
        let (day, zone) = (date(self.file.time_zone, self.from), self.file.time_zone);
        let within = |windows: &[tollhouse_core::tariff::model::TimeWindow], at: Second| {
            let holds = |window: &tollhouse_core::tariff::model::TimeWindow| {
                [-1, 0].into_iter().any(|shift| {
                    let day = date(zone, at) + chrono::TimeDelta::days(shift);
                    let (from, to) = (when(zone, day, window.starts), when(zone, day, window.ends));
                    from <= at && at < to
                })
            };
            windows.is_empty() || windows.iter().any(holds)
        };
        let in_season = |name: &String| self.file.season(name).is_some_and(|season| season.contains(day));
        (vehicles.is_empty() || vehicles.contains(&self.vehicle))
            && (areas.is_empty() || place.is_some_and(|place| areas.iter().any(|area| area == place)))
            && within(entered, self.from)
            && within(left, self.to)
            && self.file.calendar.specificity_of_any(days, day).is_some()
            && (seasons.is_empty() || seasons.iter().any(in_season))
            && at_least.is_none_or(|least| duration >= least.seconds())
            && at_most.is_none_or(|most| duration <= most.seconds())
    }

    fn scheme_fee(&self, scheme: &Scheme, places: &[Option<&str>]) -> Exact {
        let is_here = |at: Second| places.contains(&self.area_at(at));
        let begins = self.moments(self.from, self.to).find(|at| is_here(*at)).expect("the car was there");
        let cycle_of = |at: Second| self.cycle(scheme, begins, at);
        let area = places.iter().find_map(|place| *place);
        let mut walk =
            Walk::new(self.file, scheme, (&self.vehicle, area), self.tick_s, (self.from, self.to), &cycle_of);
        let mut ticks: Vec<Tick> = self
            .moments(begins, self.to)
            .map(|at| {
                let is_away = self.away.iter().any(|(from, to)| *from <= at && at < *to);
                let state = if is_here(at) && !is_away { TickState::Walked } else { TickState::Stopped };
                Tick { at, cycle: cycle_of(at), state }
            })
            .collect();
        let free = scheme.free.filter(|free| free.areas == FreeAreas::Each || begins == self.from);
        if let Some(free) = free
            && self.free == FreeTime::AsTheTariffSays
            && self.take_free_time(free, &walk, &mut ticks) == Whole::Free
        {
            return Exact::ZERO;
        }
        if let Some(flat) = scheme.flat {
            let item = walk::Item {
                at: begins,
                window: 0,
                rate: None,
                cycle: 0,
                step: usize::MAX,
                amount: Exact::price(flat),
            };
            walk.items.push(item);
        } else {
            walk.run(&ticks);
        }
        settle(&walk, begins)
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

    /// Marks the ticks that free time takes out, or says that it covers everything.
    fn take_free_time(&self, free: Free, walk: &Walk<'_>, ticks: &mut [Tick]) -> Whole {
        let counts = |tick: &Tick| match (free.measured, free.areas) {
            (Measured::ChargedTime, _) => tick.state == TickState::Walked && !walk.stands_at(tick.at),
            (Measured::Stay, FreeAreas::Each) => tick.state == TickState::Walked,
            (Measured::Stay, FreeAreas::Entry) => true,
        };
        let measure = |ticks: &[Tick]| {
            i64::try_from(ticks.iter().filter(|tick| counts(tick)).count()).expect("few") * self.tick_s
        };
        let covers = |spent: i64| match free.ends {
            FreeEnds::Included => spent <= free.time.seconds(),
            FreeEnds::Excluded => spent < free.time.seconds(),
        };
        let each = free.again == Again::EachCycle;
        if free.time.is_zero() && free.ends == FreeEnds::Excluded {
            return Whole::Charged;
        }
        if !each && covers(measure(ticks)) {
            return Whole::Free;
        }
        let last = ticks.last().map_or(0, |tick| tick.cycle);
        for cycle in 0..=last {
            let from = ticks.partition_point(|tick| tick.cycle < cycle);
            let to = ticks.partition_point(|tick| tick.cycle <= cycle);
            let this = if each { &mut ticks[from..to] } else { &mut ticks[..] };
            let is_free = each && cycle == last && covers(measure(this));
            let mut left = if is_free { i64::MAX } else { free.time.seconds() };
            if free.when_exceeded == Exceeded::Lost && !is_free {
                left = 0;
            }
            for tick in this.iter_mut() {
                if left > 0 {
                    left -= if counts(tick) { self.tick_s } else { 0 };
                    tick.state = TickState::Stopped;
                }
            }
            if !each {
                break;
            }
        }
        Whole::Charged
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Whole {
    Free,
    Charged,
}
