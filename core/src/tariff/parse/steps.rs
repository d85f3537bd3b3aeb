//! What a rate charges: units, steps, bands, flat, free, the cheapest of several.
//! It must not know when a rate holds.

use super::forms;
use super::head::Head;
use super::keys;
use super::reader::Keys;
use crate::tariff::model::{
    After, Boundary, Charge, Clock, Cycle, CycleLength, Next, Offer, Price, Span, Step, StepEnds, StepPrice, Steps,
    Units,
};

const MOST_STEPS: usize = 200;
const MOST_OFFERS: usize = 8;

/// What of a scheme its rates' steps depend on.
#[derive(Clone, Copy)]
pub(super) struct Around {
    pub(super) boundary: Boundary,
    pub(super) cycle: Option<Cycle>,
}

impl Around {
    /// After how long everything begins again, when that ends the steps too. A calendar day may have 25 hours.
    fn ends_after(self) -> Option<Span> {
        let cycle = self.cycle.filter(|cycle| cycle.next == Next::Restart)?;
        Some(match cycle.every {
            CycleLength::Span(span) => span,
            CycleLength::CalendarDay { .. } => Span::from_seconds(25 * 3_600),
        })
    }
}

/// What the rate itself says about units, for the steps that do not.
#[derive(Clone, Copy)]
struct UnitRules {
    units: Units,
    tolerance: Span,
}

fn unit_rules(keys: &Keys<'_>, outer: UnitRules) -> UnitRules {
    UnitRules {
        units: keys.choice("units", &[("started", Units::Started), ("full", Units::Full)], outer.units),
        tolerance: keys.read("tolerance", forms::SPAN, Span::parse).unwrap_or(outer.tolerance),
    }
}

/// The charge of a rate. `None` when a fault was told.
pub(super) fn charge(keys: &Keys<'_>, head: &Head<'_>, around: Around) -> Option<Charge> {
    let free = keys
        .node("price")
        .is_some_and(|price| matches!(&price.value.value, super::tree::Value::Text(t) if t == "free"));
    if free && !keys.has("per") {
        return Some(free_charge(keys));
    }
    if keys.has("clock") {
        head.faults.tell(&keys.place_at("clock"), "only a rate with price = \"free\" has a clock that may stop");
    }
    if keys.has("cheapest") {
        return cheapest(keys, head, around);
    }
    priced(keys, head, around)
}

fn free_charge(keys: &Keys<'_>) -> Charge {
    let others = ["steps", "flat", "cheapest", "units", "tolerance", "ends", "after", "min", "max"];
    for key in others.into_iter().filter(|key| keys.has(key)) {
        keys.faults
            .tell(&keys.place_at(key), format!("a rate with price = \"free\" charges nothing, so `{key}` cannot work"));
    }
    Charge::Free(keys.choice("clock", &[("runs", Clock::Runs), ("stops", Clock::Stops)], Clock::Runs))
}

fn cheapest(keys: &Keys<'_>, head: &Head<'_>, around: Around) -> Option<Charge> {
    for key in
        ["per", "price", "steps", "flat", "units", "tolerance", "ends", "after"].into_iter().filter(|key| keys.has(key))
    {
        keys.faults.tell(
            &keys.place_at(key),
            format!("beside `cheapest` there is no `{key}`: put it into each of its prices"),
        );
    }
    let tables = keys.tables("cheapest", MOST_OFFERS, keys::OFFER);
    if tables.len() < 2 {
        keys.faults
            .tell(&keys.place_at("cheapest"), "the cheapest of fewer than two prices is no choice; name two at least");
    }
    let offers = tables.iter().map(|table| {
        let (min, max) = bounds(table);
        Some(Offer { text: table.words("text"), charge: priced(table, head, around)?, min, max })
    });
    offers.collect::<Option<Vec<_>>>().map(Charge::Cheapest)
}

/// At least and at most, each time the window comes.
pub(super) fn bounds(keys: &Keys<'_>) -> (Option<Price>, Option<Price>) {
    let min = keys.read("min", forms::MONEY, forms::positive_price);
    let max = keys.read_at("max", forms::MONEY, forms::price);
    if let (Some(min), Some(max)) = (min, &max)
        && min > max.value
    {
        keys.faults.tell(&max.place, format!("the most ({}) is less than the least ({min})", max.value));
    }
    (min, max.map(|max| max.value))
}

/// Exactly one of `per` with `price`, `steps`, `flat`.
fn priced(keys: &Keys<'_>, head: &Head<'_>, around: Around) -> Option<Charge> {
    let ways: Vec<&str> = ["per", "steps", "flat"].into_iter().filter(|key| keys.has(key)).collect();
    match ways[..] {
        ["flat"] => flat(keys),
        ["steps"] => steps(keys, head, around),
        ["per"] => endless(keys),
        [] if keys.has("price") => {
            keys.tell("`per` is missing: for how long is `price`? Write per = \"1h\", or flat = \"...\" for once, or price = \"free\"");
            None
        }
        [] => {
            keys.tell("it says no price; write `per` and `price`, `steps`, `flat`, `cheapest` or price = \"free\"");
            None
        }
        _ => {
            keys.tell(format!("{} contradict each other: one rate charges in one way", ways.join(" and ")));
            None
        }
    }
}

fn refuse(keys: &Keys<'_>, without: &[&str], why: &str) {
    for key in without.iter().filter(|key| keys.has(key)) {
        keys.faults.tell(&keys.place_at(key), format!("{why}, so `{key}` cannot work here"));
    }
}

fn flat(keys: &Keys<'_>) -> Option<Charge> {
    refuse(keys, &["price", "units", "ends", "after"], "a flat price has no units and no steps");
    let price = keys.read("flat", forms::MONEY, forms::price)?;
    let tolerance = keys.read("tolerance", forms::SPAN, Span::parse).unwrap_or_default();
    Some(Charge::Flat { price, tolerance })
}

fn endless(keys: &Keys<'_>) -> Option<Charge> {
    refuse(keys, &["ends", "after"], "one price has no steps");
    let rules = unit_rules(keys, UnitRules { units: Units::Started, tolerance: Span::default() });
    let price = units(keys, rules)?;
    let step = Step { until: None, price, text: None };
    Some(Charge::Steps(Steps { steps: vec![step], ends: StepEnds::Included, after: After::Endless }))
}

/// `per` and `price` with what counts as a unit.
fn units(keys: &Keys<'_>, rules: UnitRules) -> Option<StepPrice> {
    let per = keys.read_at("per", forms::SPAN, |text| Span::parse(text).filter(|span| !span.is_zero()));
    let price = keys.required("price", forms::MONEY, forms::price);
    let per = per?;
    if rules.units == Units::Full && !rules.tolerance.is_zero() {
        keys.tell("units = \"full\" and a `tolerance` contradict each other: only one of them says when an unfinished unit counts");
    } else if rules.tolerance >= per.value {
        let message = format!("a tolerance of {} is no shorter than the unit of {}", rules.tolerance, per.value);
        keys.faults.tell(&per.place, message);
    }
    Some(StepPrice::Units { per: per.value, price: price?, units: rules.units, tolerance: rules.tolerance })
}

fn steps(keys: &Keys<'_>, head: &Head<'_>, around: Around) -> Option<Charge> {
    refuse(keys, &["price"], "each step says its own price");
    let rules = unit_rules(keys, UnitRules { units: Units::Started, tolerance: Span::default() });
    let ends =
        keys.choice("ends", &[("included", StepEnds::Included), ("excluded", StepEnds::Excluded)], StepEnds::Included);
    let tables = keys.tables("steps", MOST_STEPS, keys::STEP);
    if tables.is_empty() {
        head.faults.tell(
            &keys.place_at("steps"),
            "there are no steps; write [{ until = \"1h\", per = \"15min\", price = \"2.50\" }, ...]",
        );
        return None;
    }
    let mut steps: Vec<Step> = Vec::new();
    let mut begins = Span::default();
    for (number, table) in tables.iter().enumerate() {
        let last = number + 1 == tables.len();
        let step = one_step(table, begins, rules, around, last)?;
        begins = step.until.unwrap_or(begins);
        steps.push(step);
    }
    let after = after(keys, &steps, around);
    Some(Charge::Steps(Steps { steps, ends, after }))
}

fn one_step(keys: &Keys<'_>, begins: Span, rules: UnitRules, around: Around, last: bool) -> Option<Step> {
    let until = keys.read_at("until", forms::SPAN, Span::parse);
    if !keys.has("until") && !last {
        keys.tell("only the last step may be without `until`: the steps behind it could never be reached");
    }
    if let Some(until) = &until
        && until.value <= begins
    {
        keys.faults.tell(
            &until.place,
            format!("the step ends at {} and would begin at {begins}: `until` has to rise", until.value),
        );
        return None;
    }
    if around.ends_after().is_some_and(|cycle| begins >= cycle) {
        keys.tell(format!("the step begins at {begins} and can never be reached: the cycle begins again before"));
    }
    let price = step_price(keys, rules, around)?;
    if let (StepPrice::Units { per, .. }, Some(until)) = (price, &until) {
        let length = Span::from_seconds(u32::try_from(until.value.seconds() - begins.seconds()).unwrap_or(0));
        if !length.is_multiple_of(per) {
            let message = format!(
                "the step is {length} long (from {begins} to {}), which is no whole number of units of {per}",
                until.value
            );
            keys.faults.tell(&until.place, message);
        }
    }
    Some(Step { until: until.map(|until| until.value), price, text: keys.words("text") })
}

/// `per` and `price`, or `total`.
fn step_price(keys: &Keys<'_>, rules: UnitRules, around: Around) -> Option<StepPrice> {
    if !keys.has("total") {
        if !keys.has("per") {
            keys.tell("it says no price; write `per` and `price`, or `total` for a band");
            return None;
        }
        return units(keys, unit_rules(keys, rules));
    }
    refuse(keys, &["per", "price", "units", "tolerance"], "a band has one price in all");
    if matches!(around.boundary, Boundary::End | Boundary::Split) {
        let message = "a band has no unit that could be shared out at a window's boundary; write boundary = \"restart\" or \"start\"";
        keys.faults.tell(&keys.place_at("total"), message);
    }
    keys.read("total", forms::MONEY, forms::price).map(StepPrice::Total)
}

fn after(keys: &Keys<'_>, steps: &[Step], around: Around) -> After {
    let until = steps.last().and_then(|step| step.until);
    let words = [("restart", After::Restart), ("continue", After::Continue), ("hold", After::Hold)];
    let Some(until) = until else {
        refuse(keys, &["after"], "the last step has no `until` and goes on for ever");
        return After::Endless;
    };
    if keys.has("after") {
        return keys.choice("after", &words, After::Hold);
    }
    if around.ends_after().is_none_or(|cycle| cycle > until) {
        let message = format!(
            "the last step ends at {until} and nothing says what follows; write after = \"restart\", \"continue\" or \"hold\", \
             or let the cycle begin again by then"
        );
        keys.faults.tell(&keys.place_at("steps"), message);
    }
    After::CycleEnds
}
