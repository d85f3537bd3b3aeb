//! Asks the engine for a picture: which fee after which duration, and where the caps are.

use chrono::{DateTime, TimeDelta, Utc};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::tariff::curve::Curve;
use tollhouse_core::tariff::model::{Cap, CapPer, Price, Span, TariffFile, WrittenStay};
use tollhouse_core::tariff::{PriceError, StayFacts, parse};
use tollhouse_core::words::Words;

use super::{CapLine, Picture};
use crate::quote::local;
use crate::tariffs::Tariffs;

/// The longest picture: a month.
const MOST_S: i64 = 31 * 86_400;
/// So many fees are asked at first; each change is then looked for to the second.
const SAMPLES: i64 = 2_880;

/// What is to be drawn, as it was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// When the car comes in: RFC 3339 or the tariff's local time; `None`: at `now`.
    pub enter: Option<&'a str>,
    /// The present moment.
    pub now: DateTime<Utc>,
    /// Up to which duration, as a span.
    pub to: &'a str,
    /// The kind of vehicle.
    pub vehicle: &'a str,
}

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// Entry or vehicle are wrong.
    #[error("{0}")]
    Stay(String),
    /// The span is none, or too long.
    #[error("{0:?} is no duration for a picture; write it like \"48h\" or \"3d\", at most 31d")]
    Span(String),
    /// The tariff cannot price it.
    #[error("the stay cannot be priced: {0}")]
    Price(#[from] PriceError),
}

/// The picture that was asked for.
pub fn picture(tariffs: &Tariffs, wanted: &Wanted<'_>) -> Result<Picture, ChartError> {
    let newest = &tariffs.versions.last().expect("a book has a version").file;
    // To the minute, as people draw time.
    let now = local(wanted.now - TimeDelta::seconds(wanted.now.timestamp().rem_euclid(60)), newest.time_zone);
    let enter = wanted.enter.unwrap_or(&now);
    let text = serde_json::json!({ "enter": enter, "exit": enter, "vehicle": wanted.vehicle });
    let stay = parse::parse_stay(&text.to_string(), newest).map_err(|faults| {
        let messages = faults.iter().map(|fault| format!("{}: {}", fault.path, fault.message));
        ChartError::Stay(messages.collect::<Vec<_>>().join("; "))
    })?;
    let span = Span::parse(wanted.to).map(Span::seconds).filter(|seconds| (60..=MOST_S).contains(seconds));
    let most_s = span.ok_or_else(|| ChartError::Span(wanted.to.chars().take(40).collect()))?;
    let plan = tariffs.book.in_force_at(stay.enter);
    let file = plan.file();
    let fee = |seconds: i64| {
        let exit = stay.enter + TimeDelta::seconds(seconds);
        let facts = StayFacts::from(&WrittenStay { exit, ..stay.clone() });
        tariffs.book.price(&facts).map(|priced| priced.total.minor())
    };
    let curve = Curve::of(most_s, (most_s / SAMPLES).max(60), fee)?;
    let kind = file.vehicles.iter().find(|vehicle| vehicle.kind == wanted.vehicle);
    Ok(Picture {
        name: file.name.clone(),
        version: plan.label().to_owned(),
        vehicle: kind.map_or_else(|| Words::new(wanted.vehicle, wanted.vehicle), |vehicle| vehicle.name.clone()),
        entered_at: stay.enter,
        zone: file.time_zone,
        currency: file.currency,
        caps: caps(file, wanted.vehicle),
        curve,
    })
}

/// The caps that hold for all that a vehicle pays; narrower ones have no line of their own in the picture.
fn caps(file: &TariffFile, vehicle: &str) -> Vec<CapLine> {
    let of = |list: &[String]| list.is_empty() || list.iter().any(|kind| kind == vehicle);
    let schemes = file.schemes.iter().filter(|scheme| of(&scheme.conditions.vehicles));
    let wide = |cap: &&Cap| cap.rates.is_empty() && cap.day_numbers.is_none() && of(&cap.selectors.vehicles);
    let caps = schemes.flat_map(|scheme| scheme.caps.iter().filter(wide));
    caps.filter_map(|cap| {
        let text = cap.text.clone().unwrap_or_else(|| match cap.per {
            CapPer::Visit => Words::new("每次封顶", "cap per visit"),
            CapPer::Day24h => Words::new("每24小时封顶", "cap per 24 h"),
            CapPer::CalendarDay => Words::new("每日封顶", "cap per day"),
            CapPer::Window => Words::new("每时段封顶", "cap per window"),
        });
        let max: Money = money(cap.max, file.currency)?;
        Some(CapLine { minor: max.minor(), text })
    })
    .collect()
}

fn money(price: Price, currency: Currency) -> Option<Money> {
    price.money(currency)
}
