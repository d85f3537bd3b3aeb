//! Stays as a file writes them: the examples of a tariff, and a stay alone.
//! It must not know what they cost.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::fault::{Faults, Place};
use super::forms::{self, NoMoment};
use super::head::{self, COLOUR_FORM, Head, colour};
use super::keys;
use super::reader::{At, Keys};
use super::tree::Node;
use crate::money::{Currency, Money};
use crate::plate::Colour;
use crate::tariff::model::{AreaVisit, CoveredSpan, EarlierVisit, Example, Payment, Record, TariffFile, WrittenStay};

const MOST_IN_A_LIST: usize = 100;
/// Longer than any car stands; it bounds what pricing one stay can cost us.
const MOST_YEARS: i64 = 20;
const MOMENT: &str = "\"2026-03-02 08:00\" (local time) or \"2026-03-02T08:00:00+08:00\"";

/// What a stay is read against.
struct Names<'a> {
    zone: Tz,
    currency: Currency,
    kinds: Vec<&'a str>,
    areas: Vec<&'a str>,
}

fn moment(keys: &Keys<'_>, key: &str, zone: Tz) -> Option<At<DateTime<Utc>>> {
    let text = keys.text(key)?;
    match forms::moment(text.value, zone) {
        Ok(value) => return Some(At { value, place: text.place }),
        Err(NoMoment::Form) => {
            keys.faults.tell(&text.place, format!("{:?} is no moment; write it like {MOMENT}", text.value));
        }
        Err(NoMoment::Skipped) => {
            let message = format!("{:?} does not exist in {zone}: the clock was put forward over it", text.value);
            keys.faults.tell(&text.place, message);
        }
    }
    None
}

fn required_moment(keys: &Keys<'_>, key: &str, zone: Tz) -> Option<At<DateTime<Utc>>> {
    if !keys.has(key) {
        keys.missing(key, MOMENT);
    }
    moment(keys, key, zone)
}

/// Two moments, the second not before the first, and not many years apart.
fn from_to(keys: &Keys<'_>, first: &str, second: &str, zone: Tz) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let from = required_moment(keys, first, zone);
    let to = required_moment(keys, second, zone);
    let (from, to) = (from?, to?);
    if to.value < from.value {
        keys.faults.tell(&to.place, format!("`{second}` is before `{first}`"));
    } else if to.value - from.value > TimeDelta::days(366 * MOST_YEARS) {
        keys.faults.tell(&to.place, format!("a stay of more than {MOST_YEARS} years is not priced"));
    }
    Some((from.value, to.value))
}

fn money(keys: &Keys<'_>, key: &str, currency: Currency) -> Option<Money> {
    let found = keys.read_at(key, forms::MONEY, forms::price)?;
    let money = found.value.money(currency);
    if money.is_none() {
        let places = currency.decimals();
        keys.faults.tell(&found.place, format!("{} has more than the {places} decimals of {currency}", found.value));
    }
    money
}

/// Moments of the stay itself, for what has to lie inside it.
fn inside(keys: &Keys<'_>, key: &str, stay: (DateTime<Utc>, DateTime<Utc>), moments: &[DateTime<Utc>]) {
    if moments.iter().any(|moment| *moment < stay.0 || stay.1 < *moment) {
        keys.faults.tell(&keys.place_at(key), "this lies outside the stay");
    }
}

fn areas(keys: &Keys<'_>, names: &Names<'_>, stay: (DateTime<Utc>, DateTime<Utc>)) -> Vec<AreaVisit> {
    let mut visits: Vec<AreaVisit> = Vec::new();
    let known = match names.areas.join(", ") {
        none if none.is_empty() => "an area of the tariff's [areas]: it has none".to_owned(),
        known => format!("one of {known}"),
    };
    for table in keys.tables("areas", MOST_IN_A_LIST, keys::AREA_VISIT) {
        let area = table.required("area", &known, |text| names.areas.contains(&text).then(|| text.to_owned()));
        let Some((enter, exit)) = from_to(&table, "enter", "exit", names.zone) else { continue };
        inside(&table, "enter", stay, &[enter, exit]);
        if visits.last().is_some_and(|before| enter < before.enter) {
            table.tell("areas stand in the order of their entries");
        }
        if let Some(area) = area {
            visits.push(AreaVisit { area, enter, exit });
        }
    }
    visits
}

fn earlier(keys: &Keys<'_>, names: &Names<'_>, entered: DateTime<Utc>) -> Vec<EarlierVisit> {
    let mut visits: Vec<EarlierVisit> = Vec::new();
    for table in keys.tables("earlier", MOST_IN_A_LIST, keys::EARLIER) {
        let Some((enter, exit)) = from_to(&table, "enter", "exit", names.zone) else { continue };
        if exit > entered || visits.last().is_some_and(|before| enter < before.exit) {
            table.tell("visits stand in their order and end before the next begins");
        }
        visits.push(EarlierVisit { enter, exit, paid: money(&table, "paid", names.currency) });
    }
    visits
}

fn payments(keys: &Keys<'_>, names: &Names<'_>, stay: (DateTime<Utc>, DateTime<Utc>)) -> Vec<Payment> {
    let mut payments: Vec<Payment> = Vec::new();
    for table in keys.tables("payments", MOST_IN_A_LIST, keys::PAYMENT) {
        let Some(at) = required_moment(&table, "at", names.zone) else { continue };
        inside(&table, "at", stay, &[at.value]);
        if payments.last().is_some_and(|before| at.value < before.at) {
            table.tell("payments stand in their order");
        }
        payments.push(Payment { at: at.value, amount: money(&table, "amount", names.currency) });
    }
    payments
}

fn covered(keys: &Keys<'_>, names: &Names<'_>, stay: (DateTime<Utc>, DateTime<Utc>)) -> Vec<CoveredSpan> {
    let mut spans: Vec<CoveredSpan> = Vec::new();
    for table in keys.tables("covered", MOST_IN_A_LIST, keys::COVERED) {
        let Some((from, to)) = from_to(&table, "from", "to", names.zone) else { continue };
        inside(&table, "from", stay, &[from, to]);
        if spans.last().is_some_and(|before| from < before.to) {
            table.tell("what a pass covers stands in order and apart");
        }
        spans.push(CoveredSpan { from, to });
    }
    spans
}

fn stay(keys: &Keys<'_>, names: &Names<'_>) -> Option<WrittenStay> {
    let kinds = names.kinds.join(", ");
    let vehicle =
        keys.read("vehicle", &format!("one of {kinds}"), |text| names.kinds.contains(&text).then(|| text.to_owned()));
    let (enter, exit) = from_to(keys, "enter", "exit", names.zone)?;
    let lost = keys.truth("lost") == Some(true);
    Some(WrittenStay {
        enter,
        exit,
        vehicle,
        colour: keys.read("colour", COLOUR_FORM, colour).unwrap_or(Colour::Unknown),
        areas: areas(keys, names, (enter, exit)),
        earlier: earlier(keys, names, enter),
        payments: payments(keys, names, (enter, exit)),
        record: if lost { Record::Lost } else { Record::Known },
        covered: covered(keys, names, (enter, exit)),
        calendar: head::calendar(keys),
    })
}

/// One `[[example]]`.
pub(super) fn example(keys: &Keys<'_>, head: &Head<'_>) -> Option<Example> {
    let names = Names {
        zone: head.zone,
        currency: head.currency,
        kinds: head.vehicles.iter().map(|vehicle| vehicle.kind.as_str()).collect(),
        areas: head.areas.iter().map(|area| area.id.as_str()).collect(),
    };
    if !keys.has("fee") {
        keys.missing("fee", forms::MONEY);
    }
    let fee = money(keys, "fee", head.currency);
    let due = money(keys, "due", head.currency);
    let leave_by = moment(keys, "leave_by", head.zone).map(|moment| moment.value);
    let note = keys.text("note").map(|text| text.value.to_owned());
    Some(Example { line: keys.line(), note, stay: stay(keys, &names)?, fee: fee?, due, leave_by })
}

/// A moment of the file's head, in its zone.
pub(super) fn head_moment(keys: &Keys<'_>, key: &str, zone: Tz) -> Option<DateTime<Utc>> {
    moment(keys, key, zone).map(|moment| moment.value)
}

/// A file that holds one stay.
pub(super) fn read_alone(root: &Node, tariff: &TariffFile, faults: &Faults<'_>) -> Option<WrittenStay> {
    let names = Names {
        zone: tariff.time_zone,
        currency: tariff.currency,
        kinds: tariff.vehicles.iter().map(|vehicle| vehicle.kind.as_str()).collect(),
        areas: tariff.areas.iter().map(|area| area.id.as_str()).collect(),
    };
    let keys = Keys::open(faults, root, Place { at: 0, path: String::new() }, keys::STAY);
    stay(&keys, &names)
}
