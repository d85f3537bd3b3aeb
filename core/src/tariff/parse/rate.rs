//! Rates, caps and surcharges of a scheme.
//! It must not know which of two rates is taken.

use super::conditions::selectors;
use super::forms;
use super::head::Head;
use super::reader::{At, Keys};
use super::steps::{self, Around};
use crate::tariff::model::{
    Adjust, AdjustBy, Applied, Cap, CapPer, Charge, Clock, Percent, Price, Rate, Selectors, Visits,
};

pub(super) fn rate(keys: &Keys<'_>, head: &Head<'_>, around: Around, number: usize) -> Option<Rate> {
    let name = keys.name("name").map_or_else(|| format!("rate-{number}"), |name| name.value);
    let selectors = selectors(keys, head);
    let charge = steps::charge(keys, head, around);
    let (min, max) = match charge {
        Some(Charge::Free(Clock::Runs | Clock::Stops)) => (None, None),
        _ => steps::bounds(keys),
    };
    Some(Rate { name, text: keys.words("text"), line: keys.line(), selectors, charge: charge?, min, max })
}

/// Names of rates of the same scheme; not looked up when some rate could not be read.
fn rate_names(keys: &Keys<'_>, rates: Option<&Vec<String>>) -> Vec<String> {
    let named = keys.list("rates", 100, "[\"night\"]", |text| Some(text.to_owned()));
    let exists = |name: &At<String>| {
        let there = rates.is_none_or(|rates| rates.contains(&name.value));
        if let Some(rates) = rates
            && !there
        {
            let known =
                if rates.is_empty() { "it has none".to_owned() } else { format!("it has {}", rates.join(", ")) };
            keys.faults.tell(&name.place, format!("the scheme has no rate {:?}; {known}", name.value));
        }
        there
    };
    named.into_iter().filter(exists).map(|name| name.value).collect()
}

pub(super) fn cap(keys: &Keys<'_>, head: &Head<'_>, rates: Option<&Vec<String>>) -> Option<Cap> {
    let like = "\"visit\", \"24h\", \"calendar_day\" or \"window\"";
    let per = keys.required("per", like, |text| match text {
        "visit" => Some(CapPer::Visit),
        "24h" => Some(CapPer::Day24h),
        "calendar_day" => Some(CapPer::CalendarDay),
        "window" => Some(CapPer::Window),
        _ => None,
    });
    let max = keys.required("max", forms::MONEY, forms::price);
    let daily = matches!(per, None | Some(CapPer::Day24h | CapPer::CalendarDay));
    let day_numbers = keys.read("day_number", "\"1\", \"2-3\" or \"4-\"", forms::day_numbers);
    let visits = keys.choice("visits", &[("each", Visits::Each), ("together", Visits::Together)], Visits::Each);
    if day_numbers.is_some() && !daily {
        keys.faults.tell(&keys.place_at("day_number"), "days are counted by per = \"24h\" or \"calendar_day\" alone");
    }
    if visits == Visits::Together && !daily {
        keys.faults.tell(&keys.place_at("visits"), "visits share a cap per = \"24h\" or \"calendar_day\" alone");
    }
    Some(Cap {
        text: keys.words("text"),
        line: keys.line(),
        max: max?,
        per: per?,
        rates: rate_names(keys, rates),
        selectors: Selectors {
            days: head.days(keys),
            seasons: head.seasons(keys),
            vehicles: head.vehicles(keys),
            areas: head.areas(keys),
            ..Selectors::default()
        },
        day_numbers,
        visits,
    })
}

pub(super) fn adjust(keys: &Keys<'_>, head: &Head<'_>, rates: Option<&Vec<String>>) -> Option<Adjust> {
    let percent = keys.read_at("percent", "\"-20\" or \"12.5\"", Percent::parse);
    let amount = keys.read_at("amount", "\"2.00\" or \"-1.00\"", Price::parse);
    if let Some(percent) = &percent
        && !(-1_000_000..=10_000_000).contains(&percent.value.millionths())
    {
        keys.faults.tell(&percent.place, "a discount takes at most 100 percent off, and a surcharge adds at most 1000");
    }
    let nothing = percent.as_ref().is_some_and(|percent| percent.value.millionths() == 0)
        || amount.as_ref().is_some_and(|amount| amount.value.is_zero());
    if nothing {
        keys.tell("it changes nothing; take it away or say how much");
    }
    if keys.has("percent") == keys.has("amount") {
        keys.tell("write exactly one of percent = \"-20\" and amount = \"2.00\"");
    }
    let percent = percent.map(|percent| AdjustBy::Percent(percent.value));
    let by = percent.or(amount.map(|amount| AdjustBy::Amount(amount.value)));
    Some(Adjust {
        text: keys.words("text"),
        line: keys.line(),
        rates: rate_names(keys, rates),
        selectors: selectors(keys, head),
        applied: keys.choice(
            "applied",
            &[("before_caps", Applied::BeforeCaps), ("after_caps", Applied::AfterCaps)],
            Applied::BeforeCaps,
        ),
        by: by?,
    })
}
