//! A change of tariff held against real stays: who pays more, who less, how much in all. The same for `tollhouse tariff
//! preview` and for the console's draft.
//!
//! Owns the question and its answer as programs read it. Pricing is core's; where the stays come from is the asker's.

use serde_json::{Map, Value, json};
use tollhouse_core::money::Money;
use tollhouse_core::tariff::StayFacts;
use tollhouse_core::tariff::preview::{Changed, Pays, Preview, PreviewError, Sums, preview};

use crate::quote::local;
use crate::tariffs::Tariffs;

/// Prices every stay by both; `step` is told after each.
pub fn compare(
    old: &Tariffs,
    new: &Tariffs,
    stays: &[StayFacts],
    mut step: impl FnMut(),
) -> Result<Preview, PreviewError> {
    let currencies = (old.book.currency(), new.book.currency());
    let facts = stays.iter().map(|stay| {
        step();
        (stay, kind(stay, new))
    });
    preview(&old.book, &new.book, currencies, facts)
}

/// The kind of vehicle, as the new tariff calls it.
pub fn kind(stay: &StayFacts, new: &Tariffs) -> String {
    let by_colour = || new.versions[0].file.vehicle_of(stay.colour).map(|vehicle| vehicle.kind.clone());
    stay.vehicle.clone().or_else(by_colour).unwrap_or_else(|| "?".to_owned())
}

/// How much more comes in.
pub fn difference(sums: &Sums) -> Money {
    sums.difference().unwrap_or(sums.new)
}

/// The word for who pays how.
pub fn word(pays: Pays) -> &'static str {
    match pays {
        Pays::More => "more",
        Pays::Less => "less",
        Pays::Same => "same",
    }
}

/// The whole answer.
pub fn json(found: &Preview, stays: &[StayFacts], new: &Tariffs) -> Value {
    let zone = new.versions[0].file.time_zone;
    let sums = |sums: &Sums| {
        json!({ "stays": sums.stays, "old": sums.old.amount(), "new": sums.new.amount(),
                "difference": difference(sums).amount() })
    };
    let changed = |one: &Changed| {
        let stay = &stays[one.place];
        json!({ "enter": local(stay.entered_at, zone), "exit": local(stay.until, zone), "vehicle": kind(stay, new),
                "old": one.old.amount(), "new": one.new.amount() })
    };
    let money = |minor| Money::new(minor, found.all.new.currency()).amount();
    let buckets = found
        .distribution
        .iter()
        .map(|bucket| json!({ "from": money(bucket.from), "to": money(bucket.to - 1), "stays": bucket.stays }));
    let durations = found.durations.iter().map(|(hours, of)| {
        let mut answer = sums(of);
        answer["up_to_hours"] = json!(hours);
        answer
    });
    json!({
        "currency": found.all.new.currency().code(),
        "all": sums(&found.all),
        "pays": found.pays.iter().map(|(pays, of)| (word(*pays).to_owned(), sums(of))).collect::<Map<_, _>>(),
        "vehicles": found.vehicles.iter().map(|(kind, of)| (kind.clone(), sums(of))).collect::<Map<_, _>>(),
        "durations": durations.collect::<Vec<_>>(),
        "distribution": buckets.collect::<Vec<_>>(),
        "rises": found.rises.iter().map(changed).collect::<Vec<_>>(),
        "falls": found.falls.iter().map(changed).collect::<Vec<_>>(),
        "unpriced": found.unpriced,
        "why_unpriced": found.why_unpriced,
    })
}
