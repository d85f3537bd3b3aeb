//! What a temporary stay costs (计费规则): the interface that every tariff fills, and the simple hourly one.
//!
//! Pricing is a pure function of the tariff's version and the stay's facts. Moments are cut to the whole second before
//! anything is measured, so 15:00.900 after entry is still fifteen minutes.

mod check;
mod hourly;
pub mod model;
pub mod parse;

pub use hourly::Hourly;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money, MoneyError};
use crate::plate::VehicleKind;
use crate::words::Words;

/// What a tariff needs to know of a stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StayFacts {
    /// When the car stood at the entry.
    pub entered_at: DateTime<Utc>,
    /// Up to when it is priced: arrival at the exit, or now.
    pub until: DateTime<Utc>,
    /// What kind of vehicle it is.
    pub vehicle: VehicleKind,
}

impl StayFacts {
    /// How long the stay was, in whole seconds; never negative, whatever the clocks said.
    pub fn duration(&self) -> TimeDelta {
        let seconds = self.until.timestamp() - self.entered_at.timestamp();
        TimeDelta::seconds(seconds.max(0))
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
    pub quantity: u32,
    /// What one costs.
    pub unit_price: Money,
    /// What the line comes to; negative for a reduction.
    pub amount: Money,
}

/// A priced stay: the lines sum to the total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The version of the tariff that priced it.
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

/// A tariff.
pub trait Tariff: fmt::Debug + Send + Sync {
    /// Its version, which a stay keeps from entry.
    fn version(&self) -> &str;
    /// Its currency.
    fn currency(&self) -> Currency;
    /// How long after paying early the car may take to the exit.
    fn exit_grace(&self) -> TimeDelta;
    /// What the stay costs, line by line.
    fn price(&self, stay: &StayFacts) -> Result<Assessment, MoneyError>;
}
