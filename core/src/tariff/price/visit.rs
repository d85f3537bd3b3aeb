//! One scheme for one visit: from its time axis to items and their sum, with minimum, maximum and rounding.
//! It must not know how the scheme was chosen, nor what was paid.

use super::PriceError;
use super::axis::{Axis, Course};
use super::days::Days;
use super::exact::Exact;
use super::plan::{Plan, SchemePlan};
use super::run::{Place, Run, What};
use super::shared::{UsedUp, first_period};
use super::skip::{Again, Alike, drive, sum};
use super::till::{Item, Kind, Till, Used};
use super::walk::{Bounds, Walk};
use crate::tariff::model::{Direction, Exceeded, Price, RoundAt};

/// What a scheme makes of a visit.
#[derive(Debug)]
pub(super) struct Priced<'p> {
    pub(super) plan: &'p Plan,
    pub(super) scheme: &'p SchemePlan,
    pub(super) items: Vec<Item>,
    /// Which of the items came again, and when.
    pub(super) again: Vec<Again>,
    /// What is used up of the caps that visits share, with this visit.
    pub(super) used: Vec<Used>,
    pub(super) total: Exact,
}

/// For whom and where a scheme is priced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) days: &'a Days,
    pub(super) kind: u16,
    pub(super) courses: &'a [Course],
    pub(super) bounds: Bounds,
    pub(super) used: &'a UsedUp,
    pub(super) alike: Alike,
}

/// The smallest unit of a currency, as a price.
pub(super) fn smallest(plan: &Plan) -> Price {
    Price::from_micros(Price::UNIT / 10_i64.pow(plan.file.currency.decimals()))
}

/// Prices a visit by a scheme.
pub(super) fn price_visit<'p>(
    plan: &'p Plan,
    scheme: &'p SchemePlan,
    asked: Asked<'_>,
) -> Result<Priced<'p>, PriceError> {
    let Asked { days, kind, courses, bounds, used, alike } = asked;
    let mut axis = Axis::new(plan, scheme, days, kind, courses);
    let mut walk = Walk::new(&mut axis, bounds)?;
    let mut till = Till::new(scheme, &used.at_entry(plan, &walk));
    let mut again = Vec::new();
    if let Some(price) = scheme.flat {
        flat(&mut walk, &mut till, price)?;
    } else {
        again = drive(&mut walk, &mut till, alike)?;
    }
    let first_day = walk.first_day;
    let used = till.used().into_iter();
    let used = used.map(|(cap, period, used)| (cap, period + first_period(scheme, cap, first_day), used)).collect();
    let items = till.items;
    let total = sum(&items, &again)?;
    let mut priced = Priced { plan, scheme, items, again, used, total };
    priced.finish(bounds)?;
    Ok(priced)
}

/// One price for the visit: at its entry, or at the end of free time that is deducted.
fn flat(walk: &mut Walk<'_, '_>, till: &mut Till<'_>, price: Price) -> Result<(), PriceError> {
    let (end, mut from) = (walk.bounds.end, walk.state.at);
    if let Some(free) = walk.bounds.free.filter(|free| free.when_exceeded == Exceeded::Deducted) {
        from = walk.free_until(&free, from)?;
    }
    if from >= end {
        return Ok(());
    }
    walk.state.at = from;
    let place = Place { marks: walk.marks_at(from), ..walk.place_of(0, 0) };
    till.take(&Run { what: What::Visit, place, from, to: end, count: 1, price: price.into() })?;
    till.finish()
}

impl Priced<'_> {
    fn push(&mut self, kind: Kind, bounds: Bounds, amount: Exact) -> Result<(), PriceError> {
        let (from, to) = (bounds.anchor, bounds.end);
        self.items.push(Item { kind, from, to, count: 1, price: amount, amount });
        self.total = self.total.plus(amount)?;
        Ok(())
    }

    /// Minimum, maximum and rounding of the whole.
    fn finish(&mut self, bounds: Bounds) -> Result<(), PriceError> {
        if self.total.is_negative() {
            self.push(Kind::NotBelowZero, bounds, self.total.negated())?;
        }
        if let Some(minimum) = self.scheme.minimum.filter(|_| self.total.is_positive()) {
            let more = Exact::from(minimum).minus(self.total)?;
            if more.is_positive() {
                self.push(Kind::Minimum, bounds, more)?;
            }
        }
        if let Some(maximum) = self.scheme.maximum {
            let less = Exact::from(maximum).minus(self.total)?;
            if less.is_negative() {
                self.push(Kind::Maximum, bounds, less)?;
            }
        }
        let rounding = self.scheme.rounding;
        let mut rounded = self.total;
        if rounding.at == RoundAt::Total {
            rounded = rounded.rounded(rounding.to, rounding.direction)?;
        }
        // Prices may have more places than the currency; a fee never has.
        rounded = rounded.rounded(smallest(self.plan), Direction::HalfUp)?;
        let more = rounded.minus(self.total)?;
        if !more.is_zero() {
            self.push(Kind::Rounding, bounds, more)?;
        }
        Ok(())
    }
}
