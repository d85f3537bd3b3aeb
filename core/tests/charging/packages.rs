//! What packages cost, and the back-test: the recommended one is always the cheapest of those on sale for that history.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;
use tollhouse_core::charging::calendar::{Span, days_after};
use tollhouse_core::charging::estate::{Location, SpaceClass, Tenure};
use tollhouse_core::charging::fees::{FeeKind, FeeList, PricePer, Selector};
use tollhouse_core::charging::label::{Charge, PackageId, PoolId};
use tollhouse_core::charging::packages::{
    Asker, Candidate, Choice, Holds, Length, NoOffer, Package, PackageFault, PastStay, PriceRule, SoldPlace, Tier,
    TierRule, offer, recommend,
};
use tollhouse_core::charging::place::Place;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::plate::{Plate, VehicleKind};

use crate::sample::{card, class, day, held, item, key, monthly, note, span, yuan};

fn package(id: &str, length: Length, rule: PriceRule) -> Package {
    Package {
        id: PackageId::new(id).expect("an id"),
        name: tollhouse_core::words::Words::new(format!("套餐{id}"), format!("package {id}")),
        length,
        classes: vec![Selector::default()],
        vehicles: vec![],
        bundles: ["rent", "care"].map(|charge| Charge::new(charge).expect("a charge")).to_vec(),
        rule,
        on_sale_from: day("2025-01-01"),
        on_sale_until: None,
        tax: item("x", FeeKind::Deposit, "1").tax,
        late_fee: None,
        due_days: 7,
    }
}

fn fees() -> FeeList {
    FeeList::new(vec![
        item("care", FeeKind::Periodic(monthly()), "100"),
        item("light", FeeKind::Periodic(monthly()), "10"),
        item("rent", FeeKind::Rent(PricePer::Space { months: 1 }), "300"),
    ])
    .expect("no fault")
}

fn sold(many: u32, tenure: Tenure) -> Vec<SoldPlace> {
    let pool = PoolId::new("monthly").expect("an id");
    let one = |place| SoldPlace {
        place: Place::Pool(pool.clone(), place),
        class: class(tenure),
        size: "12.50".parse().expect("a size"),
        capacity: 1,
    };
    (1..=many).map(one).collect()
}

fn tiers() -> PriceRule {
    let tier = |from_places, rule| Tier { from_places, rule };
    let (two, five) = (TierRule::PercentOff(Decimal::new(1, 1)), TierRule::Fixed(200.into()));
    PriceRule::Tiers(vec![tier(1, TierRule::PercentOff(Decimal::ZERO)), tier(2, two), tier(5, five)])
}

#[test]
fn each_price_rule_makes_its_price() {
    let off = PriceRule::PercentOff(Decimal::new(15, 2));
    let eleven = PriceRule::TermsForPrice { terms: 12, price_of: 11 };
    // package, places, price of each, first day after
    let cases = [
        (package("fixed", Length::Months(3), PriceRule::Fixed(750.into())), 1, "750", "2026-05-01"),
        (package("off", Length::Months(3), off), 1, "765", "2026-05-01"),
        (package("eleven", Length::Months(1), eleven), 1, "3300", "2027-02-01"),
        (package("tiers", Length::Months(1), tiers()), 1, "300", "2026-03-01"),
        (package("tiers", Length::Months(1), tiers()), 4, "270", "2026-03-01"),
        (package("tiers", Length::Months(1), tiers()), 5, "200", "2026-03-01"),
        (package("days", Length::Days(14), PriceRule::PercentOff(Decimal::ZERO)), 1, "150", "2026-02-15"),
    ];
    for (package, places, price, until) in cases {
        assert_eq!(package.faults(), []);
        let places = sold(places, Tenure::Rented);
        let offered = offer(&package, &places, day("2026-02-01"), day("2026-01-20"), &fees(), Currency::Cny);
        let offered = offered.expect("an offer");
        assert_eq!(offered.places[0].price, price.parse::<Decimal>().expect("a price"), "{}", package.id);
        assert_eq!(offered.span, span("2026-02-01", until), "{}", package.id);
    }
}

#[test]
fn a_package_is_sold_while_it_is_on_sale_and_for_its_classes() {
    let mut one = package("one", Length::Months(1), PriceRule::Fixed(1.into()));
    one.on_sale_until = Some(day("2026-02-01"));
    let ask = |package: &Package, places: &[SoldPlace], on: &str| {
        offer(package, places, day("2026-03-01"), day(on), &fees(), Currency::Cny).map(|_| ())
    };
    let places = sold(1, Tenure::Rented);
    assert_eq!(ask(&one, &places, "2026-01-31"), Ok(()));
    assert_eq!(ask(&one, &places, "2026-02-01"), Err(NoOffer::NotOnSale(day("2026-02-01"))));
    one.classes = vec![Selector { location: Some(Location::OpenAir), ..Selector::default() }];
    assert_eq!(ask(&one, &places, "2026-01-31"), Err(NoOffer::NotForClass(class(Tenure::Rented))));
    assert_eq!(ask(&one, &[], "2026-01-31"), Err(NoOffer::NoPlaces));
    let both = [sold(1, Tenure::Rented), sold(1, Tenure::Owned)].concat();
    assert_eq!(ask(&one, &both, "2026-01-31"), Err(NoOffer::Mixed));
}

#[test]
fn a_package_that_makes_no_sense_says_why() {
    let tier = |from_places| Tier { from_places, rule: TierRule::Fixed(1.into()) };
    let cases = [
        (Length::Months(5), PriceRule::Fixed(1.into()), PackageFault::Length),
        (Length::Days(0), PriceRule::Fixed(1.into()), PackageFault::Length),
        (Length::Months(1), PriceRule::Fixed((-1).into()), PackageFault::Price),
        (Length::Months(1), PriceRule::PercentOff(2.into()), PackageFault::Price),
        (Length::Months(1), PriceRule::TermsForPrice { terms: 3, price_of: 4 }, PackageFault::Terms),
        (Length::Months(1), PriceRule::TermsForPrice { terms: 3, price_of: 0 }, PackageFault::Terms),
        (Length::Months(1), PriceRule::Tiers(vec![]), PackageFault::Tiers),
        (Length::Months(1), PriceRule::Tiers(vec![tier(2)]), PackageFault::Tiers),
        (Length::Months(1), PriceRule::Tiers(vec![tier(1), tier(1)]), PackageFault::Tiers),
    ];
    for (length, rule, why) in cases {
        assert_eq!(package("x", length, rule.clone()).faults(), [why], "{rule:?}");
    }
}

/// 5.00 per started hour of what is uncovered.
fn by_hour(_: &PastStay, uncovered: &[(DateTime<Utc>, DateTime<Utc>)]) -> Money {
    let hours: i64 = uncovered.iter().map(|(from, to)| ((*to - *from).num_minutes() + 59) / 60).sum();
    Money::new(hours * 500, Currency::Cny)
}

fn stay(car: u32, entered: DateTime<Utc>, minutes: i64) -> PastStay {
    PastStay {
        plate: Plate::new(&format!("粤C{car:05}")).expect("a plate"),
        kind: if car == 3 { VehicleKind::NewEnergy } else { VehicleKind::Small },
        entered_at: entered,
        left_at: entered + TimeDelta::minutes(minutes),
    }
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

#[test]
fn a_recommendation_says_why_in_a_sentence() {
    // 103 days with 8 hours each at 40.00 would be 90 × 40 = 3,600.00.
    let horizon = span("2026-01-01", "2026-04-01");
    let stays = (0..90).map(|number| stay(1, midnight(days_after(horizon.from, number)), 480)).collect();
    let asker = Asker { places: sold(1, Tenure::Rented), holds: Holds::Nothing, stays, horizon };
    let quarter = package("quarter", Length::Months(3), PriceRule::Fixed(800.into()));
    let year = package("year", Length::Months(12), PriceRule::Fixed(3000.into()));
    let ranked = recommend(&asker, &[year, quarter], &fees(), &by_hour, day("2026-04-01"), Currency::Cny);
    let told: Vec<(&Choice, Money, Option<Money>)> =
        ranked.iter().map(|one| (&one.choice, one.cost, one.full_price)).collect();
    let id = |text: &str| Choice::Package(PackageId::new(text).expect("an id"));
    // A year counts by day: 3,000 × 90 ÷ 365, with its full price beside.
    assert_eq!(told[0], (&id("year"), yuan("739.73"), Some(yuan("3000"))));
    assert_eq!(told[1], (&id("quarter"), yuan("800"), None));
    assert_eq!(told[2], (&Choice::NoPackage, yuan("3600"), None));
    assert_eq!(
        ranked[1].reason.en,
        "your last 90 days would have cost 3600.00, package quarter 800.00: you save 2800.00"
    );
    assert_eq!(ranked[1].reason.zh, "最近90天本需3600.00元，套餐quarter为800.00元：节省2800.00元");
}

#[test]
fn a_tie_goes_to_the_shorter_term_and_none_is_the_shortest() {
    let horizon = span("2026-01-01", "2026-04-01");
    let asker = Asker { places: sold(1, Tenure::Rented), holds: Holds::Places, stays: vec![], horizon };
    let same = |id: &str, months, price: i64| package(id, Length::Months(months), PriceRule::Fixed(price.into()));
    let packages = [same("c3", 3, 900), same("b1", 1, 300)];
    let ranked = recommend(&asker, &packages, &fees(), &by_hour, day("2026-04-01"), Currency::Cny);
    assert!(ranked.iter().all(|one| one.cost == yuan("900")));
    let days: Vec<i64> = ranked.iter().map(|one| one.term_days).collect();
    assert_eq!(days, [0, 31, 90]);
}

#[test]
fn what_a_card_then_pays_is_what_was_recommended() {
    let horizon = span("2026-01-01", "2026-04-01");
    let asker = Asker { places: sold(1, Tenure::Rented), holds: Holds::Nothing, stays: vec![], horizon };
    let quarter = package("quarter", Length::Months(3), PriceRule::PercentOff(Decimal::new(7, 2)));
    let ranked = recommend(&asker, std::slice::from_ref(&quarter), &fees(), &by_hour, day("2026-01-01"), Currency::Cny);
    let cost = ranked.iter().find(|one| one.choice != Choice::NoPackage).expect("a candidate").cost;
    let offered =
        offer(&quarter, &asker.places, horizon.from, day("2026-01-01"), &fees(), Currency::Cny).expect("an offer");
    let mut holding = held("1", "2026-01-01", None);
    holding.place = asker.places[0].place.clone();
    let (_, bill) = card(vec![holding]).sell(&offered, day("2026-01-01"), &key(), &note()).expect("sold");
    assert_eq!(bill.total(), cost);
}

/// A reckoning of its own: day by day and minute by minute, with nothing of the recommendation's code.
mod apart {
    use super::*;

    fn half_up(exact: Decimal) -> i64 {
        let fen = exact * Decimal::ONE_HUNDRED + Decimal::new(5, 1);
        i64::try_from(fen.floor()).expect("small")
    }

    fn days_in_month(on: NaiveDate) -> i64 {
        use chrono::Datelike;
        let next = if on.month() == 12 { (on.year() + 1, 1) } else { (on.year(), on.month() + 1) };
        let first = |(year, month)| NaiveDate::from_ymd_opt(year, month, 1).expect("a date");
        (first(next) - first((on.year(), on.month()))).num_days()
    }

    /// Fees of a place by day, of so many yuan a month.
    fn fees(monthly: i64, horizon: Span) -> i64 {
        let mut by_month: std::collections::BTreeMap<i64, i64> = std::collections::BTreeMap::new();
        let mut on = horizon.from;
        while on < horizon.until {
            *by_month.entry(days_in_month(on)).or_default() += 1;
            on = on.succ_opt().expect("a date");
        }
        half_up(by_month.iter().map(|(of, days)| Decimal::from(monthly * days) / Decimal::from(*of)).sum())
    }

    fn package_cost(package: &Package, places: i64, tenure: Tenure, horizon: Span) -> i64 {
        let mut total = 0;
        let mut from = horizon.from;
        while from < horizon.until {
            let term = package.term_from(from);
            let monthly = Decimal::from(if tenure == Tenure::Owned { 100 } else { 300 });
            let base = match package.length {
                Length::Months(months) => monthly * Decimal::from(months),
                Length::Days(days) => (0..u32::from(days))
                    .map(|after| monthly / Decimal::from(days_in_month(days_after(from, after))))
                    .sum(),
            };
            let price = half_up(package.price(base, u32::try_from(places).expect("few")));
            let inside = (term.until.min(horizon.until) - from).num_days();
            let part = if term.until <= horizon.until {
                price
            } else {
                half_up(Decimal::new(price, 2) * (Decimal::from(inside) / Decimal::from(term.days())))
            };
            total += part * places;
            from = term.until;
        }
        total
    }

    /// Who has a place, looked at every minute: whoever has one keeps it, a free one goes to who waited longest.
    fn stays(stays: &[PastStay], capacity: usize, covers: impl Fn(&PastStay) -> bool) -> i64 {
        let mut total = 0;
        let able: Vec<&PastStay> = stays.iter().filter(|stay| covers(stay)).collect();
        for stay in stays.iter().filter(|stay| !covers(stay)) {
            total += super::by_hour(stay, &[(stay.entered_at, stay.left_at)]).minor();
        }
        let Some(first) = able.iter().map(|stay| stay.entered_at).min() else { return total };
        let last = able.iter().map(|stay| stay.left_at).max().expect("not empty");
        let mut has = vec![false; able.len()];
        let mut waited = vec![0i64; able.len()];
        let mut now = first;
        while now <= last {
            for (number, stay) in able.iter().enumerate() {
                has[number] &= now < stay.left_at;
            }
            let mut waiting: Vec<usize> = (0..able.len())
                .filter(|number| !has[*number] && able[*number].entered_at <= now && now < able[*number].left_at)
                .collect();
            waiting.sort_by_key(|number| (able[*number].entered_at, *number));
            for number in waiting {
                if has.iter().filter(|has| **has).count() < capacity {
                    has[number] = true;
                } else {
                    waited[number] += 1;
                }
            }
            now += TimeDelta::minutes(1);
        }
        total + waited.iter().map(|minutes| (minutes + 59) / 60 * 500).sum::<i64>()
    }

    pub(super) fn cost(asker: &Asker, package: Option<&Package>) -> i64 {
        let (places, tenure) = (asker.places.len(), asker.places[0].class.tenure);
        let count = i64::try_from(places).expect("few");
        // Management 100 and light 10 for an owned space, rent 300; the package bundles all but light.
        let (all, unbundled) = if tenure == Tenure::Owned { (110, 10) } else { (300, 0) };
        let fee = |monthly| fees(monthly, asker.horizon) * count;
        match package {
            Some(package) => {
                package_cost(package, count, tenure, asker.horizon)
                    + fee(unbundled)
                    + stays(&asker.stays, places, |stay| package.takes(stay.kind))
            }
            None if asker.holds == Holds::Places => fee(all) + stays(&asker.stays, places, |_| true),
            None => stays(&asker.stays, places, |_| false),
        }
    }
}

fn any_package() -> impl Strategy<Value = Package> {
    let length = prop_oneof![
        prop::sample::select(vec![1u8, 3, 6, 12]).prop_map(Length::Months),
        (1u16..120).prop_map(Length::Days)
    ];
    let rule = prop_oneof![
        (0i64..300_000).prop_map(|fen| PriceRule::Fixed(Decimal::new(fen, 2))),
        (0i64..=100).prop_map(|off| PriceRule::PercentOff(Decimal::new(off, 2))),
        (1u8..6, 1u8..6).prop_map(|(a, b)| PriceRule::TermsForPrice { terms: a.max(b), price_of: a.min(b) }),
        Just(tiers()),
    ];
    let kinds = prop::sample::select(vec![vec![], vec![VehicleKind::Small], vec![VehicleKind::NewEnergy]]);
    (length, rule, kinds, any::<bool>(), any::<bool>()).prop_map(|(length, rule, vehicles, over, elsewhere)| {
        let mut one = package("x", length, rule);
        one.vehicles = vehicles;
        one.on_sale_until = over.then(|| day("2026-01-01"));
        if elsewhere {
            one.classes = vec![Selector { location: Some(Location::OpenAir), ..Selector::default() }];
        }
        one
    })
}

fn any_asker() -> impl Strategy<Value = Asker> {
    let stays = prop::collection::vec((1u32..4, 0i64..2_000, 1i64..900), 0..7);
    (1u32..4, any::<bool>(), any::<bool>(), stays, 1u32..200).prop_map(|(places, owned, holds, stays, days)| {
        let horizon = Span::new(day("2026-01-01"), days_after(day("2026-01-01"), days)).expect("days");
        let stays = stays
            .into_iter()
            .map(|(car, after, minutes)| stay(car, midnight(horizon.from) + TimeDelta::minutes(after), minutes))
            .collect();
        let (tenure, holds) = if owned {
            (Tenure::Owned, Holds::Places)
        } else {
            (Tenure::Rented, if holds { Holds::Places } else { Holds::Nothing })
        };
        Asker { places: sold(places, tenure), holds, stays, horizon }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// The back-test: what is recommended costs what a reckoning of its own says, and no package on sale, nor none, costs
    /// less; the same question gives the same answer.
    #[test]
    fn the_recommended_package_is_the_cheapest_of_those_on_sale(
        asker in any_asker(), mut packages in prop::collection::vec(any_package(), 0..6)
    ) {
        for (number, package) in packages.iter_mut().enumerate() {
            package.id = PackageId::new(&format!("p{number}")).expect("an id");
        }
        let on = day("2026-06-01");
        let ranked = recommend(&asker, &packages, &fees(), &by_hour, on, Currency::Cny);
        let is: SpaceClass = asker.places[0].class.clone();
        let on_sale: Vec<&Package> = packages.iter().filter(|one| one.is_on_sale(on) && one.is_for(&is)).collect();
        prop_assert_eq!(ranked.len(), on_sale.len() + 1, "each on sale, and none");
        let mut costs: Vec<i64> = on_sale.iter().map(|package| apart::cost(&asker, Some(package))).collect();
        costs.push(apart::cost(&asker, None));
        let reckoned = |candidate: &Candidate| match &candidate.choice {
            Choice::NoPackage => apart::cost(&asker, None),
            Choice::Package(id) => apart::cost(&asker, on_sale.iter().find(|one| one.id == *id).copied()),
        };
        for candidate in &ranked {
            prop_assert_eq!(candidate.cost.minor(), reckoned(candidate), "{:?}", candidate.choice);
        }
        prop_assert_eq!(Some(ranked[0].cost.minor()), costs.into_iter().min());
        let mut turned = packages.clone();
        turned.reverse();
        prop_assert_eq!(recommend(&asker, &turned, &fees(), &by_hour, on, Currency::Cny), ranked);
    }
}
