//! The picture of a tariff: fee over duration as SVG, in both languages, steps drawn as steps.
//!
//! Owns the drawing. It must not know how a fee comes about: it is handed the changes. No style sheet and no script
//! stand in the picture, so that it shows the same in a page, in a file and under the box's content policy.

mod ask;
mod axis;
mod paint;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use tollhouse_core::money::Currency;
use tollhouse_core::tariff::curve::Curve;
use tollhouse_core::words::Words;

pub use ask::{ChartError, Wanted, picture};
pub use paint::svg;

/// All that a picture shows.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The tariff's name.
    pub name: Words,
    /// Which version of which tariff: `harbour-garage · 2026-01`.
    pub version: String,
    /// The vehicle's kind.
    pub vehicle: Words,
    /// When the car comes in.
    pub entered_at: DateTime<Utc>,
    /// The tariff's zone.
    pub zone: Tz,
    /// What the fee is in.
    pub currency: Currency,
    /// The fee over the duration.
    pub curve: Curve,
    /// Lines that the fee stops at.
    pub caps: Vec<CapLine>,
}

/// A cap, as a line across the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapLine {
    /// How high, in the currency's smallest unit.
    pub minor: i64,
    /// What it is: `每24小时封顶` / `cap per 24 h`.
    pub text: Words,
}

#[cfg(test)]
mod tests;
