//! A whole stay: what returns, passes and changes of version make of it, part by part, and the fee in lines.
//! It must not know payments of the present visit, but for those of visits before it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::PriceError;
use super::axis::{Course, Presence};
use super::book::Versions;
use super::choose::{FreeTime, Part};
use super::days::Days;
use super::exact::Exact;
use super::lines::{lines, minor, moment};
use super::plan::{Plan, SchemePlan};
use super::returns::{Return, Stretch, returned, stays_before};
use super::shared::{UsedUp, anchor};
use super::skip::Alike;
use super::visit::Priced;
use super::zone::{DAY, LATEST};
use crate::money::{Money, MoneyError};
use crate::tariff::model::{LostRecord, Price, Record, Seconds, VersionBy};
use crate::tariff::{Assessment, FeeLine, StayFacts};
use crate::words::Words;

/// An area's id or none, whether it was away, from, to.
type Whereabouts = (Option<String>, Presence, i64, i64);

/// The longest stay that is priced.
const LONGEST: i64 = 20 * 366 * DAY;

/// What the parts of a stay have in common.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) book: Versions<'a>,
    pub(super) facts: &'a StayFacts,
    /// The version in force at the entry.
    pub(super) plan: &'a Plan,
    pub(super) alike: Alike,
}

/// Seconds since 1970, cut as the tariff says.
pub(super) fn cut(plan: &Plan, at: DateTime<Utc>) -> Result<i64, PriceError> {
    let seconds = at.timestamp();
    if !(0..LATEST).contains(&seconds) {
        return Err(PriceError::OutOfTime);
    }
    Ok(match plan.file.seconds {
        Seconds::Count => seconds,
        Seconds::Drop => seconds - seconds % 60,
    })
}

/// The fee of a stay.
pub(super) fn assess(book: Versions<'_>, facts: &StayFacts, alike: Alike) -> Result<Assessment, PriceError> {
    let plan = book.version(facts.version.as_deref(), facts.entered_at.min(facts.until));
    let terms = Terms { book, facts, plan, alike };
    let until = cut(plan, facts.until)?;
    let entered = cut(plan, facts.entered_at)?.min(until);
    let lost = if facts.record == Record::Lost { plan.file.lost_record } else { None };
    match lost {
        None => terms.known(entered, until),
        Some(LostRecord::AsIf(span)) => terms.known((until - span.seconds()).max(0), until),
        Some(LostRecord::OfTheFee(price)) => {
            let line = terms.lost(price, entered, until)?;
            terms.assessment(vec![line])
        }
        Some(LostRecord::OnTop(price)) => {
            let mut found = terms.known(entered, until)?;
            found.lines.push(terms.lost(price, entered, until)?);
            terms.assessment(found.lines)
        }
        Some(LostRecord::AtLeast(price)) => {
            let mut found = terms.known(entered, until)?;
            let least = terms.money(price)?;
            let more = least.minus(found.total)?;
            if more.is_positive() {
                let words = Words::new(format!("遗失凭证最低{price}"), format!("Lost record: at least {price}"));
                found.lines.push(once("lost_record", words, entered, until, more));
            }
            terms.assessment(found.lines)
        }
    }
}

fn kind_of(plan: &Plan, facts: &StayFacts) -> u16 {
    let registered = facts.vehicle.as_ref().and_then(|kind| plan.kind(kind));
    let by_colour = || plan.file.vehicle_of(facts.colour).and_then(|vehicle| plan.kind(&vehicle.kind));
    registered.or_else(by_colour).unwrap_or(u16::MAX)
}

/// A line that is one amount.
pub(super) fn once(rule: &str, text: Words, from: i64, to: i64, amount: Money) -> FeeLine {
    FeeLine {
        text,
        rule: rule.to_owned(),
        from: moment(from),
        to: moment(to),
        quantity: rust_decimal::Decimal::ONE,
        unit_price: amount.decimal(),
        amount,
    }
}

impl<'a> Terms<'a> {
    pub(super) fn money(&self, price: Price) -> Result<Money, PriceError> {
        let rounded =
            Exact::from(price).rounded(super::visit::smallest(self.plan), crate::tariff::model::Direction::HalfUp)?;
        Ok(Money::new(minor(rounded, self.plan.file.currency)?, self.plan.file.currency))
    }

    fn lost(&self, price: Price, from: i64, to: i64) -> Result<FeeLine, PriceError> {
        let words = Words::new(format!("遗失凭证{price}"), format!("Lost record {price}"));
        Ok(once("lost_record", words, from, to, self.money(price)?))
    }

    pub(super) fn assessment(&self, lines: Vec<FeeLine>) -> Result<Assessment, PriceError> {
        Ok(Assessment::of(self.plan.label.clone(), lines, self.plan.file.currency)?)
    }

    fn known(&self, entered: i64, until: i64) -> Result<Assessment, PriceError> {
        let back = returned(*self, entered, until)?;
        let (from, free) = match &back {
            Return::Joined { from, .. } => (*from, FreeTime::AsGiven),
            Return::Alone(free) => (entered, *free),
            Return::Free => {
                let words = Words::new("短时返场免费", "Back within the time of the return: free");
                let none = Money::zero(self.plan.file.currency);
                return self.assessment(vec![once("return", words, entered, until, none)]);
            }
        };
        if until - from > LONGEST {
            return Err(PriceError::OutOfTime);
        }
        let plan = if from < entered && self.facts.version.is_none() {
            self.book.in_force_at(moment(from))
        } else {
            self.plan
        };
        let terms = Terms { plan, ..*self };
        let away = if let Return::Joined { away, .. } = &back { &away[..] } else { &[] };
        let mut made = terms.visit(from, until, free, away)?;
        if let Return::Joined { paid, .. } = back {
            let sum = terms.assessment(made)?;
            let less = Money::new(paid.minor().min(sum.total.minor()), paid.currency());
            made = sum.lines;
            if less.is_positive() {
                let words = Words::new("前次已付", "Paid for the visits before");
                made.push(once("paid_before", words, from, entered, less.negated()));
            }
        }
        terms.assessment(made)
    }

    /// One visit, after those before it.
    fn visit(&self, from: i64, until: i64, free: FreeTime, away: &[(i64, i64)]) -> Result<Vec<FeeLine>, PriceError> {
        let mut made = Vec::new();
        let present = Stretch { from, until, free, away: away.to_vec() };
        if !self.book.plans.iter().chain([self.plan]).any(|plan| plan.schemes.iter().any(SchemePlan::has_shared_caps)) {
            self.parts(&present, from, UsedUp::default(), |priced| tell(priced, &mut made))?;
            return Ok(made);
        }
        let before = stays_before(*self, from)?;
        let anchor = anchor(before.iter().map(|stay| (stay.from, stay.until)), from);
        let mut used = UsedUp::default();
        for stay in &before {
            used = self.parts(stay, anchor, used, |_| Ok(()))?;
        }
        self.parts(&present, anchor, used, |priced| tell(priced, &mut made))?;
        Ok(made)
    }

    /// The parts of one visit: cut by passes and versions, each priced by itself, but for the caps that visits share.
    fn parts(
        &self,
        stay: &Stretch,
        shared_anchor: i64,
        mut used: UsedUp,
        mut tell: impl FnMut(&[Priced<'_>]) -> Result<(), PriceError>,
    ) -> Result<UsedUp, PriceError> {
        let Stretch { from, until, free, ref away } = *stay;
        let all = self.courses(from, until, away)?;
        let covered = self.covered(from, until)?;
        let mut free = if covered.is_empty() { free } else { FreeTime::Without };
        for (from, until) in outside(from, until, &covered) {
            for (plan, from, until) in self.versions(from, until)? {
                let days = days_of(plan, self.facts)?;
                let whole = free == FreeTime::AsGiven && self.plan.file.version_by == VersionBy::Moment;
                let part = Part {
                    plan,
                    days: &days,
                    kind: kind_of(plan, self.facts),
                    courses: within(&all, from, until, plan),
                    free,
                    whole: whole.then(|| within(&all, stay.from, stay.until, plan)),
                    shared_anchor,
                    used: &used,
                    alike: self.alike,
                };
                let Some(priced) = part.price()? else { return Ok(used) };
                tell(&priced)?;
                for priced in &priced {
                    used.add(priced);
                }
                free = FreeTime::Without;
            }
        }
        Ok(used)
    }

    /// Where the car was from when to when, without gaps.
    fn courses(&self, from: i64, until: i64, away: &[(i64, i64)]) -> Result<Vec<Whereabouts>, PriceError> {
        let mut bounds = vec![from, until];
        let mut visits = Vec::new();
        for visit in &self.facts.areas {
            let (enter, exit) = (cut(self.plan, visit.enter)?, cut(self.plan, visit.exit)?);
            bounds.extend([enter, exit]);
            visits.push((enter, exit, &visit.area));
        }
        bounds.extend(away.iter().flat_map(|(from, to)| [*from, *to]));
        bounds.retain(|bound| (from..=until).contains(bound));
        bounds.sort_unstable();
        bounds.dedup();
        let mut courses: Vec<Whereabouts> = Vec::new();
        for pair in bounds.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            // A later visit may lie inside an earlier one, and then is where the car is.
            let area = visits.iter().rev().find(|(enter, exit, _)| *enter <= from && to <= *exit);
            let area = area.map(|(.., area)| (*area).clone());
            let presence =
                if away.iter().any(|(f, t)| *f <= from && to <= *t) { Presence::Away } else { Presence::Here };
            match courses.last_mut() {
                Some(last) if (&last.0, last.1) == (&area, presence) => last.3 = to,
                _ => courses.push((area, presence, from, to)),
            }
        }
        Ok(courses)
    }

    fn covered(&self, from: i64, until: i64) -> Result<Vec<(i64, i64)>, PriceError> {
        let mut covered = Vec::new();
        for span in &self.facts.covered {
            let (begins, ends) = (cut(self.plan, span.from)?.max(from), cut(self.plan, span.to)?.min(until));
            if begins < ends {
                covered.push((begins, ends));
            }
        }
        covered.sort_unstable();
        Ok(covered)
    }

    /// The versions that price a time, each with its part of it.
    fn versions(&self, from: i64, until: i64) -> Result<Vec<(&'a Plan, i64, i64)>, PriceError> {
        if self.plan.file.version_by == VersionBy::Entry {
            return Ok(vec![(self.plan, from, until)]);
        }
        let mut parts = Vec::new();
        let mut begins = from;
        for plan in self.book.plans {
            let Some(change) = plan.file.in_force_from else { continue };
            let change = cut(self.plan, change)?;
            // Before the first version the first one holds already: nothing changes where it begins.
            let changes = self.book.in_force_at(moment(begins)).label != plan.label;
            if changes && begins < change && change < until {
                parts.push((self.book.in_force_at(moment(begins)), begins, change));
                begins = change;
            }
        }
        parts.push((self.book.in_force_at(moment(begins)), begins, until));
        Ok(parts)
    }
}

/// The calendar of a plan, with the one that is laid over it.
pub(super) fn days_of<'p>(plan: &'p Plan, facts: &StayFacts) -> Result<Cow<'p, Days>, PriceError> {
    match &facts.calendar {
        None => Ok(Cow::Borrowed(&plan.days)),
        Some(laid_over) => {
            let whole = plan.file.calendar.overlaid_with(laid_over);
            Ok(Cow::Owned(Days::of(&whole, &plan.file.seasons)?))
        }
    }
}

fn outside(from: i64, until: i64, covered: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut open = Vec::new();
    let mut begins = from;
    for (covers, ends) in covered {
        if begins < *covers {
            open.push((begins, *covers));
        }
        begins = begins.max(*ends);
    }
    if begins < until {
        open.push((begins, until));
    }
    open
}

fn within(courses: &[Whereabouts], from: i64, until: i64, plan: &Plan) -> Vec<Course> {
    let cut = courses.iter().map(|(area, presence, begins, ends)| Course {
        from: (*begins).max(from),
        to: (*ends).min(until),
        area: area.as_ref().and_then(|area| plan.area(area)),
        presence: *presence,
    });
    cut.filter(|course| course.from < course.to).collect()
}

fn tell(priced: &[Priced<'_>], made: &mut Vec<FeeLine>) -> Result<(), PriceError> {
    for priced in priced {
        made.extend(lines(priced)?);
    }
    Ok(())
}

impl From<MoneyError> for PriceError {
    fn from(_: MoneyError) -> Self {
        Self::TooLarge
    }
}
