//! Steps as positions: which step further time belongs to, how far it reaches, and what a band adds.
//! It must not know windows, cycles or the stay: a position is given, whoever counted it.

use super::PriceError;
use super::exact::Exact;
use crate::tariff::model::{After, Price, Span, StepEnds, StepPrice, Steps, Units};

/// Steps, ready.
#[derive(Debug, Clone)]
pub(super) struct StepsPlan {
    steps: Vec<StepPlan>,
    /// Where the last step ends.
    length: i64,
    after: After,
    pub(super) ends: StepEnds,
}

#[derive(Debug, Clone, Copy)]
struct StepPlan {
    begin: i64,
    end: i64,
    price: Each,
}

/// What a step charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Each {
    /// By units.
    Unit { per: i64, price: Price, units: Units, tolerance: i64 },
    /// Once, when it is entered.
    Band(Exact),
    /// Nothing any more.
    Nothing,
}

/// Where a position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// How often the steps have begun again.
    pub(super) lap: i64,
    /// Which step.
    pub(super) step: u16,
    /// The position at which it ends.
    pub(super) end: i64,
    /// What it charges.
    pub(super) each: Each,
}

pub(super) const ENDLESS: i64 = i64::MAX / 4;

impl StepsPlan {
    pub(super) fn of(from: &Steps) -> Result<Self, PriceError> {
        let (mut begin, mut so_far) = (0, Exact::ZERO);
        let mut steps = Vec::new();
        for step in &from.steps {
            let end = step.until.map_or(ENDLESS, Span::seconds);
            let price = match step.price {
                StepPrice::Units { per, price, units, tolerance } => {
                    let per = per.seconds().max(1);
                    if end < ENDLESS {
                        so_far = so_far.plus(Exact::from(price).times((end - begin) / per)?)?;
                    }
                    Each::Unit { per, price, units, tolerance: tolerance.seconds() }
                }
                StepPrice::Total(total) => {
                    let more = Exact::from(total).minus(so_far)?;
                    so_far = total.into();
                    Each::Band(more)
                }
            };
            steps.push(StepPlan { begin, end, price });
            begin = end;
        }
        if steps.is_empty() {
            return Err(PriceError::NoSteps);
        }
        Ok(Self { steps, length: begin, after: from.after, ends: from.ends })
    }

    fn last(&self) -> (u16, StepPlan) {
        let place = self.steps.len() - 1;
        (u16::try_from(place).expect("bounded by the file's checks"), self.steps[place])
    }

    /// Where a unit stands that begins at this position.
    pub(super) fn place(&self, position: i64) -> Place {
        if position < self.length {
            return self.within(position, 0);
        }
        let (step, last) = self.last();
        let beyond = position - self.length;
        match self.after {
            After::Restart => self.within(beyond % self.length, position - beyond % self.length),
            After::Continue => {
                let span = last.end - last.begin;
                let lap = beyond / span + 1;
                Place { lap, step, end: self.length + lap * span, each: last.price }
            }
            After::Endless | After::CycleEnds | After::Hold => {
                Place { lap: 1, step, end: ENDLESS, each: Each::Nothing }
            }
        }
    }

    fn within(&self, position: i64, lap_begins: i64) -> Place {
        let step = self.steps.iter().position(|step| position < step.end).expect("the position is within the length");
        let found = self.steps[step];
        let end = if found.end == ENDLESS { ENDLESS } else { found.end + lap_begins };
        let step = u16::try_from(step).expect("bounded by the file's checks");
        Place { lap: lap_begins / self.length.max(1), step, end, each: found.price }
    }

    /// Whether a step ends exactly here.
    pub(super) fn ends_at(&self, position: i64) -> Ends {
        let here = position > 0 && self.place(position - 1).end == position;
        if here { Ends::Here } else { Ends::Elsewhere }
    }

    /// A position from which everything goes on as from this one: what makes two days alike.
    pub(super) fn alike(&self, position: i64) -> i64 {
        let (_, last) = self.last();
        if position <= last.begin {
            return position;
        }
        if self.length == ENDLESS {
            return last.begin + 1;
        }
        match self.after {
            _ if position <= self.length => position,
            After::Restart => self.length + position % self.length,
            After::Continue => self.length + (position - self.length) % (last.end - last.begin),
            After::Endless | After::CycleEnds | After::Hold => self.length + 1,
        }
    }
}

/// Whether a step ends at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// It does.
    Here,
    /// None does.
    Elsewhere,
}
