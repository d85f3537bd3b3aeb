//! The one unit that does not fit: a window's boundary, a stopped clock, a cycle's end or the stay's end meets it.
//!
//! It must not know what follows it: it ends somewhere, and the walk goes on there.

use super::PriceError;
use super::axis::Holding;
use super::exact::Exact;
use super::plan::{How, Marks, Pick};
use super::run::{Run, What, append};
use super::steps::{Each, Place};
use super::walk::{AHEAD, Walk};
use crate::tariff::model::{Again, Boundary, Counting, Exceeded, Free, Next, Price, Units};

/// The part of a unit that lies in the time of one rate.
#[derive(Debug, Clone, Copy)]
struct Part {
    rate: u16,
    charge: u16,
    step: u16,
    price: Price,
    per: i64,
    /// How much of the whole unit.
    length: i64,
    /// How much of it before the stay's end.
    used: i64,
    /// Which coming of its rate's window.
    coming: i64,
    from: i64,
    to: i64,
}

/// A unit, laid out.
struct Laid {
    parts: Vec<Part>,
    /// What of its length has no place: it was cut.
    left: i64,
    /// Whether the clock stood in the midst of it.
    paused: bool,
}

impl Walk<'_, '_> {
    /// Walks one unit of `found`, which begins here.
    pub(super) fn straddle(&mut self, rate: u16, marks: Marks, charge: u16, found: Place) -> Result<(), PriceError> {
        let Each::Unit { per, price, units, tolerance } = found.each else { return Ok(()) };
        let own = matches!(self.scheme.rates[usize::from(rate)].pick, Pick::Own);
        let boundary = if own { self.scheme.boundary } else { Boundary::Restart };
        let (at, end) = (self.state.at, self.bounds.end);
        let coming = self.state.window.map_or(0, |window| window.coming);
        let begin = Part { rate, charge, step: found.step, price, per, length: 0, used: 0, coming, from: at, to: at };
        let laid = self.lay_out(begin, per, boundary)?;
        let last = laid.parts[laid.parts.len() - 1];
        let used: i64 = laid.parts.iter().map(|part| part.used).sum();
        let full = laid.left == 0 && last.to <= end;
        let counts = match units {
            Units::Full => full,
            Units::Started => full || used > tolerance,
        };
        let to = last.to.min(end);
        if counts {
            self.charge_unit(&laid, boundary, marks, found.lap, to)?;
        }
        self.attribute(&laid, boundary, used, to)
    }

    /// Follows a unit over the time axis until its length is used up or something cuts it.
    fn lay_out(&mut self, begin: Part, per: i64, boundary: Boundary) -> Result<Laid, PriceError> {
        let mut laid = Laid { parts: vec![begin], left: per, paused: false };
        let mut at = self.state.at;
        let (mut cycle_ends, mut free_until) = (self.state.cycle.ends, at);
        let mut coming = begin.coming;
        let restarts = matches!(self.scheme.cycle, Some((_, Next::Restart)));
        // A stopped clock is waited out, unless steps or offers belong to one coming of the window.
        let own_units = matches!(self.scheme.rates[usize::from(begin.rate)].pick, Pick::Own);
        let waits = own_units && self.scheme.counting != Counting::Window;
        let far = self.bounds.end + if boundary == Boundary::Split { AHEAD } else { 0 };
        while laid.left > 0 && at < far {
            if at >= cycle_ends {
                // Behind the last that is known of the stay's areas there is neither rate nor cycle.
                if restarts || cycle_ends == i64::MAX {
                    break;
                }
                if let Some(free) = self.free_in_each_cycle() {
                    free_until = self.free_until(&free, cycle_ends)?;
                }
                cycle_ends = self.cycle_ends(cycle_ends);
                continue;
            }
            if at < free_until {
                if !waits {
                    break;
                }
                laid.paused = true;
                at = free_until.min(cycle_ends);
                continue;
            }
            let piece = self.axis.piece(at)?;
            let until = piece.until.min(cycle_ends);
            let Holding::Rate(rate, _) = piece.holding else {
                if !waits {
                    break;
                }
                laid.paused = true;
                at = until;
                continue;
            };
            let last = laid.parts.len() - 1;
            if rate == laid.parts[last].rate && piece.coming != coming {
                if !waits {
                    break;
                }
                laid.paused = true;
            }
            coming = piece.coming;
            if rate != laid.parts[last].rate {
                let walked = per - laid.left;
                let Some(part) = self.crossed_into(rate, at, walked).filter(|_| boundary != Boundary::Restart) else {
                    break;
                };
                laid.parts.push(part);
            }
            let last = laid.parts.len() - 1;
            let length = laid.left.min(until - at);
            let part = &mut laid.parts[last];
            part.coming = piece.coming;
            part.length += length;
            part.used += ((at + length).min(self.bounds.end) - at).max(0);
            part.to = at + length;
            laid.left -= length;
            at += length;
        }
        Ok(laid)
    }

    /// How long each cycle begins free, if that is deducted.
    pub(super) fn free_in_each_cycle(&self) -> Option<Free> {
        self.bounds.free.filter(|free| (free.again, free.when_exceeded) == (Again::EachCycle, Exceeded::Deducted))
    }

    /// The rate behind a boundary, if a unit may cross into it: only where it charges by units itself.
    fn crossed_into(&self, rate: u16, at: i64, walked: i64) -> Option<Part> {
        let plan = &self.scheme.rates[usize::from(rate)];
        if plan.pick != Pick::Own {
            return None;
        }
        let How::Steps(steps) = &self.scheme.charges[usize::from(plan.first)].how else { return None };
        let position = match self.scheme.counting {
            Counting::Visit => self.state.clock + walked,
            Counting::Rate => self.state.rate_clocks[usize::from(rate)],
            Counting::Window => 0,
        };
        let found = steps.place(position);
        let Each::Unit { per, price, .. } = found.each else { return None };
        Some(Part {
            rate,
            charge: plan.first,
            step: found.step,
            price,
            per,
            length: 0,
            used: 0,
            coming: 0,
            from: at,
            to: at,
        })
    }

    fn charge_unit(
        &mut self,
        laid: &Laid,
        boundary: Boundary,
        marks: Marks,
        lap: i64,
        to: i64,
    ) -> Result<(), PriceError> {
        let (from, place) = (self.state.at, self.place_of(marks, lap));
        if boundary == Boundary::Split && laid.parts.len() > 1 {
            let (last, end) = (laid.parts.len() - 1, self.bounds.end);
            for (number, part) in laid.parts.iter().enumerate() {
                let length = part.length + if number == last { laid.left } else { 0 };
                let what = What::Share { charge: part.charge, step: part.step, part: length, of: part.per };
                let price = Exact::from(part.price).share(length, part.per)?;
                let place = super::run::Place { window: 0, ..place };
                let (from, to) = (part.from.min(end), part.to.min(end));
                append(&mut self.runs, Run { what, place, from, to, count: 1, price });
            }
            return Ok(());
        }
        let priced_by = match boundary {
            Boundary::End => Self::last_used(laid),
            Boundary::Restart | Boundary::Start | Boundary::Split => laid.parts[0],
        };
        let what = What::Units { charge: priced_by.charge, step: priced_by.step };
        // Another rate's price belongs to no coming of its window.
        let window = if priced_by.rate == laid.parts[0].rate { place.window } else { 0 };
        let place = super::run::Place { window, ..place };
        append(&mut self.runs, Run { what, place, from, to, count: 1, price: priced_by.price.into() });
        Ok(())
    }

    fn last_used(laid: &Laid) -> Part {
        *laid.parts.iter().rev().find(|part| part.used > 0).unwrap_or(&laid.parts[0])
    }

    /// The unit's time goes by, at the rate that prices it; it counts for the window in which it ends as far as that window's
    /// rate prices it.
    fn attribute(&mut self, laid: &Laid, boundary: Boundary, used: i64, to: i64) -> Result<(), PriceError> {
        self.state.at = to;
        self.state.clock += used;
        match boundary {
            Boundary::Restart | Boundary::Start => {
                self.state.rate_clocks[usize::from(laid.parts[0].rate)] += used;
            }
            Boundary::End => self.state.rate_clocks[usize::from(Self::last_used(laid).rate)] += used,
            Boundary::Split => {
                for part in &laid.parts {
                    self.state.rate_clocks[usize::from(part.rate)] += part.used;
                }
            }
        }
        let last = Self::last_used(laid);
        if laid.paused || laid.parts.iter().filter(|part| part.used > 0).count() > 1 {
            self.state.window = None;
            if !laid.paused {
                self.enter(last.rate, last.coming)?;
            }
            if let Some(window) = &mut self.state.window {
                window.clock = match boundary {
                    Boundary::Restart | Boundary::Start => 0,
                    Boundary::End => used,
                    Boundary::Split => last.used,
                };
            }
        } else if let Some(window) = &mut self.state.window {
            window.clock += used;
            window.seen_to = to;
        }
        Ok(())
    }
}
