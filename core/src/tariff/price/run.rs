//! Runs: consecutive units that have everything in common, what a line of a fee is made from.
//! It must not know how they were found, nor what caps make of them.

use super::PriceError;
use super::exact::Exact;
use super::plan::{Marks, SchemePlan};
use crate::tariff::model::{RoundAt, Rounding};

/// What was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum What {
    /// Units of a step.
    Units { charge: u16, step: u16 },
    /// A band of a step.
    Band { charge: u16, step: u16 },
    /// A share of a unit that straddles a window's boundary: so many seconds of so many.
    Share { charge: u16, step: u16, part: i64, of: i64 },
    /// A window's price.
    Flat { charge: u16 },
    /// Time that costs nothing.
    Free { charge: u16 },
    /// Time beyond the last step of a charge that holds.
    Held { charge: u16 },
    /// The scheme's one price.
    Visit,
}

impl What {
    /// By which charge of the scheme.
    pub(super) fn charge(self) -> Option<u16> {
        match self {
            Self::Units { charge, .. }
            | Self::Band { charge, .. }
            | Self::Share { charge, .. }
            | Self::Flat { charge }
            | Self::Free { charge }
            | Self::Held { charge } => Some(charge),
            Self::Visit => None,
        }
    }
}

/// Where a run stands: everything by which caps, adjustments and rounding tell runs apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// How often the steps had begun again.
    pub(super) lap: i64,
    /// Which coming of its window; 0: none.
    pub(super) window: u32,
    /// Which cycle.
    pub(super) cycle: u32,
    /// Which selectors of caps and adjustments hold.
    pub(super) marks: Marks,
    /// Which 24 hours from entry, if a cap counts them.
    pub(super) day_24h: i64,
    /// Which 24 hours from the first visit's entry, if a cap counts them.
    pub(super) shared_24h: i64,
    /// Which day of the calendar after that of the entry, if a cap counts them.
    pub(super) calendar_day: i64,
}

/// Consecutive units with everything in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) what: What,
    pub(super) place: Place,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) count: i64,
    pub(super) price: Exact,
}

impl Run {
    /// The rate that charges it.
    pub(super) fn rate(&self, scheme: &SchemePlan) -> Option<u16> {
        self.what.charge().map(|charge| scheme.charges[usize::from(charge)].rate)
    }

    /// What it comes to, rounded where units or lines are.
    pub(super) fn amount(&self, rounding: &Rounding) -> Result<Exact, PriceError> {
        match rounding.at {
            RoundAt::Unit => self.price.rounded(rounding.to, rounding.direction)?.times(self.count),
            RoundAt::Line => self.price.times(self.count)?.rounded(rounding.to, rounding.direction),
            RoundAt::Cycle | RoundAt::Total => self.price.times(self.count),
        }
    }
}

/// Appends a run, as part of the last one if they have everything in common.
pub(super) fn append(runs: &mut Vec<Run>, run: Run) {
    if let Some(last) = runs.last_mut()
        && last.to == run.from
        && last.what == run.what
        && last.place == run.place
        && last.price == run.price
        && !matches!(run.what, What::Share { .. })
    {
        last.to = run.to;
        last.count += run.count;
    } else {
        runs.push(run);
    }
}
