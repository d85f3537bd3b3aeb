//! Which fee item is charged: the most specific, on the days on which it is in force.

use proptest::prelude::*;
use tollhouse_core::charging::calendar::days_after;
use tollhouse_core::charging::estate::{Grade, Location, SpaceClass, Tenure};
use tollhouse_core::charging::fees::{FeeFault, FeeItem, FeeKind, FeeList, InvalidItem, PricePer, Selector};

use crate::sample::{class, day, item, item_id, monthly, note, span, usage};

fn periodic(id: &str, price: &str, selector: Selector) -> FeeItem {
    FeeItem { selector, ..item(id, FeeKind::Periodic(monthly()), price) }
}

fn underground() -> Selector {
    Selector { location: Some(Location::Underground), ..Selector::default() }
}

fn tandem() -> Selector {
    Selector { grade: Some(Grade::Tandem), ..Selector::default() }
}

fn names(list: &FeeList, class: &SpaceClass) -> Vec<String> {
    list.charged(class, span("2026-01-01", "2027-01-01")).iter().map(|one| one.item.id.to_string()).collect()
}

#[test]
fn the_most_specific_item_of_each_charge_wins() {
    let both = Selector { grade: Some(Grade::Tandem), ..underground() };
    let list = FeeList::new(vec![
        periodic("care.any", "50", Selector::default()),
        periodic("care.deep", "60", underground()),
        periodic("care.deep-tandem", "90", both),
        periodic("light.any", "5", Selector::default()),
        item("rent.any", FeeKind::Rent(PricePer::Space { months: 1 }), "300"),
    ])
    .expect("no fault");
    let open = SpaceClass { location: Location::OpenAir, ..class(Tenure::Owned) };
    let deep_tandem = SpaceClass { grade: Grade::Tandem, ..class(Tenure::Owned) };
    assert_eq!(names(&list, &open), ["care.any", "light.any"]);
    assert_eq!(names(&list, &class(Tenure::Owned)), ["care.deep", "light.any"]);
    assert_eq!(names(&list, &deep_tandem), ["care.deep-tandem", "light.any"]);
    assert_eq!(names(&list, &class(Tenure::Rented)), ["rent.any"], "a periodic fee is for owned spaces");
    assert_eq!(names(&list, &class(Tenure::Temporary)), Vec::<String>::new());
}

#[test]
fn two_equally_specific_items_are_refused_and_both_are_named() {
    let list = FeeList::new(vec![periodic("care.deep", "60", underground())]).expect("no fault");
    let faults = list.with(periodic("care.tandem", "70", tandem())).expect_err("ambiguous");
    let told = faults[0].to_string();
    assert!(told.contains("care.deep") && told.contains("care.tandem"), "{told}");
    assert!(told.contains("underground/any/any/any") && told.contains("any/any/any/tandem"), "{told}");
    // Of another charge, of classes that do not meet, or one after the other, they are not.
    list.with(periodic("light.tandem", "7", tandem())).expect("another charge");
    let above = Selector { location: Some(Location::OpenAir), ..Selector::default() };
    list.with(periodic("care.above", "7", above)).expect("other classes");
    let ended = FeeItem { until: Some(day("2026-01-01")), ..periodic("care.deep", "60", underground()) };
    let mut later = periodic("care.tandem", "70", tandem());
    later.price = tollhouse_core::charging::timeline::Timeline::new(day("2026-01-01"), 70.into(), note());
    FeeList::new(vec![ended, later]).expect("one after the other");
}

#[test]
fn an_item_that_ends_gives_way_to_the_less_specific() {
    let ends = FeeItem { until: Some(day("2026-03-15")), ..periodic("care.deep", "60", underground()) };
    let list = FeeList::new(vec![periodic("care.any", "50", Selector::default()), ends]).expect("no fault");
    let chosen = list.charged(&class(Tenure::Owned), span("2026-03-01", "2026-04-01"));
    let told: Vec<_> = chosen.iter().map(|one| (one.item.id.clone(), one.span)).collect();
    let expected = [
        (item_id("care.deep"), span("2026-03-01", "2026-03-15")),
        (item_id("care.any"), span("2026-03-15", "2026-04-01")),
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_item_that_makes_no_sense_is_refused_with_every_reason() {
    let mut wrong = periodic("care.any", "-1", Selector { tenure: Some(Tenure::Rented), ..Selector::default() });
    wrong.tax.rate = 2.into();
    wrong.until = Some(day("1989-01-01"));
    wrong.kind = FeeKind::Periodic(tollhouse_core::charging::fees::PeriodicTerms { months: 5, ..monthly() });
    let faults = FeeList::new(vec![wrong]).expect_err("faults");
    let whys = [InvalidItem::Price, InvalidItem::TaxRate, InvalidItem::Months, InvalidItem::Dates, InvalidItem::Tenure];
    let expected = whys.map(|why| FeeFault::Invalid { item: item_id("care.any"), why });
    assert_eq!(faults, expected);
}

#[test]
fn a_price_per_square_metre_follows_the_size() {
    let size = "12.50".parse().expect("a size");
    let cases = [
        (PricePer::SquareMetre, "4", 1, "50"),
        (PricePer::SquareMetre, "4", 12, "600"),
        (PricePer::Space { months: 1 }, "80", 3, "240"),
        (PricePer::Space { months: 12 }, "1200", 1, "100"),
        (PricePer::Space { months: 3 }, "100", 12, "400"),
    ];
    for (per, price, months, expected) in cases {
        let is = per.for_months(price.parse().expect("a price"), months, size);
        assert_eq!(is, expected.parse().expect("a price"), "{per:?}");
    }
}

fn any_selector() -> impl Strategy<Value = Selector> {
    let location = prop::option::of(prop::sample::select(Location::ALL));
    let grade = prop::option::of(prop::sample::select(Grade::ALL));
    let used = prop::option::of(prop::sample::select(vec!["residential", "commercial"]));
    (location, grade, used).prop_map(|(location, grade, used)| Selector {
        location,
        grade,
        usage: used.map(usage),
        tenure: None,
    })
}

proptest! {
    /// Of a list that was taken, each day of each class has at most one item of a charge, and it is the most specific.
    #[test]
    fn one_item_a_day_and_none_more_specific(
        all in prop::collection::vec((any_selector(), 0u32..300, 1u32..400), 1..8), asked in 0u32..700
    ) {
        let items: Vec<FeeItem> = all.into_iter().enumerate().map(|(place, (selector, from, days))| {
            let mut one = periodic(&format!("care.{place}"), "1", selector);
            let from = days_after(day("2026-01-01"), from);
            one.price = tollhouse_core::charging::timeline::Timeline::new(from, 1.into(), note());
            one.until = Some(days_after(from, days));
            one
        }).collect();
        let Ok(list) = FeeList::new(items.clone()) else { return Ok(()) };
        let on = days_after(day("2026-01-01"), asked);
        for location in Location::ALL {
            for grade in Grade::ALL {
                let class = SpaceClass { location: *location, grade: *grade, ..class(Tenure::Owned) };
                let fits = |one: &&FeeItem| {
                    one.selector.matches(&class) && one.price.begins() <= on && one.until.is_some_and(|until| on < until)
                };
                let best = items.iter().filter(fits).map(|one| one.selector.specificity()).max();
                let chosen = list.charged(&class, span("2025-01-01", "2029-01-01"));
                let here: Vec<_> = chosen.iter().filter(|one| one.span.has(on)).collect();
                prop_assert!(here.len() <= 1);
                prop_assert_eq!(here.first().map(|one| one.item.selector.specificity()), best);
            }
        }
    }
}
