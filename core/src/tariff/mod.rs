//! What a temporary stay costs (计费规则): the language of tariff files and the engine that prices by them.
//!
//! Pricing is a pure function of the tariff's versions and the stay's facts. Moments are cut to the whole second (or
//! minute, if the tariff says so) before anything is measured, so 15:00.900 after entry is still fifteen minutes.

mod check;
pub mod curve;
pub mod lint;
pub mod model;
pub mod parse;
pub mod preview;
mod price;
pub mod proof;
mod version;

pub use price::{Owed, Plan, PriceError, TariffBook};
pub use version::TariffVersion;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money, MoneyError};
use crate::plate::Colour;
use crate::words::Words;
use model::{AreaVisit, Calendar, CoveredSpan, EarlierVisit, Payment, Record, WrittenStay};

/// What a tariff needs to know of a stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StayFacts {
    /// When the car stood at the entry.
    pub entered_at: DateTime<Utc>,
    /// Up to when it is priced: arrival at the exit, or now.
    pub until: DateTime<Utc>,
    /// Its plate's colour, which says the kind of vehicle unless it is registered as another.
    pub colour: Colour,
    /// The kind as which it is registered, as the tariff names kinds.
    pub vehicle: Option<String>,
    /// Where it stood, in the order of entry; a later one may lie inside an earlier one and then is where the car is.
    pub areas: Vec<AreaVisit>,
    /// Parts that a pass covers.
    pub covered: Vec<CoveredSpan>,
    /// Visits of the same vehicle before this one.
    pub earlier: Vec<EarlierVisit>,
    /// What was paid during the stay.
    pub payments: Vec<Payment>,
    /// What is known of the entry.
    pub record: Record,
    /// By which version it is priced, as `id@version`; `None`, or one that the book does not have: the one in force at entry.
    pub version: Option<String>,
    /// A calendar that is laid over the tariff's own.
    pub calendar: Option<Arc<Calendar>>,
}

impl StayFacts {
    /// A plain stay.
    pub fn new(entered_at: DateTime<Utc>, until: DateTime<Utc>, colour: Colour) -> Self {
        Self {
            entered_at,
            until,
            colour,
            vehicle: None,
            areas: vec![],
            covered: vec![],
            earlier: vec![],
            payments: vec![],
            record: Record::Known,
            version: None,
            calendar: None,
        }
    }
}

impl From<&WrittenStay> for StayFacts {
    fn from(written: &WrittenStay) -> Self {
        Self {
            vehicle: written.vehicle.clone(),
            areas: written.areas.clone(),
            covered: written.covered.clone(),
            earlier: written.earlier.clone(),
            payments: written.payments.clone(),
            record: written.record,
            calendar: written.calendar.clone().map(Arc::new),
            ..Self::new(written.enter, written.exit, written.colour)
        }
    }
}

/// One line of a fee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeLine {
    /// For the driver.
    pub text: Words,
    /// Which rule of the tariff.
    pub rule: String,
    /// The part of the stay that it prices.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
    /// How many units.
    pub quantity: Decimal,
    /// What one costs, in the fee's currency; it may have more places than the currency.
    pub unit_price: Decimal,
    /// What the line comes to; negative for a reduction.
    pub amount: Money,
}

/// A priced stay: the lines sum to the total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Which prices, as `id@version`: those in force at the entry.
    pub tariff: String,
    /// Line by line.
    pub lines: Vec<FeeLine>,
    /// Their sum.
    pub total: Money,
}

impl Assessment {
    /// Sums the lines.
    pub fn of(tariff: String, lines: Vec<FeeLine>, currency: Currency) -> Result<Self, MoneyError> {
        let total = lines.iter().try_fold(Money::zero(currency), |sum, line| sum.plus(line.amount))?;
        Ok(Self { tariff, lines, total })
    }
}
