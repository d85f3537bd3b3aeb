//! Rates: which time they are for and what they charge for it.
//! It must not know how two rates that hold at once are told apart; that is the engine's, and the checks'.

use super::{DayClass, Price, Span, TimeWindow};
use crate::words::Words;

/// For which time, vehicles and places something holds. An empty list means any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selectors {
    /// Any of these classes of days.
    pub days: Vec<DayClass>,
    /// Any of these windows; each comes once a day.
    pub time: Vec<TimeWindow>,
    /// Any of these seasons.
    pub seasons: Vec<String>,
    /// Any of these kinds of vehicle.
    pub vehicles: Vec<String>,
    /// Any of these areas; a place in no area is none of them.
    pub areas: Vec<String>,
    /// To which day the part of a window behind midnight belongs.
    pub split_at_midnight: SplitAtMidnight,
}

/// To which day the part of a window behind midnight belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SplitAtMidnight {
    /// To the day on which the window begins: Friday's night lasts until Saturday's morning.
    #[default]
    No,
    /// To its own date: days and seasons are asked anew at midnight. The window still comes once.
    Yes,
}

/// One price by time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// What caps and surcharges call it: unique within its scheme; `rate-1`, `rate-2`, ... when the file gives none.
    pub name: String,
    /// What the driver reads, when the file says it.
    pub text: Option<Words>,
    /// The line of the file on which it begins; 0 when it is from no file.
    pub line: u32,
    /// The time for which it may be taken.
    pub selectors: Selectors,
    /// What that time costs.
    pub charge: Charge,
    /// At least this much each time its window comes and is touched.
    pub min: Option<Price>,
    /// At most this much each time its window comes.
    pub max: Option<Price>,
}

/// What a rate charges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charge {
    /// By units and bands. `per` and `price` alone are one step without end.
    Steps(Steps),
    /// Once each time its window comes and more than `tolerance` of it is used.
    Flat {
        /// This much.
        price: Price,
        /// Up to and including this much time costs nothing.
        tolerance: Span,
    },
    /// Nothing.
    Free(Clock),
    /// The cheapest of these for each time the window comes; the first in the file among equals.
    Cheapest(Vec<Offer>),
}

/// One of several prices for a window. Its `charge` is never `Cheapest`, and `Free` only with a clock that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What the driver reads, when the file says it.
    pub text: Option<Words>,
    /// What the window's time costs.
    pub charge: Charge,
    /// At least this much.
    pub min: Option<Price>,
    /// At most this much.
    pub max: Option<Price>,
}

/// Whether free time counts for steps and units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// It counts.
    Runs,
    /// It does not: steps and units pause, and go on behind the window.
    Stops,
}

/// What further time costs. At least one step; only the last may be without `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// In the order of their `until`, which rises strictly.
    pub steps: Vec<Step>,
    /// Whether the moment `until` belongs to its step or to the next.
    pub ends: StepEnds,
    /// What follows the last step.
    pub after: After,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Up to here, measured by the scheme's `counting`; `None`: for ever.
    pub until: Option<Span>,
    /// What it costs.
    pub price: StepPrice,
    /// What the driver reads, when the file says it.
    pub text: Option<Words>,
}

/// What a step costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepPrice {
    /// Each unit so much.
    Units {
        /// The unit's length, not zero. The step's length is a whole number of them.
        per: Span,
        /// What one costs.
        price: Price,
        /// Which units count.
        units: Units,
        /// An unfinished unit counts only past this long; zero unless `units` is `Started`, and less than `per`.
        tolerance: Span,
    },
    /// A band: once it is entered, all time since the first step comes to this much.
    Total(Price),
}

/// Which units count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// Each that was begun.
    Started,
    /// Only those that were used up.
    Full,
}

/// Whether the moment `until` belongs to its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepEnds {
    /// A stay of exactly `until` has not entered the next step.
    Included,
    /// It has: 'under 15 minutes'.
    Excluded,
}

/// What follows the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing can: the last step has no `until`.
    Endless,
    /// Nothing can: the cycle ends no later.
    CycleEnds,
    /// The first step again, as if the count began anew.
    Restart,
    /// The last step once more, and again; a band adds as much again for as long again.
    Continue,
    /// No further charge.
    Hold,
}
