//! A priced stay as programs read it: the same JSON from `tollhouse quote --json` and `POST /api/v1/tariffs/quote`.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use tollhouse_core::money::Money;
use tollhouse_core::tariff::{FeeLine, Owed};
use tollhouse_core::words::Words;
use utoipa::ToSchema;

/// What a stay costs, line by line.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuoteAnswer {
    /// Which version of which tariff: `id@version`, the one in force at the entry.
    #[schema(examples("harbour-garage@2026-01"))]
    pub tariff: String,
    /// ISO 4217.
    #[schema(examples("CNY"))]
    pub currency: &'static str,
    /// What the visit costs in all: the sum of the lines.
    #[schema(examples("10.00"))]
    pub fee: String,
    /// What has been paid of it.
    #[schema(examples("0.00"))]
    pub paid: String,
    /// What is still due.
    #[schema(examples("10.00"))]
    pub due: String,
    /// Paid early: out by then, or more is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave_by: Option<String>,
    /// Line by line; the amounts sum to the fee.
    pub lines: Vec<QuoteLine>,
}

/// One line of a fee.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuoteLine {
    /// The words for it.
    pub text: Text,
    /// Which rule of the tariff.
    #[schema(examples("hourly"))]
    pub rule: String,
    /// From when, RFC 3339 with the tariff's offset.
    pub from: String,
    /// To when.
    pub to: String,
    /// How many units.
    #[schema(examples("2"))]
    pub quantity: String,
    /// What one costs: may have more places than the currency.
    #[schema(examples("5.00"))]
    pub unit_price: String,
    /// What the line comes to; negative for a reduction.
    #[schema(examples("10.00"))]
    pub amount: String,
}

/// The same words in both languages.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Text {
    /// 简体中文
    pub zh: String,
    /// English
    pub en: String,
}

impl From<&Words> for Text {
    fn from(words: &Words) -> Self {
        Self { zh: words.zh.clone(), en: words.en.clone() }
    }
}

/// RFC 3339 with the tariff's offset, to the second.
pub fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// A unit price with at least the places that its currency has.
pub fn unit_price(line: &FeeLine) -> String {
    let least = line.amount.currency().decimals();
    let mut price = line.unit_price.normalize();
    if price.scale() < least {
        price.rescale(least);
    }
    price.to_string()
}

impl QuoteLine {
    /// A line in the tariff's local time.
    pub fn new(line: &FeeLine, zone: Tz) -> Self {
        Self {
            text: (&line.text).into(),
            rule: line.rule.clone(),
            from: local(line.from, zone),
            to: local(line.to, zone),
            quantity: line.quantity.normalize().to_string(),
            unit_price: unit_price(line),
            amount: line.amount.amount(),
        }
    }
}

impl QuoteAnswer {
    /// The whole answer.
    pub fn new(owed: &Owed, zone: Tz) -> Self {
        let priced = &owed.assessment;
        Self {
            tariff: priced.tariff.clone(),
            currency: priced.total.currency().code(),
            fee: priced.total.amount(),
            paid: owed.paid.amount(),
            due: owed.due.amount(),
            leave_by: owed.leave_by.map(|at| local(at, zone)),
            lines: priced.lines.iter().map(|line| QuoteLine::new(line, zone)).collect(),
        }
    }
}

/// What a sum is without its currency, signed when it is a change.
pub fn signed(amount: Money) -> String {
    if amount.is_positive() { format!("+{}", amount.amount()) } else { amount.amount() }
}
