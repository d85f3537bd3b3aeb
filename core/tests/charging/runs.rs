//! The bill run: what is drawn, once and whenever the run comes; and what is taken back when the facts change.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use proptest::prelude::*;
use tollhouse_core::charging::bills::{Bounds, Parked, Source, run_card};
use tollhouse_core::charging::calendar::{Span, days_after};
use tollhouse_core::charging::cards::Holding;
use tollhouse_core::charging::estate::{Attributes, Tenure, UseList};
use tollhouse_core::charging::fees::{Alignment, FeeItem, FeeKind, PeriodicTerms, PricePer, Timing};
use tollhouse_core::charging::label::SpaceNumber;
use tollhouse_core::charging::place::Place;
use tollhouse_core::money::Currency;

use crate::sample::{Books, attributes, card, day, held, item, key, monthly, note, space, span};

fn care(terms: PeriodicTerms, price: &str) -> FeeItem {
    item("care", FeeKind::Periodic(terms), price)
}

fn one_space(terms: PeriodicTerms, price: &str, from: &str, until: Option<&str>) -> Books {
    let spaces = vec![space("1", attributes(Tenure::Owned))];
    Books::new(card(vec![held("1", from, until)]), spaces, vec![care(terms, price)])
}

/// Terms, price, from, until, as of, and the lines.
type Case<'c> = (PeriodicTerms, &'c str, &'c str, Option<&'c str>, &'c str, &'c [&'c str]);

#[test]
fn parts_of_a_period_cost_by_the_day() {
    let anniversary = PeriodicTerms { alignment: Alignment::Anniversary, ..monthly() };
    let arrears = PeriodicTerms { timing: Timing::InArrears, ..monthly() };
    let lead = PeriodicTerms { timing: Timing::InAdvance { lead_days: 10 }, ..monthly() };
    let by_size = PeriodicTerms { per: PricePer::SquareMetre, months: 3, ..monthly() };
    let yearly_price = PeriodicTerms { per: PricePer::Space { months: 12 }, ..monthly() };
    let cases: &[Case<'_>] = &[
        (monthly(), "100", "2026-01-11", None, "2026-02-01", &["67.74", "100.00"]),
        (monthly(), "100", "2028-02-15", Some("2028-03-10"), "2028-03-01", &["51.72", "29.03"]),
        (anniversary, "100", "2026-01-31", None, "2026-03-01", &["100.00", "100.00"]),
        (anniversary, "100", "2026-01-30", Some("2026-03-15"), "2026-03-14", &["100.00", "50.00"]),
        (arrears, "100", "2026-01-11", None, "2026-01-31", &[]),
        (arrears, "100", "2026-01-11", None, "2026-02-01", &["67.74"]),
        (lead, "100", "2026-01-01", None, "2026-01-21", &["100.00"]),
        (lead, "100", "2026-01-01", None, "2026-01-22", &["100.00", "100.00"]),
        (by_size, "4", "2026-02-01", None, "2026-02-01", &["98.33"]),
        (yearly_price, "1000", "2026-01-01", None, "2026-01-31", &["83.33"]),
        (monthly(), "0", "2026-01-01", None, "2026-03-01", &[]),
    ];
    for (terms, price, from, until, as_of, lines) in cases {
        let mut books = one_space(*terms, price, from, *until);
        assert_eq!(Books::amounts(&books.run(as_of)), *lines, "{terms:?} {price} from {from} as of {as_of}");
    }
}

#[test]
fn a_change_of_price_within_a_period_is_two_lines_that_sum_to_the_rounded_whole() {
    let mut books = one_space(monthly(), "100", "2026-01-01", None);
    let mut item = books.fees.items()[0].clone();
    item.price.set(day("2026-01-11"), 130.into(), note());
    books.fees = books.fees.with(item.clone()).expect("no fault");
    let bills = books.run("2026-01-01");
    assert_eq!(Books::amounts(&bills), ["32.26", "88.06"], "32.258... + 88.064... = 120.32");
    // What is billed stays billed at the price it was billed at.
    item.price.set(day("2026-01-05"), 500.into(), note());
    books.fees = books.fees.with(item).expect("no fault");
    assert_eq!(books.run("2026-01-31"), []);
    assert_eq!(books.notes, []);
}

#[test]
fn a_change_of_tenure_credits_the_rest_and_bills_it_again_when_undone() {
    let mut books = one_space(monthly(), "310", "2026-01-01", None);
    assert_eq!(Books::amounts(&books.run("2026-01-01")), ["310.00"]);
    books.spaces[0].change(day("2026-01-11"), attributes(Tenure::Rented), &UseList::usual(), note()).expect("allowed");
    assert_eq!(books.run("2026-01-09"), []);
    assert_eq!(books.notes[0].amount.amount(), "210.00");
    assert_eq!(books.bills[0].total().amount(), "100.00");
    books.spaces[0].take_back(day("2026-01-11")).expect("a change");
    let again = books.run("2026-01-09");
    assert_eq!(Books::amounts(&again), ["210.00"]);
    assert_ne!(again[0].id, books.bills[0].id);
    assert_eq!(books.run("2026-01-31"), []);
}

#[test]
fn a_bill_is_issued_and_due_by_its_period_whenever_the_run_comes() {
    let mut late = one_space(monthly(), "100", "2020-01-01", None);
    late.card.ahead_until = None;
    let bills = late.run("2020-03-20");
    let dates: Vec<String> = bills.iter().map(|bill| format!("{} {}", bill.issued_on, bill.due_on)).collect();
    assert_eq!(dates, ["2020-01-01 2020-01-16", "2020-02-01 2020-02-16", "2020-03-01 2020-03-16"]);
    // But what the box only learned of later is not late at once.
    let mut learned = one_space(monthly(), "100", "2019-12-01", None);
    assert_eq!(learned.run("2020-01-01")[0].issued_on, day("2020-01-01"));
}

#[test]
fn months_paid_ahead_are_billed_ahead_and_once() {
    let mut books = one_space(monthly(), "100", "2026-01-01", None);
    books.card.ahead_until = Some(day("2026-04-01"));
    assert_eq!(books.run("2026-01-01").len(), 3);
    assert_eq!(books.run("2026-03-31").len(), 0);
    assert_eq!(books.run("2026-04-01").len(), 1);
}

#[test]
fn what_would_break_a_bound_is_parked_for_a_person() {
    let books = one_space(monthly(), "100", "1990-01-01", None);
    let nowhere = |_: &SpaceNumber| None;
    let run = |books: &Books, bounds| {
        let spaces = books.spaces.clone();
        let estate = move |_: &SpaceNumber| spaces.first().cloned();
        run_card(&books.card, &estate, &books.fees, day("2030-06-01"), Currency::Cny, bounds, &key())
    };
    assert_eq!(run(&books, Bounds::default()), Err(Parked::TooMany(486)));
    let small = Bounds { most_bills: 500, most_minor: 9_999 };
    assert!(matches!(run(&books, small), Err(Parked::TooLarge(_))));
    let parked = run_card(&books.card, &nowhere, &books.fees, day("2026-01-01"), Currency::Cny, small, &key());
    assert!(matches!(parked, Err(Parked::NoSpace(_))));
}

/// The days that stand in live lines, by place and source: each must be there once (payments.md, invariant 9).
fn live_days(books: &Books) -> Result<BTreeMap<(Place, Source), Vec<NaiveDate>>, String> {
    let mut all: BTreeMap<(Place, Source), Vec<NaiveDate>> = BTreeMap::new();
    for line in books.bills.iter().flat_map(|bill| &bill.lines) {
        let days = all.entry((line.place.clone(), line.source.clone())).or_default();
        for live in line.live_days() {
            days.extend((0..live.days()).map(|day| days_after(live.from, u32::try_from(day).expect("few"))));
        }
    }
    for ((place, source), days) in &mut all {
        days.sort_unstable();
        if let Some(twice) = days.windows(2).find_map(|pair| (pair[0] == pair[1]).then_some(pair[0])) {
            return Err(format!("{place} {source:?} {twice} twice"));
        }
    }
    all.retain(|_, days| !days.is_empty());
    Ok(all)
}

/// The same as the card has it noted.
fn noted_days(books: &Books) -> usize {
    books
        .card
        .billed
        .iter()
        .flat_map(|billed| &billed.spans)
        .map(|span| usize::try_from(span.days()).expect("few"))
        .sum()
}

fn any_terms() -> impl Strategy<Value = PeriodicTerms> {
    let months = prop::sample::select(vec![1u8, 3, 6, 12]);
    let alignment =
        prop_oneof![Just(Alignment::Calendar), Just(Alignment::Anniversary), (1u8..32).prop_map(Alignment::Day)];
    let timing = prop_oneof![Just(Timing::InArrears), (0u16..40).prop_map(|lead_days| Timing::InAdvance { lead_days })];
    let per = prop_oneof![
        Just(PricePer::SquareMetre),
        prop::sample::select(vec![1u8, 3, 12]).prop_map(|months| PricePer::Space { months })
    ];
    (months, alignment, timing, per).prop_map(|(months, alignment, timing, per)| PeriodicTerms {
        per,
        months,
        alignment,
        timing,
        due_days: 15,
    })
}

/// Up to three spaces, held from and until some day, each changing its tenure a few times.
fn any_books() -> impl Strategy<Value = Books> {
    let one = (0u32..400, prop::option::of(1u32..500), prop::collection::vec((0u32..900, any::<bool>()), 0..3));
    let price = (0i64..2_000_000).prop_map(|price| rust_decimal::Decimal::new(price, 4));
    let prices = prop::collection::vec((0u32..900, price.clone()), 0..3);
    (prop::collection::vec(one, 1..4), any_terms(), price, prices).prop_map(|(all, terms, first, prices)| {
        let mut books = one_space(terms, "1", "2020-01-01", None);
        let base = day("2024-01-01");
        let mut item = books.fees.items()[0].clone();
        item.price.set(day("1990-01-01"), first, note());
        for (after, price) in prices {
            item.price.set(days_after(base, after), price, note());
        }
        books.fees = books.fees.with(item).expect("no fault");
        books.spaces.clear();
        books.card.holdings.clear();
        for (place, (from, days, changes)) in all.into_iter().enumerate() {
            let mut one = space(&place.to_string(), attributes(Tenure::Owned));
            for (after, owned) in changes {
                let to = attributes(if owned { Tenure::Owned } else { Tenure::Rented });
                one.change(days_after(base, after), to, &UseList::usual(), note()).expect("allowed");
            }
            let from = days_after(base, from);
            let until = days.map(|days| days_after(from, days));
            let place = Place::Space(one.number.clone());
            books.card.holdings.push(Holding { place, from, until, note: note() });
            books.spaces.push(one);
        }
        books
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Invariant 9: runs on any days, some twice, and one run after all of them, draw the same bills.
    #[test]
    fn runs_whenever_they_come_draw_the_same_bills(mut often in any_books(), mut days in prop::collection::vec(0u32..1200, 0..25)) {
        let mut once = often.clone();
        days.sort_unstable();
        let base = day("2024-01-01");
        for after in days {
            often.run_on(days_after(base, after));
            let again = often.run_on(days_after(base, after));
            prop_assert_eq!(again, vec![], "a run twice");
            prop_assert!(live_days(&often).is_ok());
        }
        let end = days_after(base, 1300);
        often.run_on(end);
        once.run_on(end);
        let by_id = |books: &Books| {
            let mut bills = books.bills.clone();
            bills.sort_by_key(|bill| bill.id);
            bills
        };
        prop_assert_eq!(by_id(&often), by_id(&once));
        prop_assert_eq!(&often.card, &once.card);
        prop_assert_eq!(often.notes, vec![]);
    }

    /// Three months off, then on: the same as runs every day.
    #[test]
    fn months_off_then_on_are_the_same_as_every_day(mut daily in any_books(), start in 0u32..800) {
        let mut off = daily.clone();
        let base = day("2024-01-01");
        for after in start..start + 100 {
            daily.run_on(days_after(base, after));
            if !(start + 3..start + 95).contains(&after) {
                off.run_on(days_after(base, after));
            }
        }
        let amounts = |books: &Books| {
            let mut all: Vec<_> = books.bills.iter().map(|bill| (bill.id, bill.total(), bill.issued_on, bill.due_on)).collect();
            all.sort_unstable_by_key(|one| one.0);
            all
        };
        prop_assert_eq!(amounts(&daily), amounts(&off));
    }

    /// Facts change between runs: afterwards the live lines hold just the days that a fresh run would bill, each once,
    /// the card's own note of them agrees, and each credit is what the line's days had cost.
    #[test]
    fn when_facts_change_the_bills_follow(
        mut books in any_books(),
        acts in prop::collection::vec((0u32..40, 0usize..3, 0u32..900, 0u8..4), 1..10)
    ) {
        let base = day("2024-01-01");
        let mut now = 0;
        for (later, which, after, act) in acts {
            now += later;
            books.run_on(days_after(base, now));
            let (which, from) = (which % books.spaces.len(), days_after(base, after));
            match act {
                0 => { books.card.holdings[which].until = Some(from.max(books.card.holdings[which].from)); }
                1 => { books.card.holdings[which].until = None; }
                2 => { books.spaces[which].change(from, attributes(Tenure::Rented), &UseList::usual(), note()).expect("allowed"); }
                _ => { books.spaces[which].change(from, attributes(Tenure::Owned), &UseList::usual(), note()).expect("allowed"); }
            }
        }
        let end = days_after(base, now.max(30));
        books.run_on(end);
        let live = live_days(&books).map_err(TestCaseError::fail)?;
        let mut fresh = books.clone();
        fresh.bills.clear();
        fresh.card.billed.clear();
        fresh.run_on(end);
        let wanted = live_days(&fresh).map_err(TestCaseError::fail)?;
        let paid_for_nothing = books.fees.items()[0].price.changes().iter().any(|change| change.value.is_zero());
        if !paid_for_nothing {
            // Anniversaries follow the holding, so what was billed ahead of a change may reach further, never less.
            for (what, days) in &wanted {
                for day in days {
                    prop_assert!(live.get(what).is_some_and(|days| days.binary_search(day).is_ok()), "{day} is not billed");
                }
            }
            prop_assert_eq!(live.values().map(Vec::len).sum::<usize>(), noted_days(&books));
        }
        for ((place, _), days) in &live {
            let holding = books.card.holdings.iter().find(|holding| holding.place == *place).expect("held once");
            let space = books.spaces.iter().find(|space| Place::Space(space.number.clone()) == *place).expect("there");
            for day in days {
                prop_assert!(holding.holds_on(*day), "{day} is billed and not held");
                prop_assert_eq!(space.attributes.on(*day).map(|is| is.tenure), Some(Tenure::Owned));
            }
        }
        for bill in &books.bills {
            for line in &bill.lines {
                let kept = line.amount.minor() - line.credited.iter().map(|one| one.amount.minor()).sum::<i64>();
                prop_assert!(kept >= 0 && (kept == 0 || !line.live_days().is_empty()));
            }
        }
    }
}

#[test]
fn a_space_of_another_class_is_billed_by_another_item_from_the_day_on() {
    let tandem = |price: &str| {
        let mut one = item("care.tandem", FeeKind::Periodic(monthly()), price);
        one.selector.grade = Some(tollhouse_core::charging::estate::Grade::Tandem);
        one
    };
    let spaces = vec![space("1", attributes(Tenure::Owned))];
    let items = vec![item("care.any", FeeKind::Periodic(monthly()), "310"), tandem("620")];
    let mut books = Books::new(card(vec![held("1", "2026-01-01", None)]), spaces, items);
    assert_eq!(Books::amounts(&books.run("2026-01-01")), ["310.00"]);
    let layout = tollhouse_core::charging::estate::Layout::Tandem;
    let to = Attributes { layout, ..attributes(Tenure::Owned) };
    books.spaces[0].change(day("2026-01-22"), to, &UseList::usual(), note()).expect("allowed");
    assert_eq!(Books::amounts(&books.run("2026-01-20")), ["200.00"], "10 of 31 days at 620");
    assert_eq!(books.notes[0].amount.amount(), "100.00", "10 of 31 days at 310");
    let kept: Vec<Vec<Span>> = books.bills.iter().map(|bill| bill.lines[0].live_days()).collect();
    assert_eq!(kept, [[span("2026-01-01", "2026-01-22")], [span("2026-01-22", "2026-02-01")]]);
}
