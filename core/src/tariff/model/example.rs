//! Stays as a file writes them: the examples of a tariff, and what `tollhouse quote --stay FILE` reads.
//! It must not know the gate's stays; the engine turns this into its own facts.

use chrono::{DateTime, Utc};

use super::{Calendar, Price};
use crate::money::Money;
use crate::plate::Colour;

/// A stay as a file writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenStay {
    /// When it came.
    pub enter: DateTime<Utc>,
    /// When it left, or up to when it is priced.
    pub exit: DateTime<Utc>,
    /// The kind as which the vehicle is registered.
    pub vehicle: Option<String>,
    /// Its plate's colour, which says the kind when `vehicle` does not; unknown when the file says neither.
    pub colour: Colour,
    /// Where it stood, in the order of entry; a later one may lie inside an earlier one and then is where the car is.
    pub areas: Vec<AreaVisit>,
    /// Visits of the same vehicle before this one, the oldest first.
    pub earlier: Vec<EarlierVisit>,
    /// What was paid during the stay, the oldest first.
    pub payments: Vec<Payment>,
    /// What is known of the entry.
    pub record: Record,
    /// Parts that a pass covers, in order and apart.
    pub covered: Vec<CoveredSpan>,
    /// Dates to lay over the tariff's calendar.
    pub calendar: Option<Calendar>,
}

/// A time in an area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaVisit {
    /// The area's id.
    pub area: String,
    /// When the car came into it.
    pub enter: DateTime<Utc>,
    /// When it left it.
    pub exit: DateTime<Utc>,
}

/// A visit before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlierVisit {
    /// When it came.
    pub enter: DateTime<Utc>,
    /// When it left.
    pub exit: DateTime<Utc>,
    /// What was paid for it; `None`: its whole fee.
    pub paid: Option<Money>,
}

/// A payment during the stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// When.
    pub at: DateTime<Utc>,
    /// How much; `None`: all that was due at that moment.
    pub amount: Option<Money>,
}

/// What is known of the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// The entry is known and the ticket is there.
    Known,
    /// The record of the entry, or the ticket, is lost; `enter` is the best that is known.
    Lost,
}

/// A part of the stay that a pass covers: its start included, its end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoveredSpan {
    /// From here.
    pub from: DateTime<Utc>,
    /// To here.
    pub to: DateTime<Utc>,
}

/// A stay with its fee, which the tariff must meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The line of the file on which it begins; 0 when it is from no file.
    pub line: u32,
    /// Where it is from, or how it is reckoned.
    pub note: Option<String>,
    /// The stay.
    pub stay: WrittenStay,
    /// What the visit costs in all: for a return, less what the visits before it cost.
    pub fee: Money,
    /// What is still owed at the exit, after the payments; checked when given.
    pub due: Option<Money>,
    /// Until when the car may leave without owing more, after its last payment; checked when given.
    pub leave_by: Option<DateTime<Utc>>,
}

impl Price {
    /// The same as money, if it is a whole number of the currency's smallest unit.
    pub fn money(self, currency: crate::money::Currency) -> Option<Money> {
        let per_minor = Self::UNIT / 10_i64.pow(currency.decimals());
        (self.micros() % per_minor == 0).then(|| Money::new(self.micros() / per_minor, currency))
    }
}
