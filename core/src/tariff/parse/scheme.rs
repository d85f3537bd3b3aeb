//! Schemes: their conditions, free time, cycle, rounding and limits, with their rates, caps and surcharges.
//! It must not know which of several schemes is taken.

use super::conditions::conditions;
use super::forms;
use super::head::Head;
use super::keys;
use super::rate;
use super::reader::Keys;
use super::steps::Around;
use super::tree::Value;
use crate::tariff::model::{
    Again, Boundary, Conditions, Counting, Cycle, CycleLength, Direction, Exceeded, Free, FreeAreas, FreeEnds,
    Measured, Next, Price, RoundAt, Rounding, Scheme, Span,
};

const MOST_RATES: usize = 64;
const MOST_CAPS: usize = 64;
const MOST_ADJUSTS: usize = 64;

/// A `[[scheme]]`, or the keys at the top as the scheme `standard` without conditions.
pub(super) enum Stands {
    InItsTable,
    AtTheTop,
}

pub(super) fn scheme(keys: &Keys<'_>, head: &Head<'_>, stands: &Stands, number: usize) -> Scheme {
    let (name, text, conditions) = match stands {
        Stands::AtTheTop => ("standard".to_owned(), None, Conditions::default()),
        Stands::InItsTable => {
            let name = keys.name("name").map_or_else(|| format!("scheme-{number}"), |name| name.value);
            (name, keys.words("text"), conditions(keys, head))
        }
    };
    let boundary = keys.choice(
        "boundary",
        &[
            ("restart", Boundary::Restart),
            ("start", Boundary::Start),
            ("end", Boundary::End),
            ("split", Boundary::Split),
        ],
        Boundary::Restart,
    );
    let cycle = cycle(keys);
    let around = Around { boundary, cycle };
    let flat = keys.read("flat", forms::MONEY, forms::price);
    let tables = keys.tables("rate", MOST_RATES, keys::RATE);
    if flat.is_some() {
        for key in ["rate", "counting", "boundary", "cycle"].into_iter().filter(|key| keys.has(key)) {
            head.faults.tell(&keys.place_at(key), format!("a scheme with a `flat` price for the visit has no `{key}`"));
        }
    } else if !keys.has("rate") && !keys.has("flat") {
        keys.tell(match stands {
            Stands::InItsTable => {
                "the scheme says no price; write [[scheme.rate]] tables, or flat = \"10.00\" for one price for the visit"
            }
            Stands::AtTheTop => {
                "the keys of a scheme at the top are a scheme of their own, and this one says no price; write [[rate]] tables \
                 or flat = \"10.00\", or move the keys into each [[scheme]]"
            }
        });
    }
    let numbered = tables.iter().enumerate();
    let rates: Vec<_> = numbered.filter_map(|(i, table)| rate::rate(table, head, around, i + 1)).collect();
    for (i, one) in rates.iter().enumerate() {
        if rates[..i].iter().any(|other| other.name == one.name) {
            head.faults.tell_line(one.line, keys.place.path.clone(), format!("two rates are named {:?}", one.name));
        }
    }
    // A rate that could not be read is told already; it need not be told again where a cap names it.
    let complete = rates.len() == tables.len();
    let names: Vec<String> = rates.iter().map(|rate| rate.name.clone()).collect();
    let (caps, adjusts) = limits(keys, head, complete.then_some(&names));
    let (minimum, maximum) = minimum_and_maximum(keys);
    Scheme {
        name,
        text,
        line: keys.line(),
        conditions,
        flat,
        free: free(keys, cycle),
        cycle,
        counting: keys.choice(
            "counting",
            &[("visit", Counting::Visit), ("rate", Counting::Rate), ("window", Counting::Window)],
            Counting::Visit,
        ),
        boundary,
        rates,
        caps,
        adjusts,
        minimum,
        maximum,
        rounding: rounding(keys, head),
    }
}

fn limits(
    keys: &Keys<'_>,
    head: &Head<'_>,
    rates: Option<&Vec<String>>,
) -> (Vec<crate::tariff::model::Cap>, Vec<crate::tariff::model::Adjust>) {
    let caps = keys.tables("cap", MOST_CAPS, keys::CAP);
    let adjusts = keys.tables("adjust", MOST_ADJUSTS, keys::ADJUST);
    (
        caps.iter().filter_map(|table| rate::cap(table, head, rates)).collect(),
        adjusts.iter().filter_map(|table| rate::adjust(table, head, rates)).collect(),
    )
}

fn minimum_and_maximum(keys: &Keys<'_>) -> (Option<Price>, Option<Price>) {
    let minimum = keys.read("minimum", forms::MONEY, forms::positive_price);
    let maximum = keys.read_at("maximum", forms::MONEY, forms::price);
    if let (Some(least), Some(most)) = (minimum, &maximum)
        && least > most.value
    {
        keys.faults.tell(&most.place, format!("the maximum ({}) is less than the minimum ({least})", most.value));
    }
    (minimum, maximum.map(|most| most.value))
}

fn cycle(keys: &Keys<'_>) -> Option<Cycle> {
    let table = keys.table("cycle", keys::CYCLE)?;
    let like = "\"24h\" or \"calendar_day\"";
    let every = table.required("every", like, |text| {
        if text == "calendar_day" {
            return Some(CycleLength::CalendarDay { starts: 0 });
        }
        Span::parse(text).filter(|span| span.seconds() >= 60).map(CycleLength::Span)
    });
    let starts = table.read_at("starts", "\"06:00\"", |text| {
        crate::tariff::model::time_of_day(text).filter(|second| *second < 86_400)
    });
    let next = table.choice("next", &[("restart", Next::Restart), ("continue", Next::Continue)], Next::Restart);
    let every = match (every?, starts) {
        (CycleLength::CalendarDay { .. }, Some(starts)) => CycleLength::CalendarDay { starts: starts.value },
        (every @ CycleLength::Span(_), Some(starts)) => {
            keys.faults.tell(
                &starts.place,
                "a cycle of a fixed length starts at the entry; only every = \"calendar_day\" has `starts`",
            );
            every
        }
        (every, None) => every,
    };
    Some(Cycle { every, next })
}

/// `free = "15min"`, or the table with all its keys.
fn free(keys: &Keys<'_>, cycle: Option<Cycle>) -> Option<Free> {
    let found = keys.node("free")?;
    let positive = |text: &str| Span::parse(text).filter(|span| !span.is_zero());
    let short = |time| Free {
        time,
        ends: FreeEnds::Included,
        when_exceeded: Exceeded::Lost,
        again: Again::Never,
        measured: Measured::Stay,
        areas: FreeAreas::Entry,
    };
    if !matches!(found.value.value, Value::Table(_)) {
        return keys.read("free", forms::SPAN, positive).map(short);
    }
    let table = Keys::open(keys.faults, found.value, found.place, keys::FREE);
    let again = table.choice("again", &[("never", Again::Never), ("each_cycle", Again::EachCycle)], Again::Never);
    let time = table.required("time", forms::SPAN, positive);
    if again == Again::EachCycle {
        match cycle.map(|cycle| cycle.every) {
            None => keys.faults.tell(
                &table.place_at("again"),
                "there is no cycle that could begin again; write cycle = { every = \"24h\" }",
            ),
            Some(CycleLength::Span(every)) if time.is_some_and(|time| time >= every) => {
                keys.faults.tell(
                    &table.place_at("time"),
                    format!("the free time is as long as the cycle of {every}: nothing would ever cost"),
                );
            }
            Some(_) => {}
        }
    }
    Some(Free {
        ends: table.choice(
            "ends",
            &[("included", FreeEnds::Included), ("excluded", FreeEnds::Excluded)],
            FreeEnds::Included,
        ),
        when_exceeded: table.choice(
            "when_exceeded",
            &[("lost", Exceeded::Lost), ("deducted", Exceeded::Deducted)],
            Exceeded::Lost,
        ),
        again,
        measured: table.choice(
            "measured",
            &[("stay", Measured::Stay), ("charged_time", Measured::ChargedTime)],
            Measured::Stay,
        ),
        areas: table.choice("areas", &[("entry", FreeAreas::Entry), ("each", FreeAreas::Each)], FreeAreas::Entry),
        ..short(time?)
    })
}

fn rounding(keys: &Keys<'_>, head: &Head<'_>) -> Rounding {
    let smallest = Price::from_micros(Price::UNIT / 10_i64.pow(head.currency.decimals()));
    let usual = Rounding { to: smallest, direction: Direction::HalfUp, at: RoundAt::Line };
    let Some(table) = keys.table("rounding", keys::ROUNDING) else { return usual };
    let to = table.read_at("to", "\"0.50\"", forms::positive_price);
    if let Some(to) = &to
        && to.value.money(head.currency).is_none()
    {
        let message = format!("{} is no whole number of {smallest}, the smallest unit of {}", to.value, head.currency);
        keys.faults.tell(&to.place, message);
    }
    Rounding {
        to: to.map_or(smallest, |to| to.value),
        direction: table.choice(
            "direction",
            &[
                ("up", Direction::Up),
                ("down", Direction::Down),
                ("half_up", Direction::HalfUp),
                ("half_even", Direction::HalfEven),
            ],
            Direction::HalfUp,
        ),
        at: table.choice(
            "at",
            &[("unit", RoundAt::Unit), ("line", RoundAt::Line), ("cycle", RoundAt::Cycle), ("total", RoundAt::Total)],
            RoundAt::Line,
        ),
    }
}
