//! Walks a scheme's time tick by tick and writes down what each unit costs: the slow and obvious way.

use std::collections::{BTreeMap, BTreeSet};

use tollhouse_core::tariff::model::{
    Boundary, Charge, Clock, Counting, Next, Scheme, StepEnds, Steps, TariffFile, Units,
};

use super::exact::Exact;
use super::steps::{Here, is_step_end, step_at};
use super::wall::{Second, Stretches, most_specific};

/// Something that costs: a unit, a band, a flat price.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// When it begins.
    pub(crate) at: Second,
    /// When the unit begins of which it is a share, and at which rate: there it counts for caps and surcharges.
    pub(crate) counts: (Second, Option<usize>),
    /// Which coming of a window it is in.
    pub(crate) window: usize,
    /// Its rate; none for a price of the visit.
    pub(crate) rate: Option<usize>,
    pub(crate) cycle: i64,
    /// Its step, as consecutive units of one step make a line.
    pub(crate) step: usize,
    pub(crate) amount: Exact,
}

/// A window that came and was touched.
#[derive(Debug, Clone)]
pub(crate) struct Coming {
    pub(crate) rate: usize,
    pub(crate) at: Second,
    pub(crate) end: Second,
    pub(crate) cycle: i64,
    pub(crate) walked: i64,
    /// What `counting` showed when it came.
    pub(crate) position: i64,
    /// Which of its rate's offers was the cheapest.
    pub(crate) offer: Option<usize>,
}

/// One tick of the stay as this scheme sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick {
    pub(crate) at: Second,
    pub(crate) cycle: i64,
    pub(crate) state: TickState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TickState {
    /// Charged, if its rate charges.
    Walked,
    /// In another area, away, or in deducted free time: the clock stands.
    Stopped,
}

/// Whether the clock runs behind the stay's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ahead {
    Runs,
    Stands,
}

/// So far a unit is followed beyond the exit that its rates share.
const AHEAD: Second = 8 * 86_400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Full,
    ByTheStay,
    ByABound,
}

struct Unit {
    begins: Second,
    rate: usize,
    window: usize,
    cycle: i64,
    /// What each rate's count was when it began.
    positions: Vec<i64>,
    length: Option<i64>,
    here: Here,
    step: usize,
    /// The rate and the window of each tick so far.
    ticks: Vec<(usize, usize)>,
}

/// Where the car is at a moment.
type Whereabouts<'t> = Box<dyn Fn(Second) -> Option<&'t str> + 't>;

pub(crate) struct Walk<'t> {
    pub(crate) file: &'t TariffFile,
    pub(crate) scheme: &'t Scheme,
    pub(crate) vehicle: &'t str,
    area_at: Whereabouts<'t>,
    pub(crate) tick_s: i64,
    /// The cycle in which a moment lies.
    pub(crate) cycle_of: &'t dyn Fn(Second) -> i64,
    /// Whether the clock would stand at a moment behind the stay, had it gone on.
    pub(crate) stands_ahead: &'t dyn Fn(&Walk<'_>, Second) -> Ahead,
    /// Where the walk ends.
    ends: Second,
    rates: Vec<Stretches<'t>>,
    pub(crate) items: Vec<Item>,
    pub(crate) windows: BTreeMap<usize, Coming>,
    unit: Option<Unit>,
    visit: i64,
    by_rate: Vec<i64>,
    in_window: i64,
    window: usize,
    entered: BTreeSet<(usize, usize)>,
}

impl<'t> Walk<'t> {
    pub(crate) fn new(
        file: &'t TariffFile,
        scheme: &'t Scheme,
        (vehicle, area_at): (&'t str, Whereabouts<'t>),
        tick_s: i64,
        (from, to): (Second, Second),
        cycle_of: &'t dyn Fn(Second) -> i64,
        stands_ahead: &'t dyn Fn(&Walk<'_>, Second) -> Ahead,
    ) -> Self {
        let beyond = to + AHEAD;
        let rates = scheme.rates.iter().map(|rate| Stretches::new(file, &rate.selectors, from, beyond)).collect();
        Self {
            file,
            scheme,
            vehicle,
            area_at,
            tick_s,
            cycle_of,
            stands_ahead,
            ends: to,
            rates,
            items: Vec::new(),
            windows: BTreeMap::new(),
            unit: None,
            visit: 0,
            by_rate: vec![0; scheme.rates.len()],
            in_window: 0,
            window: 0,
            entered: BTreeSet::new(),
        }
    }

    fn rate_at(&self, at: Second) -> usize {
        let holding = self.rates.iter().enumerate();
        let holding: Vec<_> = holding
            .filter_map(|(place, rate)| {
                Some((place, rate.specificity(self.file, at, self.vehicle, (self.area_at)(at))?))
            })
            .collect();
        most_specific(&holding).unwrap_or_else(|| panic!("one rate has to hold at {at}: {holding:?}"))
    }

    pub(crate) fn area_at(&self, at: Second) -> Option<&'t str> {
        (self.area_at)(at)
    }

    /// The date to which a rate's window belongs that holds at the moment.
    pub(crate) fn day_of_window(&self, rate: usize, at: Second) -> Option<chrono::NaiveDate> {
        self.rates[rate].owner(self.file, at)
    }

    /// Whether the clock stands at this moment because its rate says so.
    pub(crate) fn stands_at(&self, at: Second) -> bool {
        matches!(self.charge(self.rate_at(at)), Charge::Free(Clock::Stops))
    }

    fn charge(&self, rate: usize) -> &'t Charge {
        &self.scheme.rates[rate].charge
    }

    fn position(&self, rate: usize) -> i64 {
        match self.scheme.counting {
            Counting::Visit => self.visit,
            Counting::Rate => self.by_rate[rate],
            Counting::Window => self.in_window,
        }
    }

    fn restarts(&self) -> bool {
        self.scheme.cycle.is_some_and(|cycle| cycle.next == Next::Restart)
    }

    pub(crate) fn run(&mut self, ticks: &[Tick]) {
        let mut before: Option<(usize, i64)> = None;
        let mut coming = 0;
        let mut unbroken = false;
        for tick in ticks {
            let rate = self.rate_at(tick.at);
            if before.is_some_and(|(_, cycle)| cycle != tick.cycle) && self.restarts() {
                self.end_unit(Ended::ByABound, tick.at);
                (self.visit, self.in_window) = (0, 0);
                self.by_rate.fill(0);
                self.entered.clear();
                unbroken = false;
                before = Some((rate, tick.cycle));
            }
            if tick.state != TickState::Walked || matches!(self.charge(rate), Charge::Free(Clock::Stops)) {
                if self.scheme.counting == Counting::Window {
                    self.end_unit(Ended::ByABound, tick.at);
                }
                unbroken = false;
                continue;
            }
            let its_coming = self.rates[rate].coming(self.file, tick.at);
            if !unbroken || before.is_none_or(|(before, _)| before != rate) || coming != its_coming {
                coming = its_coming;
                self.window += 1;
                if self.scheme.counting == Counting::Window {
                    if before.is_some_and(|(before, _)| before == rate) {
                        self.end_unit(Ended::ByABound, tick.at);
                    }
                    self.in_window = 0;
                    self.entered.clear();
                }
            }
            self.step(tick, rate);
            before = Some((rate, tick.cycle));
            unbroken = true;
        }
        let end = ticks.last().map_or(0, |tick| tick.at + self.tick_s);
        self.end_unit(Ended::ByTheStay, end);
        if unbroken && let (Some(last), Some((rate, _))) = (ticks.last(), before) {
            self.unit_without_length(*last, rate);
        }
    }

    fn step(&mut self, tick: &Tick, rate: usize) {
        let changed = self.unit.as_ref().and_then(|unit| unit.ticks.last()).is_some_and(|(last, _)| *last != rate);
        if changed && !self.crosses_into(rate) {
            self.end_unit(Ended::ByABound, tick.at);
        }
        if self.unit.is_none() {
            let position = self.position(rate);
            let new = Coming { rate, at: tick.at, end: tick.at, cycle: tick.cycle, walked: 0, position, offer: None };
            self.windows.entry(self.window).or_insert(new);
            if let Charge::Steps(steps) = self.charge(rate) {
                self.begin_unit(steps, tick, rate);
            }
        }
        if let Some(coming) = self.windows.get_mut(&self.window) {
            coming.walked += self.tick_s;
            coming.end = tick.at + self.tick_s;
        }
        self.visit += self.tick_s;
        let Some(unit) = &mut self.unit else {
            self.by_rate[rate] += self.tick_s;
            self.in_window += self.tick_s;
            return;
        };
        unit.ticks.push((rate, self.window));
        if unit.length == Some(unit.used(self.tick_s)) {
            self.end_unit(Ended::Full, tick.at + self.tick_s);
        }
    }

    /// Whether a unit under way runs on into time of this rate.
    fn crosses_into(&self, rate: usize) -> bool {
        let Some(unit) = &self.unit else { return false };
        if self.scheme.boundary == Boundary::Restart || !matches!(unit.here, Here::Units { .. }) {
            return false;
        }
        match self.charge(rate) {
            Charge::Steps(steps) => {
                let position = self.piece_position(unit, rate, unit.ticks.len());
                matches!(step_at(steps, position).here, Here::Units { .. })
            }
            Charge::Free(_) | Charge::Flat { .. } | Charge::Cheapest(_) => false,
        }
    }

    fn begin_unit(&mut self, steps: &Steps, tick: &Tick, rate: usize) {
        let position = self.position(rate);
        let found = step_at(steps, position);
        let length = match found.here {
            Here::Nothing => return,
            Here::Units { per, .. } => Some(per),
            Here::Band { ends, .. } => ends.map(|end| end - position),
        };
        let (here, step) = (found.here, found.number);
        self.unit = Some(self.new_unit(tick, rate, (here, step), length));
    }

    fn new_unit(&self, tick: &Tick, rate: usize, (here, step): (Here, usize), length: Option<i64>) -> Unit {
        let count = |other: usize| match self.scheme.counting {
            Counting::Window if other != rate => 0,
            _ => self.position(other),
        };
        let positions = (0..self.scheme.rates.len()).map(count).collect();
        let (window, cycle) = (self.window, tick.cycle);
        Unit { begins: tick.at, rate, window, cycle, positions, length, here, step, ticks: Vec::new() }
    }

    fn end_unit(&mut self, ended: Ended, now: Second) {
        let Some(unit) = self.unit.take() else { return };
        self.attribute(&unit);
        let amount = match unit.here {
            Here::Nothing => None,
            Here::Band { cost, .. } => self.entered.insert((unit.rate, unit.step)).then_some(cost),
            Here::Units { price, units, tolerance, .. } => {
                let counts = match units {
                    Units::Started => ended == Ended::Full || unit.used(self.tick_s) > tolerance,
                    Units::Full => ended == Ended::Full,
                };
                match self.scheme.boundary {
                    _ if !counts => None,
                    Boundary::Restart | Boundary::Start => Some(price),
                    Boundary::End => {
                        let run = unit.ticks.iter().rev().take_while(|(rate, _)| *rate == unit.last_rate()).count();
                        let piece = self.price_of(&unit, unit.last_rate(), unit.ticks.len() - run);
                        Some(if run == unit.ticks.len() { price } else { piece.0 })
                    }
                    Boundary::Split => {
                        let pieces = self.pieces(&unit, ended, now);
                        if pieces.len() > 1 {
                            self.write_pieces(&unit, &pieces);
                            None
                        } else {
                            Some(price)
                        }
                    }
                }
            }
        };
        let mut unit = unit;
        if self.scheme.boundary == Boundary::End && unit.last_rate() != unit.rate {
            // Who prices it charges it, and no window has it whole.
            (unit.rate, unit.window) = (unit.last_rate(), 0);
        }
        self.write(&unit, amount);
    }

    fn write(&mut self, unit: &Unit, amount: Option<Exact>) {
        let Some(amount) = amount else { return };
        let Unit { begins, window, rate, cycle, step, .. } = *unit;
        let counts = (begins, unit.ticks.first().map(|(rate, _)| *rate).or(Some(rate)));
        self.items.push(Item { at: begins, counts, window, rate: Some(rate), cycle, step, amount });
    }

    /// Whose time a unit was: of the rate where it begins, or of the one that prices it, or of each its part.
    fn attribute(&mut self, unit: &Unit) {
        for (rate, window) in &unit.ticks {
            let (rate, window) = match self.scheme.boundary {
                Boundary::Restart | Boundary::Start => (unit.rate, unit.window),
                Boundary::End => (unit.last_rate(), self.window),
                Boundary::Split => (*rate, *window),
            };
            self.by_rate[rate] += self.tick_s;
            if window == self.window {
                self.in_window += self.tick_s;
            }
        }
    }

    /// What the count of a rate shows where its piece of a unit begins, so many ticks after the unit's beginning.
    fn piece_position(&self, unit: &Unit, rate: usize, ticks_before: usize) -> i64 {
        let seconds = |count: usize| i64::try_from(count).expect("few") * self.tick_s;
        let own = |(its, _): &&(usize, usize)| *its == rate;
        match self.scheme.counting {
            Counting::Visit => unit.positions[rate] + seconds(ticks_before),
            Counting::Rate => {
                let splits = self.scheme.boundary == Boundary::Split;
                let before = unit.ticks.iter().take(ticks_before).filter(own).count();
                unit.positions[rate] + if splits { seconds(before) } else { 0 }
            }
            Counting::Window if ticks_before == 0 => unit.positions[rate],
            Counting::Window => 0,
        }
    }

    /// Unit price and length where a rate's piece of a unit begins.
    fn price_of(&self, unit: &Unit, rate: usize, ticks_before: usize) -> (Exact, i64) {
        let Charge::Steps(steps) = self.charge(rate) else { return (Exact::ZERO, 1) };
        match step_at(steps, self.piece_position(unit, rate, ticks_before)).here {
            Here::Units { price, per, .. } => (price, per),
            Here::Band { .. } | Here::Nothing => (Exact::ZERO, 1),
        }
    }

    /// The rates of a unit's parts, by the whole unit: what the stay broke off is looked up as if it had gone on; what
    /// a cycle's end or a window that no unit enters cut off belongs to the rate where it was cut.
    fn pieces(&self, unit: &Unit, ended: Ended, now: Second) -> Vec<(usize, usize)> {
        let whole = usize::try_from(unit.length.unwrap_or(0) / self.tick_s).expect("few");
        let mut rates: Vec<usize> = unit.ticks.iter().map(|(rate, _)| *rate).collect();
        let (mut at, mut cut) = (now, ended == Ended::ByABound);
        while rates.len() < whole {
            let mut rate = *rates.last().expect("a unit has a tick");
            cut |= self.restarts() && (self.cycle_of)(at) != unit.cycle || at >= self.ends + AHEAD;
            if !cut && (self.stands_ahead)(self, at) == Ahead::Stands {
                cut = self.scheme.counting == Counting::Window;
                at += self.tick_s;
                continue;
            }
            if !cut {
                let next = self.rate_at(at);
                at += self.tick_s;
                match self.charge(next) {
                    Charge::Free(Clock::Stops) => {
                        cut = self.scheme.counting == Counting::Window;
                        continue;
                    }
                    Charge::Steps(steps) => {
                        let position = self.piece_position(unit, next, rates.len());
                        let enters = matches!(step_at(steps, position).here, Here::Units { .. });
                        cut = next != rate && !enters;
                        rate = if cut { rate } else { next };
                    }
                    Charge::Free(Clock::Runs) | Charge::Flat { .. } | Charge::Cheapest(_) => cut = true,
                }
            }
            rates.push(rate);
        }
        let mut pieces: Vec<(usize, usize)> = Vec::new();
        for rate in rates {
            match pieces.last_mut() {
                Some((its, ticks)) if *its == rate => *ticks += 1,
                _ => pieces.push((rate, 1)),
            }
        }
        pieces
    }

    /// Each rate's share of a unit is a line of its own.
    fn write_pieces(&mut self, unit: &Unit, pieces: &[(usize, usize)]) {
        let mut before = 0;
        for (place, (rate, ticks)) in pieces.iter().enumerate() {
            let (price, per) = self.price_of(unit, *rate, before);
            let seconds = i128::from(self.tick_s) * i128::try_from(*ticks).expect("few");
            let at = unit.begins + i64::try_from(before).expect("few") * self.tick_s;
            let step = usize::MAX - 9 - place - self.items.len() * 64;
            let amount = price * Exact::ratio(seconds, i128::from(per));
            let counts = (unit.begins, Some(unit.rate));
            self.items.push(Item { at, counts, window: 0, rate: Some(*rate), cycle: unit.cycle, step, amount });
            before += ticks;
        }
    }

    /// Where the moment `until` belongs to the next step, a stay that ends exactly there has entered it.
    fn unit_without_length(&mut self, last: Tick, rate: usize) {
        let Charge::Steps(steps) = self.charge(rate) else { return };
        let position = self.position(rate);
        let at_end = is_step_end(steps, position) && steps.ends == StepEnds::Excluded;
        let end = last.at + self.tick_s;
        let cycle_ends = self.restarts() && (self.cycle_of)(end) != last.cycle;
        if !at_end || cycle_ends || self.rate_at(end) != rate {
            return;
        }
        let found = step_at(steps, position);
        let amount = match found.here {
            Here::Units { price, units: Units::Started, tolerance: 0, .. } => Some(price),
            Here::Band { cost, .. } => self.entered.insert((rate, found.number)).then_some(cost),
            _ => None,
        };
        let unit = self.new_unit(&last, rate, (found.here, found.number), Some(0));
        self.write(&unit, amount);
    }
}

impl Unit {
    fn used(&self, tick_s: i64) -> i64 {
        i64::try_from(self.ticks.len()).expect("few") * tick_s
    }

    fn last_rate(&self) -> usize {
        self.ticks.last().map_or(self.rate, |(rate, _)| *rate)
    }
}
