//! What has to hold of every fee, over random tariffs and stays with all their facts. No reference is asked here, so there
//! can be many of them; those over the shipped tariffs are in tests/pricing.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::strategy::{Strategy, ValueTree};
use tollhouse_core::tariff::model::{EarlyPayment, Record};
use tollhouse_core::tariff::parse::parse;
use tollhouse_core::tariff::{Assessment, Plan, StayFacts, TariffBook};

use crate::generate::{Case, case};
use crate::{number, runner, shown};

/// Cases of each property, unless `TOLLHOUSE_TARIFF_BATCHES` says how many hundred.
const CASES: u64 = 1_000;

/// 2026 and 2037 have the same weekdays and no leap day.
const ELEVEN_YEARS: TimeDelta = TimeDelta::days(4_018);

fn book(case: &Case) -> Option<TariffBook> {
    let files = case.tariffs.iter().map(|text| parse(text).ok()).collect::<Option<Vec<_>>>()?;
    let plans = files.into_iter().map(|file| Plan::new(Arc::new(file)).expect("a plan")).collect();
    Some(TariffBook::new(plans).expect("a book"))
}

/// Holds each case to a property, which says whether there was anything to hold.
fn each_case(property: impl Fn(&Case, &TariffBook, i64) -> Held) {
    let seed = number("TOLLHOUSE_TARIFF_SEED").unwrap_or(11);
    let cases = number("TOLLHOUSE_TARIFF_BATCHES").map_or(CASES, |batches| batches * 100);
    let mut runner = runner(seed, 1);
    let mut held = 0;
    for place in 0..cases {
        let case = case().new_tree(&mut runner).expect("a case").current();
        let Some(book) = book(&case) else { continue };
        match property(&case, &book, i64::try_from(place).expect("few")) {
            Held::Yes => held += 1,
            Held::NothingToHold => {}
            Held::No(why) => panic!("{why}\n{}", shown(&case)),
        }
    }
    assert!(held > cases / 20, "of {cases} cases only {held} were held to it");
}

/// Whether a case keeps a property.
enum Held {
    Yes,
    NothingToHold,
    No(String),
}

fn held(holds: bool, why: impl FnOnce() -> String) -> Held {
    if holds { Held::Yes } else { Held::No(why()) }
}

fn fee(book: &TariffBook, facts: &StayFacts) -> i64 {
    book.price(facts).expect("priced").total.minor()
}

#[test]
fn no_fee_is_negative_its_lines_sum_to_it_and_pricing_again_gives_the_same_lines() {
    each_case(|case, book, _| {
        let facts = StayFacts::from(&case.stay);
        let (first, again) = (book.owed(&facts).expect("priced"), book.owed(&facts).expect("priced"));
        let sum: i64 = first.assessment.lines.iter().map(|line| line.amount.minor()).sum();
        let sound = sum == first.assessment.total.minor() && sum >= 0 && first.due.minor() >= 0;
        held(sound && first == again, || format!("{first:#?}"))
    });
}

#[test]
fn days_that_are_skipped_cost_what_they_cost_when_they_are_walked() {
    each_case(|case, book, place| {
        let until = case.stay.exit + TimeDelta::days(3 + place % 70);
        let facts = StayFacts { until, ..StayFacts::from(&case.stay) };
        let (skipped, walked) = (book.price(&facts).expect("priced"), book.price_walking(&facts).expect("priced"));
        held(skipped == walked, || format!("skipped {skipped:#?}\nwalked {walked:#?}"))
    });
}

/// Only rules under which more time is never cheaper: nothing that is chosen by how or when the stay ends, and no discount
/// that comes all at once.
fn claims_never_to_fall(text: &str) -> bool {
    let falls = ["[[scheme]]", "boundary = \"end\"", "cheapest", "min = ", "amount = \"-"];
    !falls.iter().any(|word| text.contains(word))
}

#[test]
fn a_longer_stay_never_costs_less_by_rules_that_never_fall() {
    each_case(|case, book, place| {
        if !case.tariffs.iter().all(|text| claims_never_to_fall(text)) || case.stay.record == Record::Lost {
            return Held::NothingToHold;
        }
        let mut facts = StayFacts::from(&case.stay);
        facts.payments.clear();
        let longer =
            StayFacts { until: facts.until + TimeDelta::seconds(60 * (1 + place * 7 % 3_000)), ..facts.clone() };
        let (less, more) = (fee(book, &facts), fee(book, &longer));
        held(less <= more, || format!("{less} and, until {}, {more}", longer.until))
    });
}

#[test]
fn paying_early_changes_nothing_in_total_once_the_exit_grace_has_run_out() {
    each_case(|case, book, _| {
        let version = book.version(None, case.stay.enter).file();
        if version.early_payment != EarlyPayment::FromEntry || case.stay.payments.is_empty() {
            return Held::NothingToHold;
        }
        let last = case.stay.payments.iter().map(|payment| payment.at).max().expect("a payment");
        let until = case.stay.exit.max(last + TimeDelta::seconds(version.exit_grace.seconds() + 1));
        let facts = StayFacts { until, ..StayFacts::from(&case.stay) };
        let owed = book.owed(&facts).expect("priced");
        let whole = fee(book, &StayFacts { payments: Vec::new(), ..facts });
        let (paid, due) = (owed.paid.minor(), owed.due.minor());
        let sound = owed.assessment.total.minor() == whole && paid + due == whole.max(paid);
        held(sound, || format!("{whole} without, {paid} paid and {due} due with payments"))
    });
}

/// Everything eleven years later.
fn shifted(case: &Case) -> (Case, StayFacts) {
    let later = |at: &mut DateTime<Utc>| *at += ELEVEN_YEARS;
    let mut stay = case.stay.clone();
    later(&mut stay.enter);
    later(&mut stay.exit);
    for area in &mut stay.areas {
        later(&mut area.enter);
        later(&mut area.exit);
    }
    for visit in &mut stay.earlier {
        later(&mut visit.enter);
        later(&mut visit.exit);
    }
    stay.payments.iter_mut().for_each(|payment| later(&mut payment.at));
    for span in &mut stay.covered {
        later(&mut span.from);
        later(&mut span.to);
    }
    let tariffs = case.tariffs.iter().map(|text| text.replace("2026-", "2037-")).collect();
    let facts = StayFacts::from(&stay);
    (Case { tariffs, stay }, facts)
}

#[test]
fn a_year_with_the_same_calendar_costs_the_same_line_by_line() {
    each_case(|case, book_now, _| {
        let (later, facts) = shifted(case);
        let book_then = book(&later).expect("as good as it was");
        let now = book_now.owed(&StayFacts::from(&case.stay)).expect("priced");
        let then = book_then.owed(&facts).expect("priced");
        let told = |found: &Assessment, shift: TimeDelta| -> Vec<_> {
            found
                .lines
                .iter()
                .map(|line| (line.text.clone(), line.from + shift, line.to + shift, line.amount))
                .collect()
        };
        let same = told(&now.assessment, ELEVEN_YEARS) == told(&then.assessment, TimeDelta::zero());
        held(same && (now.due, now.paid) == (then.due, then.paid), || format!("now {now:#?}\nthen {then:#?}"))
    });
}
