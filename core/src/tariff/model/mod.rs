//! A tariff file (计费规则) as plain values: what docs/tariffs.md describes, after parsing and checking.
//!
//! Owns the shapes and their meaning; every default is filled in and every name in here exists. It must not know how a
//! file is read (`parse`), why one is refused (`check`) or what a stay costs (the engine).

mod amount;
mod calendar;
mod example;
mod rate;
mod scheme;
mod time;

pub use amount::{Percent, Price};
pub use calendar::{Calendar, DateRange, DayClass, DayKind, MonthDay, Season};
pub use example::{AreaVisit, CoveredSpan, EarlierVisit, Example, Payment, Record, WrittenStay};
pub use rate::{
    After, Charge, Clock, Offer, Rate, Selectors, SplitAtMidnight, Step, StepEnds, StepPrice, Steps, Units,
};
pub use scheme::{
    Adjust, AdjustBy, Again, Applied, Boundary, Cap, CapPer, Conditions, Counting, Cycle, CycleLength, DayNumbers,
    Direction, Exceeded, Free, FreeAreas, FreeEnds, Measured, Next, RoundAt, Rounding, Scheme, Visits,
};
pub(in crate::tariff) use time::time_of_day;
pub use time::{Span, TimeWindow};

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::money::Currency;
use crate::plate::Colour;
use crate::words::Words;

/// A cap that visits share holds for a day of the tariff, or for 24 hours from an entry: nothing older can count.
const SHARED_CAPS_LOOK_BACK: TimeDelta = TimeDelta::days(2);

/// A whole tariff file, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TariffFile {
    /// Which tariff: the same for all its versions.
    pub id: String,
    /// Names these very prices.
    pub version: String,
    /// What people call it.
    pub name: Words,
    /// What the prices are in.
    pub currency: Currency,
    /// Whose clock on the wall the windows, days and seasons follow.
    pub time_zone: Tz,
    /// Where the prices are published.
    pub source: Option<String>,
    /// From when this version holds; `None`: always.
    pub in_force_from: Option<DateTime<Utc>>,
    /// Which version prices a stay.
    pub version_by: VersionBy,
    /// What becomes of the seconds.
    pub seconds: Seconds,
    /// How long after paying early the car may take to the exit.
    pub exit_grace: Span,
    /// What is owed when the exit grace has run out.
    pub early_payment: EarlyPayment,
    /// Coming back soon; `None`: each visit for itself.
    pub coming_back: Option<ComingBack>,
    /// What a stay without a record of its entry, or without its ticket, costs; `None`: priced by its known entry.
    pub lost_record: Option<LostRecord>,
    /// The kinds of vehicle, the defaults among them.
    pub vehicles: Vec<Vehicle>,
    /// The areas that schemes and rates may name.
    pub areas: Vec<Area>,
    /// Which date is of which class.
    pub calendar: Calendar,
    /// Named parts of the year.
    pub seasons: Vec<Season>,
    /// How one of several schemes is taken.
    pub choose: Choose,
    /// The prices; at least one.
    pub schemes: Vec<Scheme>,
    /// What the checks must hold the tariff to.
    pub claims: Vec<Claim>,
    /// What the linter reports and what it is told to accept.
    pub lint: Lint,
    /// Stays with their fee, which the tariff must meet.
    pub examples: Vec<Example>,
}

impl TariffFile {
    /// How long before a visit another one may have ended that still counts for its price; `None`: none does.
    pub fn looks_back(&self) -> Option<TimeDelta> {
        let shared = self.schemes.iter().flat_map(|scheme| &scheme.caps).any(|cap| cap.visits == Visits::Together);
        let caps = shared.then_some(SHARED_CAPS_LOOK_BACK);
        let back = self.coming_back.map(|rule| TimeDelta::seconds(rule.within.seconds()));
        caps.into_iter().chain(back).max()
    }
}

impl TariffFile {
    /// The kind of vehicle that a plate of this colour means, unless the vehicle is registered as another.
    pub fn vehicle_of(&self, colour: Colour) -> Option<&Vehicle> {
        self.vehicles.iter().find(|vehicle| vehicle.colours.contains(&colour))
    }

    /// The season of that name.
    pub fn season(&self, name: &str) -> Option<&Season> {
        self.seasons.iter().find(|season| season.name == name)
    }
}

/// Which version of a tariff prices a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionBy {
    /// The one in force at the entry.
    Entry,
    /// The one in force at each moment: the stay is cut where the version changes.
    Moment,
}

/// What becomes of the seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seconds {
    /// Everything is measured to the second.
    Count,
    /// Every moment of the stay is cut down to its whole minute first.
    Drop,
}

/// What is owed when the exit grace has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlyPayment {
    /// The fee from entry, less what was paid.
    FromEntry,
    /// The time since the payment as a stay of its own: can be cheated, and the linter says so.
    FromPayment,
}

/// `[return]`: what a visit soon after another is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComingBack {
    /// At most this long after the moment that `since` names, the bound included.
    pub within: Span,
    /// From where `within` is measured.
    pub since: Since,
    /// What the visits are to each other.
    pub counts: Counts,
}

/// From where the time until the return is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// The exit of the visit before.
    Exit,
    /// The entry of the first visit of the chain.
    FirstEntry,
}

/// What a visit soon after another is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// One stay from the first entry on, the time away included, less what was paid.
    FromFirstEntry,
    /// One stay, the time away left out as by a clock that stops, less what was paid.
    WithoutTheTimeAway,
    /// A stay of its own without new free time.
    WithoutFreeTime,
    /// Nothing, up to and including `at_most`; a longer one is a stay of its own.
    Free {
        /// The longest visit that costs nothing.
        at_most: Span,
    },
}

/// `[lost_record]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostRecord {
    /// This much instead of the fee.
    OfTheFee(Price),
    /// This much beside the fee.
    OnTop(Price),
    /// The fee, but at least this much.
    AtLeast(Price),
    /// Priced as a stay of this long that ends now.
    AsIf(Span),
}

/// A kind of vehicle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vehicle {
    /// How the file names it: `small`, `large`, `new_energy`, `motorcycle` or the operator's own.
    pub kind: String,
    /// What people call it.
    pub name: Words,
    /// The plate colours that mean it; no colour means two kinds.
    pub colours: Vec<Colour>,
}

/// An area with prices of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// How the file and the lot name it.
    pub id: String,
    /// What people call it.
    pub name: Words,
}

/// How one of several schemes is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choose {
    /// The one whose conditions hold and include those of every other that holds.
    MostSpecific,
    /// The cheapest of those whose conditions hold; the first in the file among equals.
    Cheapest,
}

/// A promise that the checks hold the tariff to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// A longer stay never costs less.
    NeverDecreasing,
}

/// `[lint]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lint {
    /// Report a boundary at which the fee rises by more than this.
    pub jump: Option<Price>,
    /// Warnings that are known and meant, by their code, with the reason.
    pub accept: BTreeMap<String, String>,
}
