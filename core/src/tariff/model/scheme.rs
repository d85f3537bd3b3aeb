//! Schemes: complete ways to price a stay, with their caps, surcharges and rounding.
//! It must not know in which order these work; docs/tariffs.md states it and the engine does it.

use super::{DayClass, Percent, Price, Rate, Selectors, Span, TimeWindow};
use crate::words::Words;

/// One complete way to price a stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// Unique in the file; `standard` for the keys at the top.
    pub name: String,
    /// What the driver reads, when the file says it.
    pub text: Option<Words>,
    /// The line of the file on which it begins; 0 when it is from no file.
    pub line: u32,
    /// For which stays it may be taken.
    pub conditions: Conditions,
    /// One price for the visit instead of rates.
    pub flat: Option<Price>,
    /// Free time.
    pub free: Option<Free>,
    /// What begins again and when; `None`: the visit is one cycle.
    pub cycle: Option<Cycle>,
    /// From where the steps of a rate count.
    pub counting: Counting,
    /// What a window's boundary does to a unit that straddles it.
    pub boundary: Boundary,
    /// Prices by time; empty when `flat` is given.
    pub rates: Vec<Rate>,
    /// At most so much.
    pub caps: Vec<Cap>,
    /// Surcharges and discounts, in the order of the file.
    pub adjusts: Vec<Adjust>,
    /// At least so much for a visit that is not free.
    pub minimum: Option<Price>,
    /// At most so much for a visit.
    pub maximum: Option<Price>,
    /// How amounts become whole smallest units of currency.
    pub rounding: Rounding,
}

/// For which stays a scheme may be taken; an empty list or `None` means any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    /// Any of these kinds of vehicle.
    pub vehicles: Vec<String>,
    /// The car is, or comes to stand, in one of these areas.
    pub areas: Vec<String>,
    /// The entry is in one of these windows.
    pub entered: Vec<TimeWindow>,
    /// The exit is in one of these windows.
    pub left: Vec<TimeWindow>,
    /// The entry's date is of one of these classes.
    pub days: Vec<DayClass>,
    /// The entry's date is in one of these seasons.
    pub seasons: Vec<String>,
    /// The whole stay is at least this long.
    pub at_least: Option<Span>,
    /// The whole stay is at most this long.
    pub at_most: Option<Span>,
}

/// Free time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Free {
    /// How much.
    pub time: Span,
    /// Whether a stay of exactly this long is free.
    pub ends: FreeEnds,
    /// What a longer stay keeps of it.
    pub when_exceeded: Exceeded,
    /// How often there is some.
    pub again: Again,
    /// What is measured.
    pub measured: Measured,
    /// Where there is some.
    pub areas: FreeAreas,
}

/// Whether a stay of exactly the free time is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreeEnds {
    /// It is.
    Included,
    /// It is not: 'under 15 minutes'.
    Excluded,
}

/// What a stay that is longer than the free time keeps of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exceeded {
    /// Nothing: charged from the beginning.
    Lost,
    /// All: charged from the end of the free time, and steps count from there.
    Deducted,
}

/// How often there is free time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Once in a visit.
    Never,
    /// In each cycle.
    EachCycle,
}

/// What is compared with the free time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// The stay from its beginning.
    Stay,
    /// The same without the windows whose clock stops.
    ChargedTime,
}

/// Where there is free time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreeAreas {
    /// Only for the scheme of the place of entry.
    Entry,
    /// This scheme has its own, from when the car came into its area.
    Each,
}

/// What begins again and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycle {
    /// How long one is.
    pub every: CycleLength,
    /// What a new one does.
    pub next: Next,
}

/// How long a cycle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CycleLength {
    /// So long, from entry.
    Span(Span),
    /// The tariff's day; it begins so many seconds after midnight (0 to 86,399), and the first begins at the entry.
    CalendarDay {
        /// Seconds after midnight.
        starts: u32,
    },
}

/// What a new cycle does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Units end, steps begin with the first, windows come anew: as a visit of its own.
    Restart,
    /// Steps and units run on; only what is counted by cycle begins again.
    Continue,
}

/// From where the steps of a rate count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// All charged time since the cycle began, at whatever rate.
    Visit,
    /// The time charged at this very rate since the cycle began.
    Rate,
    /// The time charged at this rate since its window came.
    Window,
}

/// What a window's boundary does to a unit that straddles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// The unit ends there and a new one begins.
    Restart,
    /// The rate at the unit's beginning prices the whole of it.
    Start,
    /// The rate at the unit's end prices it.
    End,
    /// Each rate takes its share of its own unit price.
    Split,
}

/// At most so much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// What the driver reads, when the file says it.
    pub text: Option<Words>,
    /// The line of the file on which it begins; 0 when it is from no file.
    pub line: u32,
    /// At most this much.
    pub max: Price,
    /// For each of these.
    pub per: CapPer,
    /// Only what these rates of the scheme charge; empty: all.
    pub rates: Vec<String>,
    /// Only for these; `time` is always empty here.
    pub selectors: Selectors,
    /// Only on these days of the visit.
    pub day_numbers: Option<DayNumbers>,
    /// Whose visits share it.
    pub visits: Visits,
}

/// What a cap is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapPer {
    /// The whole visit.
    Visit,
    /// Each 24 hours from entry.
    Day24h,
    /// Each of the tariff's days, from midnight or where the cycle's calendar day begins.
    CalendarDay,
    /// Each time a window comes.
    Window,
}

/// Days of a visit by their number; the first is 1, counted by the cap's `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayNumbers {
    /// From this one.
    pub first: u32,
    /// To this one; `None`: and all that follow.
    pub last: Option<u32>,
}

/// Whose visits share a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visits {
    /// Each visit has its own.
    Each,
    /// All visits of one vehicle share it.
    Together,
}

/// A surcharge or discount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjust {
    /// What the driver reads, when the file says it.
    pub text: Option<Words>,
    /// The line of the file on which it begins; 0 when it is from no file.
    pub line: u32,
    /// How much.
    pub by: AdjustBy,
    /// Only what these rates charge; empty: all.
    pub rates: Vec<String>,
    /// Only for these.
    pub selectors: Selectors,
    /// Before or after the caps.
    pub applied: Applied,
}

/// How much a surcharge or discount is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustBy {
    /// Of what the selected units cost.
    Percent(Percent),
    /// Once for a visit in which anything is selected and charged; never below zero in all.
    Amount(Price),
}

/// When a surcharge or discount works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// On what the units cost.
    BeforeCaps,
    /// On what the caps left.
    AfterCaps,
}

/// How amounts become whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounding {
    /// To a multiple of this, itself a multiple of the currency's smallest unit.
    pub to: Price,
    /// Which way.
    pub direction: Direction,
    /// What is rounded.
    pub at: RoundAt,
}

/// Which way to round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
    /// To the nearest; a half away from zero.
    HalfUp,
    /// To the nearest; a half to the even multiple.
    HalfEven,
}

/// What is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundAt {
    /// Each unit.
    Unit,
    /// Each line.
    Line,
    /// The sum of each cycle.
    Cycle,
    /// The fee.
    Total,
}
