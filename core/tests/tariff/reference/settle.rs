//! From what the units cost to a fee: lines, windows' limits, surcharges, caps, minimum, maximum, rounding.

use std::collections::BTreeMap;

use tollhouse_core::tariff::model::{
    Adjust, AdjustBy, Applied, Cap, CapPer, Charge, CycleLength, DayNumbers, Direction, Price, RoundAt, Selectors,
    Visits,
};

use super::exact::Exact;
use super::offers::cut;
use super::walk::{Item, Walk};
use super::wall::{Second, Stretches, date, when};

/// What a scheme makes of the visit.
pub(crate) fn settle(walk: &Walk<'_>, entered: Second, shared: &Shared<'_>) -> (Exact, Used) {
    let settle = Settle { walk, entered, shared };
    let mut lines = settle.lines(&walk.items);
    settle.window_limits(&mut lines);
    settle.adjust(&mut lines, Applied::BeforeCaps);
    let used = settle.caps(&mut lines);
    settle.adjust(&mut lines, Applied::AfterCaps);
    (settle.whole(&lines), used)
}

/// What some units come to, rounded where units or lines are.
pub(crate) fn rounded_sum(walk: &Walk<'_>, entered: Second, shared: &Shared<'_>, items: &[Item]) -> Exact {
    Settle { walk, entered, shared }.lines(items).iter().map(|line| line.amount).sum()
}

/// How much of a cap that visits share is used up: by version, scheme, cap and period.
pub(crate) type Used = BTreeMap<(String, String, usize, i64), Exact>;

/// What a visit shares with those before it.
pub(crate) struct Shared<'u> {
    /// From where their 24 hours count.
    pub(crate) since: Second,
    pub(crate) used: &'u Used,
}

struct Settle<'w, 't> {
    walk: &'w Walk<'t>,
    entered: Second,
    shared: &'w Shared<'w>,
}

impl Settle<'_, '_> {
    fn smallest(&self) -> Exact {
        Exact::ratio(1, 10_i128.pow(self.walk.file.currency.decimals()))
    }

    fn rounded(&self, amount: Exact) -> Exact {
        let rounding = self.walk.scheme.rounding;
        let to = Exact::price(rounding.to);
        match rounding.at {
            RoundAt::Line | RoundAt::Unit => amount.rounded(to, rounding.direction),
            RoundAt::Cycle | RoundAt::Total => amount,
        }
    }

    /// Consecutive units that have everything in common stand in one line.
    fn lines(&self, items: &[Item]) -> Vec<Item> {
        let mut lines: Vec<(Item, Vec<i64>, Exact)> = Vec::new();
        for unit in items {
            let price = match self.walk.scheme.rounding.at {
                RoundAt::Unit => self.rounded(unit.amount),
                _ => unit.amount,
            };
            let key = self.key(unit);
            match lines.last_mut() {
                Some((line, its_key, its_price)) if *its_key == key && *its_price == price => {
                    line.amount = line.amount + price;
                }
                _ => lines.push((Item { amount: price, ..unit.clone() }, key, price)),
            }
        }
        let line = |(line, ..): (Item, _, _)| Item { amount: self.rounded(line.amount), ..line };
        lines.into_iter().map(line).collect()
    }

    fn key(&self, unit: &Item) -> Vec<i64> {
        let scheme = self.walk.scheme;
        let whole = |number: usize| i64::try_from(number & 0xffff_ffff).expect("few");
        let mut key = vec![whole(unit.window), whole(unit.rate.unwrap_or(99)), unit.cycle, whole(unit.step)];
        for cap in &scheme.caps {
            key.push(self.period(cap, unit));
            key.push(i64::from(self.selected(&cap.selectors, &cap.rates, unit)));
        }
        for adjust in &scheme.adjusts {
            key.push(i64::from(self.selected(&adjust.selectors, &adjust.rates, unit)));
        }
        key
    }

    fn period(&self, cap: &Cap, line: &Item) -> i64 {
        let at = line.counts.0;
        match (cap.per, cap.visits) {
            (CapPer::Visit, _) => 0,
            (CapPer::Window, _) => i64::try_from(line.window).expect("few"),
            (CapPer::Day24h, Visits::Each) => (at - self.entered).div_euclid(86_400),
            (CapPer::Day24h, Visits::Together) => (at - self.shared.since).div_euclid(86_400),
            (CapPer::CalendarDay, _) => self.day(at) - self.day(self.entered),
        }
    }

    /// The number of the tariff's day in which a moment lies.
    fn day(&self, at: Second) -> i64 {
        let starts = match self.walk.scheme.cycle.map(|cycle| cycle.every) {
            Some(CycleLength::CalendarDay { starts }) => starts,
            _ => 0,
        };
        day_number(self.walk.file.time_zone, starts, at)
    }

    fn selected(&self, selectors: &Selectors, rates: &[String], line: &Item) -> bool {
        let walk = self.walk;
        let (at, rate) = line.counts;
        let stretches = Stretches::new(walk.file, selectors, at, at);
        // Without a window of its own a rule goes by the day to which the line's window belongs.
        let day = rate.filter(|_| selectors.time.is_empty()).and_then(|rate| walk.day_of_window(rate, at));
        let holds = match day {
            Some(day) => stretches.on_day(walk.file, day, walk.vehicle, walk.area_at(at)),
            None => stretches.specificity(walk.file, at, walk.vehicle, walk.area_at(at)).is_some(),
        };
        let name = line.rate.map(|rate| &walk.scheme.rates[rate].name);
        holds && (rates.is_empty() || name.is_some_and(|name| rates.contains(name)))
    }

    fn window_limits(&self, lines: &mut Vec<Item>) {
        for (window, coming) in &self.walk.windows {
            let rule = &self.walk.scheme.rates[coming.rate];
            let (min, max) = match (&rule.charge, coming.offer) {
                (Charge::Cheapest(offers), Some(offer)) => (offers[offer].min, offers[offer].max),
                _ => (rule.min, rule.max),
            };
            let sum: Exact = lines.iter().filter(|line| line.window == *window).map(|line| line.amount).sum();
            if let Some(min) = min.map(Exact::price)
                && sum > Exact::ZERO
                && sum < min
            {
                let (rate, cycle) = (Some(coming.rate), coming.cycle);
                let (at, counts, amount) = (coming.at, (coming.at, rate), min - sum);
                lines.push(Item { at, counts, window: *window, rate, cycle, step: usize::MAX, amount });
            }
            if let Some(max) = max.map(Exact::price)
                && sum > max
            {
                cut(lines.iter_mut().filter(|line| line.window == *window).collect(), sum - max);
            }
        }
        lines.sort_by_key(|line| line.at);
    }

    fn adjust(&self, lines: &mut Vec<Item>, applied: Applied) {
        for adjust in self.walk.scheme.adjusts.iter().filter(|adjust| adjust.applied == applied) {
            let chosen = |line: &Item| self.selected(&adjust.selectors, &adjust.rates, line);
            match adjust.by {
                AdjustBy::Percent(percent) => {
                    let share = Exact::ratio(i128::from(percent.millionths()), 1_000_000);
                    // Of what units cost: an amount is no unit.
                    for line in lines.iter_mut().filter(|line| line.rate.is_some() && chosen(line)) {
                        line.amount = (line.amount + self.rounded(line.amount * share)).max(Exact::ZERO);
                    }
                }
                AdjustBy::Amount(amount) => self.amount(lines, adjust, Exact::price(amount)),
            }
        }
    }

    fn amount(&self, lines: &mut Vec<Item>, adjust: &Adjust, amount: Exact) {
        let chosen = |line: &&Item| line.amount > Exact::ZERO && self.selected(&adjust.selectors, &adjust.rates, line);
        let Some(place) = lines.iter().position(|line| chosen(&line)) else { return };
        // It stands before the first line that it is for.
        lines.insert(place, Item { rate: None, step: usize::MAX, amount, ..lines[place].clone() });
    }

    /// Each cap as a meter that stands still once it is full, and what the shared ones show in the end.
    fn caps(&self, lines: &mut [Item]) -> Used {
        let mut caps: Vec<(usize, &Cap)> = self.walk.scheme.caps.iter().enumerate().collect();
        let width = |cap: &Cap| match cap.per {
            CapPer::Window => 0,
            CapPer::Day24h => 1,
            CapPer::CalendarDay => 2,
            CapPer::Visit => 3,
        };
        caps.sort_by_key(|(_, cap)| (cap.rates.is_empty(), width(cap)));
        let mut used = Used::new();
        for (place, cap) in caps {
            let name = |period| {
                let calendar = cap.per == CapPer::CalendarDay;
                let period = period + if calendar { self.day(self.entered) } else { 0 };
                (self.walk.file.version.clone(), self.walk.scheme.name.clone(), place, period)
            };
            let mut meters: BTreeMap<i64, Exact> = BTreeMap::new();
            for line in lines.iter_mut() {
                let period = self.period(cap, line);
                let number = |days: DayNumbers| {
                    let day = period + 1;
                    i64::from(days.first) <= day && days.last.is_none_or(|last| day <= i64::from(last))
                };
                let in_window = cap.per != CapPer::Window || line.window != 0;
                if in_window && self.selected(&cap.selectors, &cap.rates, line) && cap.day_numbers.is_none_or(number) {
                    let before = || self.shared.used.get(&name(period)).filter(|_| cap.visits == Visits::Together);
                    let meter = meters.entry(period).or_insert_with(|| before().copied().unwrap_or(Exact::ZERO));
                    let room = (Exact::price(cap.max) - *meter).max(Exact::ZERO);
                    line.amount = line.amount.min(room);
                    *meter = *meter + line.amount;
                }
            }
            if cap.visits == Visits::Together {
                used.extend(meters.into_iter().map(|(period, meter)| (name(period), meter)));
            }
        }
        used
    }

    fn whole(&self, lines: &[Item]) -> Exact {
        let scheme = self.walk.scheme;
        let rounding = scheme.rounding;
        let to = Exact::price(rounding.to);
        let mut sum: Exact = match rounding.at {
            RoundAt::Cycle => {
                let mut cycles: BTreeMap<i64, Exact> = BTreeMap::new();
                for line in lines {
                    let cycle = cycles.entry(line.cycle).or_insert(Exact::ZERO);
                    *cycle = *cycle + line.amount;
                }
                cycles.into_values().map(|cycle| cycle.rounded(to, rounding.direction)).sum()
            }
            _ => lines.iter().map(|line| line.amount).sum(),
        };
        sum = sum.max(Exact::ZERO);
        let limit = |price: Option<Price>| price.map(Exact::price);
        if let Some(minimum) = limit(scheme.minimum)
            && sum > Exact::ZERO
        {
            sum = sum.max(minimum);
        }
        if let Some(maximum) = limit(scheme.maximum) {
            sum = sum.min(maximum);
        }
        if rounding.at == RoundAt::Total {
            sum = sum.rounded(to, rounding.direction);
        }
        sum.rounded(self.smallest(), Direction::HalfUp)
    }
}

/// Counts the tariff's days: how many have begun since long ago.
pub(crate) fn day_number(zone: chrono_tz::Tz, starts: u32, at: Second) -> i64 {
    let today = date(zone, at);
    let number = i64::from(chrono::Datelike::num_days_from_ce(&today));
    if at < when(zone, today, starts) { number - 1 } else { number }
}
