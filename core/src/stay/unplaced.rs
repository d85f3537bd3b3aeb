//! The parts of a stay for which its card had no place (一位多车): why, whether they are charged, and how the bill says so.
//!
//! Who has a place is decided where the card's cars are (`charging::cards::Cover`); here it is taken note of. It must not
//! know what a part costs.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Stay;
use crate::money::Money;
use crate::plate::Plate;
use crate::record::Change;
use crate::tariff::FeeLine;
use crate::tariff::model::CoveredSpan;
use crate::words::Words;

/// The rule under which a bill's line tells of a part without a place.
const RULE: &str = "card.places";

/// A part of a stay for which its card had no place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unplaced {
    /// Since when.
    pub from: DateTime<Utc>,
    /// Until when; none: it has none yet, or never had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Whether it is charged.
    pub charged: Charged,
    /// Why it had a place from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
}

/// Whether time without a place is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Charged {
    /// As temporary parking.
    Yes,
    /// The lot admits it free of charge.
    No,
}

/// Why a car's cover changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// That car passed out.
    Left(Plate),
    /// The card has more or fewer places.
    Places(u32),
}

impl Unplaced {
    /// Marks in a change that writes it what in it identifies people.
    pub fn personal(&self, change: &mut Change) {
        if let Some(Because::Left(plate)) = &self.because {
            change.personal(plate.as_str());
        }
    }

    /// From when to when it is charged, up to a moment; `None`: not at all.
    fn charged_span(&self, until: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let ends = self.until.map_or(until, |ends| ends.min(until));
        (self.charged == Charged::Yes && self.from < ends).then_some((self.from, ends))
    }
}

impl Stay {
    /// Whether time of it costs something because its card had no place for it.
    pub fn is_charged_for_places(&self) -> bool {
        self.unplaced.iter().any(|part| part.charged == Charged::Yes && part.until != Some(part.from))
    }

    /// The spans without what is charged for want of a place. They rise and do not overlap, nor do the parts.
    pub(super) fn without_unplaced(&self, spans: Vec<CoveredSpan>, until: DateTime<Utc>) -> Vec<CoveredSpan> {
        let cuts = self.unplaced.iter().filter_map(|part| part.charged_span(until));
        cuts.fold(spans, |spans, (from, to)| {
            let around = |span: CoveredSpan| {
                let before = CoveredSpan { from: span.from, to: span.to.min(from) };
                let after = CoveredSpan { from: span.from.max(to), to: span.to };
                [before, after].into_iter().filter(|span| span.from < span.to)
            };
            spans.into_iter().flat_map(around).collect()
        })
    }

    /// Says on a bill, line by line, why time of a card's car was charged, and from when on it had a place.
    pub fn tell_of_places(&self, lines: &mut Vec<FeeLine>, until: DateTime<Utc>, zone: Tz, zero: Money) {
        for part in &self.unplaced {
            let Some((from, to)) = part.charged_span(until) else { continue };
            let line = FeeLine {
                text: words(part, (from, to), until, zone),
                rule: RULE.into(),
                from,
                to,
                quantity: Decimal::ONE,
                unit_price: Decimal::ZERO,
                amount: zero,
            };
            let place = lines.iter().position(|other| other.from >= from).unwrap_or(lines.len());
            lines.insert(place, line);
        }
    }
}

fn words(part: &Unplaced, (from, to): (DateTime<Utc>, DateTime<Utc>), until: DateTime<Utc>, zone: Tz) -> Words {
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).format("%m-%d %H:%M").to_string();
    let (from, to) = (local(from), local(to));
    match part.until.filter(|ends| *ends <= until) {
        Some(_) => Words::new(
            format!("{from} 至 {to} 月卡车位已占满，按临停计费；{to} 起由月卡车位覆盖"),
            format!(
                "{from} to {to}: the places of your card were taken, charged as temporary parking; covered from {to} on"
            ),
        ),
        None => Words::new(
            format!("{from} 起月卡车位已占满，按临停计费"),
            format!("From {from} on the places of your card were taken, charged as temporary parking"),
        ),
    }
}
