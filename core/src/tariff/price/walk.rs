//! Walks the time of a stay in units, as docs/tariffs.md says, and gives the runs. Units that end where they should are
//! counted, not walked; the one that a boundary meets is walked in `straddle`.
//!
//! It must not know caps, adjustments or rounding, but for choosing the cheapest of a window's offers.

use super::PriceError;
use super::axis::{Axis, Holding, Piece};
use super::exact::Exact;
use super::plan::{How, Marks, Pick, SchemePlan};
use super::run::{Place, Run, What, append};
use super::steps::{Each, Ends};
use super::zone::DAY;
use crate::tariff::model::{Again, Counting, CycleLength, Exceeded, Free, FreeEnds, Next, StepEnds, Units};

/// How far a walk is.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// Where the next unit begins.
    pub(super) at: i64,
    pub(super) cycle: Cycle,
    /// Charged time since the cycle began.
    pub(super) clock: i64,
    /// The same by rate.
    pub(super) rate_clocks: Vec<i64>,
    /// The last band that each charge entered: lap and step.
    pub(super) bands: Vec<Option<(i64, u16)>>,
    /// Free time that is deducted lasts until here.
    pub(super) free_until: i64,
    pub(super) window: Option<Window>,
}

/// How far beyond the stay a unit that is shared out is followed, as if the stay had gone on.
pub(super) const AHEAD: i64 = 8 * DAY;

/// A cycle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cycle {
    pub(super) number: u32,
    pub(super) begins: i64,
    pub(super) ends: i64,
}

/// A coming of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) number: u32,
    pub(super) rate: u16,
    /// Which coming by the rate's own windows.
    pub(super) coming: i64,
    /// Up to where it has been walked without a break.
    pub(super) seen_to: i64,
    /// Charged time in it.
    pub(super) clock: i64,
    pub(super) charge: u16,
    pub(super) flat: Flat,
}

/// Whether a window's flat price has been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flat {
    Open,
    Done,
}

/// What a walk goes by beside its scheme.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// From where cycles and days of 24 hours count.
    pub(super) anchor: i64,
    /// From where the 24 hours count that visits share.
    pub(super) shared_anchor: i64,
    /// The end of what is walked.
    pub(super) end: i64,
    /// The end of the stay.
    pub(super) stay_end: i64,
    /// Free time, if this walk has some.
    pub(super) free: Option<Free>,
}

/// A walk under way.
pub(super) struct Walk<'a, 'p> {
    pub(super) axis: &'a mut Axis<'p>,
    pub(super) scheme: &'p SchemePlan,
    pub(super) bounds: Bounds,
    pub(super) state: State,
    pub(super) windows: u32,
    /// The day of the calendar on which the stay began.
    pub(super) first_day: i64,
    pub(super) runs: Vec<Run>,
}

/// Whether so long a time is within the free time.
pub(super) fn is_free(free: &Free, length: i64) -> bool {
    match free.ends {
        FreeEnds::Included => length <= free.time.seconds(),
        FreeEnds::Excluded => length < free.time.seconds(),
    }
}

impl<'a, 'p> Walk<'a, 'p> {
    pub(super) fn new(axis: &'a mut Axis<'p>, bounds: Bounds) -> Result<Self, PriceError> {
        let scheme = axis.scheme;
        let cycle = Cycle { number: 0, begins: bounds.anchor, ends: bounds.anchor };
        let state = State {
            at: bounds.anchor,
            cycle,
            clock: 0,
            rate_clocks: vec![0; scheme.rates.len()],
            bands: vec![None; scheme.charges.len()],
            free_until: bounds.anchor,
            window: None,
        };
        let mut walk = Self { axis, scheme, bounds, state, windows: 0, first_day: 0, runs: Vec::new() };
        if scheme.periods.calendar_days {
            walk.first_day = walk.calendar_day(bounds.anchor);
        }
        walk.begin_cycle()?;
        Ok(walk)
    }

    /// Walks all units that begin before `limit`.
    pub(super) fn run_to(&mut self, limit: i64) -> Result<(), PriceError> {
        while self.state.at < limit.min(self.bounds.end) {
            self.advance()?;
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<(), PriceError> {
        let at = self.state.at;
        if at >= self.state.cycle.ends {
            return self.begin_cycle();
        }
        if at < self.state.free_until {
            self.state.window = None;
            self.state.at = self.state.free_until.min(self.bounds.end).min(self.state.cycle.ends);
            return Ok(());
        }
        let piece = self.axis.piece(at)?;
        let Holding::Rate(rate, marks) = piece.holding else {
            self.state.window = None;
            self.state.at = piece.until.min(self.bounds.end).min(self.state.cycle.ends);
            return Ok(());
        };
        let bound = piece.until.min(self.bounds.end).min(self.state.cycle.ends);
        let charge = self.enter(rate, piece.coming)?;
        let scheme = self.scheme;
        match &scheme.charges[usize::from(charge)].how {
            How::Free => self.pass_over(What::Free { charge }, marks, bound),
            How::Flat { price, tolerance } => {
                let open = self.state.window.is_some_and(|window| window.flat == Flat::Open);
                let counted = open && (*tolerance == 0 || self.lasts(rate, *tolerance)?);
                let place = self.place_of(marks, 0);
                let what = What::Flat { charge };
                let count = i64::from(counted);
                append(&mut self.runs, Run { what, place, from: at, to: bound, count, price: (*price).into() });
                if let Some(window) = &mut self.state.window {
                    window.flat = Flat::Done;
                }
                self.pass(rate, bound - at, bound);
            }
            How::Steps(_) => self.step(piece, rate, marks, charge)?,
        }
        Ok(())
    }

    /// The next cycle, which may be the first.
    fn begin_cycle(&mut self) -> Result<(), PriceError> {
        let (bounds, begins) = (self.bounds, self.state.cycle.ends);
        self.state.cycle = Cycle { number: self.state.cycle.number + 1, begins, ends: self.cycle_ends(begins) };
        let first = self.state.cycle.number == 1;
        if matches!(self.scheme.cycle, Some((_, Next::Restart))) {
            self.state.clock = 0;
            self.state.rate_clocks.fill(0);
            self.state.bands.fill(None);
            self.state.window = None;
        }
        let Some(free) = bounds.free.filter(|free| first || free.again == Again::EachCycle) else { return Ok(()) };
        if first && free.when_exceeded == Exceeded::Lost {
            // Whoever chose the scheme has compared the whole visit with it, of which this may be a part.
            return Ok(());
        }
        match free.when_exceeded {
            Exceeded::Deducted => self.state.free_until = self.free_until(&free, begins)?,
            Exceeded::Lost => {
                let stay = (begins, bounds.stay_end);
                let (_, counted) = self.axis.free_time(&free, free.time.seconds() + 1, stay)?;
                if bounds.stay_end <= self.state.cycle.ends && is_free(&free, counted) {
                    self.ends_free();
                }
            }
        }
        Ok(())
    }

    /// Until when the free time lasts that a cycle begins with.
    pub(super) fn free_until(&mut self, free: &Free, begins: i64) -> Result<i64, PriceError> {
        let cycle = if free.again == Again::EachCycle { self.cycle_ends(begins) } else { i64::MAX };
        let far = cycle.min(self.bounds.end.max(begins) + AHEAD);
        Ok(self.axis.free_time(free, free.time.seconds(), (begins, far))?.0)
    }

    fn ends_free(&mut self) {
        self.state.window = None;
        self.state.at = self.bounds.end.max(self.state.at);
    }

    /// The end of the cycle that begins there.
    pub(super) fn cycle_ends(&self, begins: i64) -> i64 {
        match self.scheme.cycle {
            None => i64::MAX,
            Some((CycleLength::Span(every), _)) => begins + every.seconds().max(1),
            Some((CycleLength::CalendarDay { starts }, _)) => self.next_day(begins, i64::from(starts)),
        }
    }

    /// The next day of the calendar, where days begin so many seconds after midnight.
    fn next_day(&self, moment: i64, starts: i64) -> i64 {
        let zone = &self.axis.plan.zone;
        let mut day = (zone.wall(moment) - starts).div_euclid(DAY) + 1;
        while zone.moment(day * DAY + starts) <= moment {
            day += 1;
        }
        zone.moment(day * DAY + starts)
    }

    /// The charge of the window in which the walk stands: the one it was in, or a new coming.
    pub(super) fn enter(&mut self, rate: u16, coming: i64) -> Result<u16, PriceError> {
        let at = self.state.at;
        let same = |window: &Window| (window.rate, window.coming, window.seen_to) == (rate, coming, at);
        if let Some(window) = self.state.window.filter(same) {
            return Ok(window.charge);
        }
        self.windows += 1;
        let plan = &self.scheme.rates[usize::from(rate)];
        let (number, charge) = (self.windows, plan.first);
        self.state.window = Some(Window { number, rate, coming, seen_to: at, clock: 0, charge, flat: Flat::Open });
        let offers = if let Pick::CheapestOf(count) = plan.pick { count } else { 1 };
        if self.scheme.counting == Counting::Window {
            for slot in plan.first..plan.first + offers {
                self.state.bands[usize::from(slot)] = None;
            }
        }
        if offers > 1 {
            let chosen = self.cheapest_offer(rate, plan.first, offers)?;
            if let Some(window) = &mut self.state.window {
                window.charge = chosen;
            }
            return Ok(chosen);
        }
        Ok(charge)
    }

    /// Walks the coming of a window once for each offer; the cheapest is taken, the first among equals.
    fn cheapest_offer(&mut self, rate: u16, first: u16, offers: u16) -> Result<u16, PriceError> {
        let end = self.window_ends(rate, i64::MAX)?;
        let mut best: Option<(Exact, u16)> = None;
        for charge in first..first + offers {
            let mut state = self.state.clone();
            if let Some(window) = &mut state.window {
                window.charge = charge;
            }
            let (scheme, windows, first_day) = (self.scheme, self.windows, self.first_day);
            let bounds = Bounds { end, ..self.bounds };
            let mut walk = Walk { axis: &mut *self.axis, scheme, bounds, state, windows, first_day, runs: Vec::new() };
            walk.run_to(end)?;
            walk.finish()?;
            let mut sum = Exact::ZERO;
            for run in &walk.runs {
                sum = sum.plus(run.amount(&scheme.rounding)?)?;
            }
            let plan = &scheme.charges[usize::from(charge)];
            if let Some(max) = plan.max {
                sum = sum.least(max.into())?;
            }
            if let Some(min) = plan.min.filter(|_| sum.is_positive())
                && Exact::from(min).minus(sum)?.is_positive()
            {
                sum = min.into();
            }
            let cheaper = match best {
                Some((held, _)) => sum.minus(held)?.is_negative(),
                None => true,
            };
            if cheaper {
                best = Some((sum, charge));
            }
        }
        Ok(best.map_or(first, |(_, charge)| charge))
    }

    /// Where the window ends in which the walk stands; not looked for beyond `far`.
    fn window_ends(&mut self, rate: u16, far: i64) -> Result<i64, PriceError> {
        let breaks = matches!(self.scheme.cycle, Some((_, Next::Restart))) || self.free_in_each_cycle().is_some();
        let mut end = self.bounds.end;
        if breaks {
            end = end.min(self.state.cycle.ends);
        }
        let coming = self.state.window.map_or(0, |window| window.coming);
        let mut at = self.state.at;
        while at < end && at <= far {
            let piece = self.axis.piece(at)?;
            match piece.holding {
                Holding::Rate(held, _) if (held, piece.coming) == (rate, coming) => at = piece.until,
                _ => break,
            }
        }
        self.charged_until(at.min(end))
    }

    /// The moment, or the beginning of a last cycle before it that free time covers.
    fn charged_until(&mut self, moment: i64) -> Result<i64, PriceError> {
        let (mut begins, stay_end) = (self.state.cycle.ends, self.bounds.stay_end);
        let Some(free) = self.bounds.free.filter(|free| free.again == Again::EachCycle) else { return Ok(moment) };
        while begins < moment && free.when_exceeded == Exceeded::Lost {
            let ends = self.cycle_ends(begins);
            if stay_end <= ends {
                let (_, counted) = self.axis.free_time(&free, free.time.seconds() + 1, (begins, stay_end))?;
                return Ok(if is_free(&free, counted) { begins } else { moment });
            }
            begins = ends;
        }
        Ok(moment)
    }

    /// Whether the window in which the walk stands goes on for longer than that.
    fn lasts(&mut self, rate: u16, longer_than: i64) -> Result<bool, PriceError> {
        let at = self.state.at;
        Ok(self.window_ends(rate, at + longer_than)? - at > longer_than)
    }

    /// From where the steps of a charge count, now.
    pub(super) fn position(&self, rate: u16) -> i64 {
        match self.scheme.counting {
            Counting::Visit => self.state.clock,
            Counting::Rate => self.state.rate_clocks[usize::from(rate)],
            Counting::Window => self.state.window.filter(|window| window.rate == rate).map_or(0, |window| window.clock),
        }
    }

    /// Time of this rate goes by.
    fn pass(&mut self, rate: u16, length: i64, to: i64) {
        self.state.at = to;
        self.state.clock += length;
        self.state.rate_clocks[usize::from(rate)] += length;
        if let Some(window) = &mut self.state.window {
            window.clock += length;
            window.seen_to = to;
        }
    }

    /// Time goes by that costs nothing.
    fn pass_over(&mut self, what: What, marks: Marks, to: i64) {
        let (from, place) = (self.state.at, self.place_of(marks, 0));
        append(&mut self.runs, Run { what, place, from, to, count: 0, price: Exact::ZERO });
        if let Some(charge) = what.charge() {
            self.pass(self.scheme.charges[usize::from(charge)].rate, to - from, to);
        }
    }

    pub(super) fn place_of(&self, marks: Marks, lap: i64) -> Place {
        let (at, periods) = (self.state.at, self.scheme.periods);
        let day = |counted: bool, anchor: i64| if counted { (at - anchor).div_euclid(DAY) } else { 0 };
        Place {
            lap,
            window: self.state.window.map_or(0, |window| window.number),
            cycle: self.state.cycle.number,
            marks,
            day_24h: day(periods.days_24h, self.bounds.anchor),
            shared_24h: day(periods.shared_24h, self.bounds.shared_anchor),
            calendar_day: if periods.calendar_days { self.calendar_day(at) - self.first_day } else { 0 },
        }
    }

    /// Seconds after midnight at which the tariff's days begin.
    pub(super) fn day_starts(&self) -> i64 {
        match self.scheme.cycle {
            Some((CycleLength::CalendarDay { starts }, _)) => i64::from(starts),
            _ => 0,
        }
    }

    pub(super) fn calendar_day(&self, moment: i64) -> i64 {
        (self.axis.plan.zone.wall(self.next_day(moment, self.day_starts())) - self.day_starts()).div_euclid(DAY) - 1
    }

    /// Where a run has to end because a cap begins to count anew.
    fn next_period(&self) -> i64 {
        let (at, periods) = (self.state.at, self.scheme.periods);
        let next = |counted: bool, anchor: i64| {
            if counted { anchor + ((at - anchor).div_euclid(DAY) + 1) * DAY } else { i64::MAX }
        };
        let calendar = if periods.calendar_days { self.next_day(at, self.day_starts()) } else { i64::MAX };
        let (own, shared) = (self.bounds.anchor, self.bounds.shared_anchor);
        next(periods.days_24h, own).min(next(periods.shared_24h, shared)).min(calendar)
    }

    /// One stretch of units, or a band, or time that the steps leave alone.
    fn step(&mut self, piece: Piece, rate: u16, marks: Marks, charge: u16) -> Result<(), PriceError> {
        let How::Steps(steps) = &self.scheme.charges[usize::from(charge)].how else { return Ok(()) };
        let (at, position) = (self.state.at, self.position(rate));
        let found = steps.place(position);
        let (step, cycle_ends) = (found.step, self.state.cycle.ends);
        let step_ends = at.saturating_add(found.end - position);
        match found.each {
            Each::Nothing => {
                self.pass_over(What::Held { charge }, marks, piece.until.min(self.bounds.end).min(cycle_ends));
            }
            Each::Band(price) => {
                let to = piece.until.min(self.bounds.end).min(cycle_ends).min(step_ends);
                let entered = self.state.bands[usize::from(charge)] == Some((found.lap, step));
                self.state.bands[usize::from(charge)] = Some((found.lap, step));
                let (what, place) = (What::Band { charge, step }, self.place_of(marks, found.lap));
                append(&mut self.runs, Run { what, place, from: at, to, count: i64::from(!entered), price });
                self.pass(rate, to - at, to);
            }
            Each::Unit { per, price, .. } => {
                let restarts = matches!(self.scheme.cycle, Some((_, Next::Restart)));
                let pauses = self.free_in_each_cycle().is_some();
                let cut = if restarts || pauses { cycle_ends } else { i64::MAX };
                let whole = (piece.until.min(self.bounds.end).min(cut) - at) / per;
                if whole == 0 {
                    return self.straddle(rate, marks, charge, found);
                }
                let begin_before = step_ends.min(piece.until).min(self.next_period()).min(cycle_ends);
                let count = whole.min((begin_before - at + per - 1) / per);
                let (what, place) = (What::Units { charge, step }, self.place_of(marks, found.lap));
                let (to, price) = (at + count * per, price.into());
                append(&mut self.runs, Run { what, place, from: at, to, count, price });
                self.pass(rate, count * per, to);
            }
        }
        Ok(())
    }

    /// Where the moment of a step's end belongs to the next step, a stay that ends exactly there has entered it.
    pub(super) fn finish(&mut self) -> Result<(), PriceError> {
        let end = self.bounds.end;
        let Some(window) = self.state.window.filter(|window| window.seen_to == end) else { return Ok(()) };
        let How::Steps(steps) = &self.scheme.charges[usize::from(window.charge)].how else { return Ok(()) };
        if steps.ends != StepEnds::Excluded || end != self.bounds.stay_end || end >= self.state.cycle.ends {
            return Ok(());
        }
        let Piece { holding: Holding::Rate(rate, marks), coming, .. } = self.axis.piece(end)? else { return Ok(()) };
        let position = self.position(rate);
        if (rate, coming) != (window.rate, window.coming) || steps.ends_at(position) == Ends::Elsewhere {
            return Ok(());
        }
        let (charge, found) = (window.charge, steps.place(position));
        let step = found.step;
        let (what, price) = match found.each {
            Each::Unit { price, units: Units::Started, tolerance: 0, .. } => {
                (What::Units { charge, step }, price.into())
            }
            Each::Band(price) if self.state.bands[usize::from(charge)] != Some((found.lap, step)) => {
                (What::Band { charge, step }, price)
            }
            Each::Band(_) | Each::Unit { .. } | Each::Nothing => return Ok(()),
        };
        let place = self.place_of(marks, found.lap);
        append(&mut self.runs, Run { what, place, from: end, to: end, count: 1, price });
        Ok(())
    }
}

impl Walk<'_, '_> {
    /// Which selectors of caps and adjustments hold at a moment, where no rate does.
    pub(super) fn marks_at(&mut self, moment: i64) -> Marks {
        self.axis.marks(moment)
    }
}
