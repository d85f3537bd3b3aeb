//! Money in the order of time: each run passes its window's bounds, adjustments and caps, and leaves items behind.
//!
//! A cap lets through until it is used up. Nothing here looks ahead, so a day can be carried over from one that was alike.
//! It must not know where a run came from, nor what the visit as a whole comes to.

use super::PriceError;
use super::exact::Exact;
use super::plan::{AdjustPlan, CapPlan, Concerned, SchemePlan};
use super::run::{Place, Run, What};
use crate::tariff::model::{AdjustBy, Applied, CapPer, Price, RoundAt, Visits};

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A charge.
    Charge(What),
    /// What a window's minimum adds.
    WindowMin(u16),
    /// What a window's maximum takes away.
    WindowMax(u16),
    /// An adjustment, by its place in the file.
    Adjust(usize),
    /// What a cap takes away, by its place in the file.
    Cap(usize),
    /// What rounding a cycle adds or takes away.
    CycleRounding,
    /// What a visit's minimum adds.
    Minimum,
    /// What a visit's maximum takes away.
    Maximum,
    /// What keeps a discount from making a fee negative.
    NotBelowZero,
    /// What a cap that visits share takes away, by its place in the file.
    SharedCap(usize),
    /// What rounding the fee adds or takes away.
    Rounding,
}

/// A charge or a correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) count: i64,
    pub(super) price: Exact,
    pub(super) amount: Exact,
}

/// What is used up of a cap that visits share: cap, period, how much.
pub(super) type Used = (usize, i64, Exact);

/// Everything that money carries on from one day to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) caps: Vec<CapState>,
    pub(super) window: Option<WindowState>,
    pub(super) cycle: Option<(u32, Exact, i64, i64)>,
    /// Which amount adjustments were made, as bits.
    pub(super) amounts_made: u64,
}

/// A cap in its present period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CapState {
    pub(super) period: i64,
    pub(super) used: Exact,
    pub(super) cut: Exact,
    pub(super) from: i64,
    pub(super) to: i64,
}

/// A coming of a window whose charge has a minimum or a maximum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WindowState {
    pub(super) number: u32,
    pub(super) charge: u16,
    pub(super) sum: Exact,
    pub(super) cut: Exact,
    pub(super) from: i64,
    pub(super) to: i64,
    /// Runs that wait until the minimum is reached, with what the maximum left of them.
    pub(super) held: Vec<(Run, Exact)>,
}

/// Takes runs in the order of time.
#[derive(Debug)]
pub(super) struct Till<'p> {
    scheme: &'p SchemePlan,
    pub(super) state: State,
    pub(super) items: Vec<Item>,
}

const NO_PERIOD: i64 = i64::MIN;

impl<'p> Till<'p> {
    /// `used`: what the visits before left of the caps that visits share, in the period in which this one begins.
    pub(super) fn new(scheme: &'p SchemePlan, used: &[Used]) -> Self {
        let empty = CapState { period: NO_PERIOD, used: Exact::ZERO, cut: Exact::ZERO, from: i64::MAX, to: i64::MIN };
        let mut state = State { caps: vec![empty; scheme.caps.len()], ..State::default() };
        for (cap, period, used) in used {
            (state.caps[*cap].period, state.caps[*cap].used) = (*period, *used);
        }
        Self { scheme, state, items: Vec::new() }
    }

    /// What is now used up of the caps that visits share, each in the last of its periods.
    pub(super) fn used(&self) -> Vec<Used> {
        let caps = self.scheme.caps.iter().zip(&self.state.caps).enumerate();
        let shared = caps.filter(|(_, (plan, state))| plan.visits == Visits::Together && state.period != NO_PERIOD);
        shared.map(|(number, (_, state))| (number, state.period, state.used)).collect()
    }

    /// The next run.
    pub(super) fn take(&mut self, run: &Run) -> Result<(), PriceError> {
        let amount = run.amount(&self.scheme.rounding)?;
        let Run { from, to, count, price, .. } = *run;
        self.items.push(Item { kind: Kind::Charge(run.what), from, to, count, price, amount });
        let bounded = run.what.charge().filter(|charge| {
            let plan = &self.scheme.charges[usize::from(*charge)];
            run.place.window != 0 && (plan.min.is_some() || plan.max.is_some())
        });
        if self.state.window.as_ref().is_some_and(|held| held.number != run.place.window) {
            self.close_window()?;
        }
        match bounded {
            Some(charge) => self.in_window(charge, run, amount),
            None => self.pass(run, amount),
        }
    }

    fn in_window(&mut self, charge: u16, run: &Run, amount: Exact) -> Result<(), PriceError> {
        let plan = &self.scheme.charges[usize::from(charge)];
        let mut window = self.state.window.take().unwrap_or(WindowState {
            number: run.place.window,
            charge,
            sum: Exact::ZERO,
            cut: Exact::ZERO,
            from: run.from,
            to: run.to,
            held: Vec::new(),
        });
        let mut passing = amount;
        if let Some(max) = plan.max {
            let room = Exact::from(max).minus(window.sum)?;
            passing = amount.least(if room.is_negative() { Exact::ZERO } else { room })?;
        }
        window.sum = window.sum.plus(passing)?;
        window.cut = window.cut.plus(amount.minus(passing)?)?;
        window.to = run.to;
        let short = match plan.min {
            Some(min) => window.sum.minus(min.into())?.is_negative(),
            None => false,
        };
        if short {
            window.held.push((run.clone(), passing));
            self.state.window = Some(window);
            return Ok(());
        }
        let held = std::mem::take(&mut window.held);
        self.state.window = Some(window);
        for (run, amount) in held {
            self.pass(&run, amount)?;
        }
        self.pass(run, passing)
    }

    fn close_window(&mut self) -> Result<(), PriceError> {
        let Some(window) = self.state.window.take() else { return Ok(()) };
        let WindowState { charge, from, to, .. } = window;
        if window.cut.is_positive() {
            let cut = window.cut.negated();
            self.items.push(Item { kind: Kind::WindowMax(charge), from, to, count: 1, price: cut, amount: cut });
        }
        let plan = &self.scheme.charges[usize::from(charge)];
        if let (Some((first, _)), Some(min), true) = (window.held.first(), plan.min, window.sum.is_positive()) {
            let more = Exact::from(min).minus(window.sum)?;
            let lifted = Run { count: 1, price: more, to, ..first.clone() };
            let kind = Kind::WindowMin(charge);
            self.items.push(Item { kind, from, to, count: 1, price: more, amount: more });
            self.pass(&lifted, more)?;
        }
        for (run, amount) in window.held {
            self.pass(&run, amount)?;
        }
        Ok(())
    }

    /// Adjustments and caps.
    fn pass(&mut self, run: &Run, amount: Exact) -> Result<(), PriceError> {
        let amount = self.adjust(run, amount, Applied::BeforeCaps)?;
        let amount = self.cap(run, amount)?;
        let amount = self.adjust(run, amount, Applied::AfterCaps)?;
        self.count_in(run, amount)
    }

    fn adjust(&mut self, run: &Run, amount: Exact, when: Applied) -> Result<Exact, PriceError> {
        let scheme = self.scheme;
        let mut amount = amount;
        for (number, plan) in scheme.adjusts.iter().enumerate().filter(|(_, plan)| plan.applied == when) {
            if amount.is_zero() || !plan.concerns(run, scheme) {
                continue;
            }
            match plan.by {
                AdjustBy::Percent(percent) => {
                    let exact = amount.share(percent.millionths(), Price::UNIT)?;
                    let more = match scheme.rounding.at {
                        RoundAt::Unit | RoundAt::Line => {
                            exact.rounded(scheme.rounding.to, scheme.rounding.direction)?
                        }
                        RoundAt::Cycle | RoundAt::Total => exact,
                    };
                    // A discount of more than everything takes everything.
                    let more = if amount.plus(more)?.is_negative() { amount.negated() } else { more };
                    self.push(Kind::Adjust(number), run, more);
                    amount = amount.plus(more)?;
                }
                AdjustBy::Amount(price) => {
                    let bit = 1_u64 << number;
                    if self.state.amounts_made & bit == 0 {
                        self.state.amounts_made |= bit;
                        self.push(Kind::Adjust(number), run, price.into());
                        let own = Run { what: What::Visit, ..run.clone() };
                        let left =
                            if when == Applied::BeforeCaps { self.cap(&own, price.into())? } else { price.into() };
                        self.count_in(&own, left)?;
                    }
                }
            }
        }
        Ok(amount)
    }

    fn push(&mut self, kind: Kind, run: &Run, amount: Exact) {
        if !amount.is_zero() {
            let Run { from, to, .. } = *run;
            self.items.push(Item { kind, from, to, count: 1, price: amount, amount });
        }
    }

    fn cap(&mut self, run: &Run, amount: Exact) -> Result<Exact, PriceError> {
        let scheme = self.scheme;
        let mut amount = amount;
        for (number, plan) in scheme.caps.iter().enumerate() {
            let period = plan.period(&run.place);
            // What is over is told at once, so that an old period is not carried from day to day.
            if ![period, NO_PERIOD].contains(&self.state.caps[number].period) && plan.per != CapPer::Window {
                self.close_cap(number);
                self.state.caps[number].period = NO_PERIOD;
            }
            if !plan.concerns(run, scheme) {
                continue;
            }
            if self.state.caps[number].period != period {
                self.close_cap(number);
                let fresh = CapState { period, used: Exact::ZERO, cut: Exact::ZERO, from: run.from, to: run.to };
                self.state.caps[number] = fresh;
            }
            let state = &mut self.state.caps[number];
            let room = plan.max.minus(state.used)?;
            let passing = if amount.is_positive() {
                amount.least(if room.is_negative() { Exact::ZERO } else { room })?
            } else {
                amount
            };
            state.used = state.used.plus(passing)?;
            (state.from, state.to) = (state.from.min(run.from), state.to.max(run.to));
            let cut = amount.minus(passing)?;
            if plan.per == CapPer::Visit {
                // Told at once, so that nothing grows from day to day; the lines are joined at the end.
                self.push(Kind::Cap(plan.place), run, cut.negated());
            } else {
                state.cut = state.cut.plus(cut)?;
            }
            amount = passing;
        }
        Ok(amount)
    }

    fn close_cap(&mut self, number: usize) {
        let CapState { period, cut, from, to, .. } = self.state.caps[number];
        if period != NO_PERIOD && cut.is_positive() {
            let plan = &self.scheme.caps[number];
            let kind = if plan.visits == Visits::Together { Kind::SharedCap } else { Kind::Cap };
            let (kind, amount) = (kind(plan.place), cut.negated());
            self.items.push(Item { kind, from, to, count: 1, price: amount, amount });
        }
    }

    /// What is left is the visit's; sums by cycle follow it.
    fn count_in(&mut self, run: &Run, amount: Exact) -> Result<(), PriceError> {
        if self.scheme.rounding.at == RoundAt::Cycle {
            let cycle = run.place.cycle;
            if self.state.cycle.is_some_and(|(held, ..)| held != cycle) {
                self.close_cycle()?;
            }
            let (_, sum, from, _) = self.state.cycle.unwrap_or((cycle, Exact::ZERO, run.from, run.to));
            self.state.cycle = Some((cycle, sum.plus(amount)?, from, run.to));
        }
        Ok(())
    }

    fn close_cycle(&mut self) -> Result<(), PriceError> {
        let Some((_, sum, from, to)) = self.state.cycle.take() else { return Ok(()) };
        let rounding = &self.scheme.rounding;
        let amount = sum.rounded(rounding.to, rounding.direction)?.minus(sum)?;
        if !amount.is_zero() {
            self.items.push(Item { kind: Kind::CycleRounding, from, to, count: 1, price: amount, amount });
        }
        Ok(())
    }

    /// Nothing comes any more.
    pub(super) fn finish(&mut self) -> Result<(), PriceError> {
        self.close_window()?;
        for number in 0..self.state.caps.len() {
            self.close_cap(number);
        }
        self.close_cycle()
    }
}

fn rate_concerned(rates: &[Concerned], run: &Run, scheme: &SchemePlan) -> bool {
    rates.is_empty() || run.rate(scheme).is_some_and(|rate| rates[usize::from(rate)] == Concerned::Yes)
}

impl CapPlan {
    fn concerns(&self, run: &Run, scheme: &SchemePlan) -> bool {
        run.place.marks >> self.mark & 1 == 1
            && rate_concerned(&self.rates, run, scheme)
            && (self.per != CapPer::Window || run.place.window != 0)
            && self.day_numbers.is_none_or(|days| {
                let number = self.period(&run.place) + 1;
                number >= i64::from(days.first) && days.last.is_none_or(|last| number <= i64::from(last))
            })
    }

    /// Which of its periods a run lies in.
    pub(super) fn period(&self, place: &Place) -> i64 {
        match (self.per, self.visits) {
            (CapPer::Visit, _) => 0,
            (CapPer::Window, _) => i64::from(place.window),
            (CapPer::Day24h, Visits::Each) => place.day_24h,
            (CapPer::Day24h, Visits::Together) => place.shared_24h,
            (CapPer::CalendarDay, _) => place.calendar_day,
        }
    }
}

impl AdjustPlan {
    fn concerns(&self, run: &Run, scheme: &SchemePlan) -> bool {
        run.place.marks >> self.mark & 1 == 1 && rate_concerned(&self.rates, run, scheme)
    }
}
