//! `[charging]`: what is left to the lot to decide about property charging. Every key may be left out.

use rust_decimal::Decimal;
use tollhouse_core::charging::cards::MorePolicy;
use tollhouse_core::charging::fees::{Alignment, LateFeeRule};
use tollhouse_core::charging::gate::PassGround;
use tollhouse_core::charging::policy::ChargingPolicy;
use tollhouse_core::pass::OverduePolicy;

use super::reader::Document;
use super::sections::one_of;

/// The words of `overdue`.
const OVERDUE: [(&str, OverduePolicy); 3] = [
    ("open_and_warn", OverduePolicy::OpenAndWarn),
    ("charge_as_temporary", OverduePolicy::ChargeAsTemporary),
    ("refuse_entry", OverduePolicy::RefuseEntry),
];
/// The words of `more_cars`.
const MORE_CARS: [(&str, MorePolicy); 3] = [
    ("refuse", MorePolicy::Refuse),
    ("charge_as_temporary", MorePolicy::ChargeAsTemporary),
    ("admit_free", MorePolicy::AdmitFree),
];
/// The words of `pass_ground`.
const PASS_GROUND: [(&str, PassGround); 2] =
    [("own_areas", PassGround::OwnAreas), ("everywhere", PassGround::Everywhere)];
const KEYS: [&str; 11] = [
    "billing_day",
    "lead_days",
    "due_days",
    "late_fee_per_day",
    "late_fee_grace_days",
    "late_fee_cap",
    "overdue",
    "grace_days",
    "more_cars",
    "pass_ground",
    "retention",
];

pub(super) fn charging(document: &mut Document<'_>) -> Option<ChargingPolicy> {
    let usual = ChargingPolicy::default();
    let mut section = document.section("charging");
    let alignment = section.optional(document, "billing_day", billing_day);
    let lead_days = section.integer(document, "lead_days", 0..=366, Some(usual.lead_days));
    let due_days = section.integer(document, "due_days", 0..=366, Some(usual.due_days));
    let per_day = section.optional(document, "late_fee_per_day", |text| part(text, Decimal::new(1, 1)));
    let late_grace = section.integer(document, "late_fee_grace_days", 0..=366, Some(0));
    let cap = section.optional(document, "late_fee_cap", |text| part(text, Decimal::ONE));
    let overdue = section.optional(document, "overdue", |text| one_of(text, &OVERDUE));
    let grace_days = section.integer(document, "grace_days", 0..=366, Some(usual.grace_days));
    let more_cars = section.optional(document, "more_cars", |text| one_of(text, &MORE_CARS));
    let pass_ground = section.optional(document, "pass_ground", |text| one_of(text, &PASS_GROUND));
    let retention = section.optional(document, "retention", |text| part(text, Decimal::ONE));
    if per_day.is_none()
        && let Some(cap) = &cap
    {
        document.fault(cap.line, "late_fee_cap limits a late fee, and late_fee_per_day is not given");
    }
    document.close(section, &KEYS);
    let late_fee = match per_day {
        Some(rate) => {
            Some(LateFeeRule { rate_per_day: rate.value, grace_days: late_grace?, cap: cap.map(|at| at.value) })
        }
        None => None,
    };
    Some(ChargingPolicy {
        alignment: alignment.map_or(usual.alignment, |at| at.value),
        lead_days: lead_days?,
        due_days: due_days?,
        late_fee,
        overdue: overdue.map_or(usual.overdue, |at| at.value),
        grace_days: grace_days?,
        more_cars: more_cars.map_or(usual.more_cars, |at| at.value),
        pass_ground: pass_ground.map_or(usual.pass_ground, |at| at.value),
        retention: retention.map_or(usual.retention, |at| at.value),
    })
}

fn billing_day(text: &str) -> Result<Alignment, String> {
    match text {
        "calendar" => Ok(Alignment::Calendar),
        "anniversary" => Ok(Alignment::Anniversary),
        day => match day.parse() {
            Ok(day @ 1..=31) => Ok(Alignment::Day(day)),
            _ => {
                Err(format!("{text:?} is not \"calendar\", \"anniversary\" or a day of the month from \"1\" to \"31\""))
            }
        },
    }
}

fn part(text: &str, most: Decimal) -> Result<Decimal, String> {
    let part = text.parse::<Decimal>().ok().filter(|part| (Decimal::ZERO..=most).contains(part) && part.scale() <= 6);
    part.ok_or_else(|| format!("{text:?} is not a part from \"0\" to \"{most}\"; write 5 % as \"0.05\""))
}
