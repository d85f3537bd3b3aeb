//! From what the units cost to a fee: lines, windows' limits, surcharges, caps, minimum, maximum, rounding.

use std::collections::BTreeMap;

use tollhouse_core::tariff::model::{
    Adjust, AdjustBy, Applied, Cap, CapPer, CycleLength, DayNumbers, Direction, Price, RoundAt, Selectors, Visits,
};

use super::exact::Exact;
use super::offers::cut;
use super::walk::{Item, Walk};
use super::wall::{Second, Stretches, date, when};

/// What a scheme makes of the visit.
pub(crate) fn settle(walk: &Walk<'_>, entered: Second) -> Exact {
    let settle = Settle { walk, entered };
    let mut lines = settle.lines();
    settle.window_limits(&mut lines);
    settle.adjust(&mut lines, Applied::BeforeCaps);
    settle.caps(&mut lines);
    settle.adjust(&mut lines, Applied::AfterCaps);
    settle.whole(&lines)
}

struct Settle<'w, 't> {
    walk: &'w Walk<'t>,
    entered: Second,
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
    fn lines(&self) -> Vec<Item> {
        let mut lines: Vec<(Item, Vec<i64>, Exact)> = Vec::new();
        for unit in &self.walk.items {
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
            key.push(self.period(cap.per, unit));
            key.push(i64::from(self.selected(&cap.selectors, &cap.rates, unit)));
        }
        for adjust in &scheme.adjusts {
            key.push(i64::from(self.selected(&adjust.selectors, &adjust.rates, unit)));
        }
        key
    }

    fn period(&self, per: CapPer, line: &Item) -> i64 {
        match per {
            CapPer::Visit => 0,
            CapPer::Window => i64::try_from(line.window).expect("few"),
            CapPer::Day24h => (line.at - self.entered) / 86_400,
            CapPer::CalendarDay => self.day(line.at) - self.day(self.entered),
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
        let stretches = Stretches::new(walk.file, selectors, line.at, line.at);
        // Without a window of its own a rule goes by the day to which the line's window belongs.
        let day = line.rate.filter(|_| selectors.time.is_empty()).and_then(|rate| walk.day_of_window(rate, line.at));
        let holds = match day {
            Some(day) => stretches.on_day(walk.file, day, walk.vehicle, walk.area),
            None => stretches.specificity(walk.file, line.at, walk.vehicle, walk.area).is_some(),
        };
        let name = line.rate.map(|rate| &walk.scheme.rates[rate].name);
        holds && (rates.is_empty() || name.is_some_and(|name| rates.contains(name)))
    }

    fn window_limits(&self, lines: &mut Vec<Item>) {
        for (window, coming) in &self.walk.windows {
            let rule = &self.walk.scheme.rates[coming.rate];
            let sum: Exact = lines.iter().filter(|line| line.window == *window).map(|line| line.amount).sum();
            if let Some(min) = rule.min.map(Exact::price)
                && sum > Exact::ZERO
                && sum < min
            {
                let (rate, cycle) = (Some(coming.rate), coming.cycle);
                let amount = self.rounded(min - sum);
                lines.push(Item { at: coming.at, window: *window, rate, cycle, step: usize::MAX, amount });
            }
            if let Some(max) = rule.max.map(Exact::price)
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
                        line.amount = line.amount + self.rounded(line.amount * share);
                    }
                }
                AdjustBy::Amount(amount) => self.amount(lines, adjust, Exact::price(amount)),
            }
        }
    }

    fn amount(&self, lines: &mut Vec<Item>, adjust: &Adjust, amount: Exact) {
        let chosen = |line: &&Item| line.amount > Exact::ZERO && self.selected(&adjust.selectors, &adjust.rates, line);
        let Some(place) = lines.iter().position(|line| chosen(&line)) else { return };
        let sum: Exact = lines.iter().map(|line| line.amount).sum();
        let amount = amount.max(Exact::ZERO - sum);
        // It stands before the first line that it is for.
        lines.insert(place, Item { rate: None, step: usize::MAX, amount, ..lines[place].clone() });
    }

    fn caps(&self, lines: &mut [Item]) {
        let mut caps: Vec<&Cap> = self.walk.scheme.caps.iter().filter(|cap| cap.visits == Visits::Each).collect();
        let width = |cap: &Cap| match cap.per {
            CapPer::Window => 0,
            CapPer::Day24h => 1,
            CapPer::CalendarDay => 2,
            CapPer::Visit => 3,
        };
        let named = |list: usize| usize::from(list == 0);
        caps.sort_by_key(|cap| (named(cap.rates.len()), width(cap)));
        for cap in caps {
            let mut periods: BTreeMap<i64, Vec<&mut Item>> = BTreeMap::new();
            for line in lines.iter_mut() {
                let period = self.period(cap.per, line);
                let number = |days: DayNumbers| {
                    let day = period + 1;
                    i64::from(days.first) <= day && days.last.is_none_or(|last| day <= i64::from(last))
                };
                if self.selected(&cap.selectors, &cap.rates, line) && cap.day_numbers.is_none_or(number) {
                    periods.entry(period).or_default().push(line);
                }
            }
            for lines in periods.into_values() {
                let sum: Exact = lines.iter().map(|line| line.amount).sum();
                let max = Exact::price(cap.max);
                if sum > max {
                    cut(lines, sum - max);
                }
            }
        }
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
