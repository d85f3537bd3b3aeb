//! Fee items, packages and recommendations.

use chrono::TimeDelta;
use tollhouse::charging::prices::{FeeItemBody, NewPrice, PackageBody, SaleEnd, WantedRecommendation};
use tollhouse_core::id::{LaneId, StayId};
use tollhouse_core::plate::{Colour, Plate, VehicleKind};
use tollhouse_core::record::ChangeKind;
use tollhouse_core::stay::{Basis, Stay, StayState};
use tollhouse_core::tariff::{TariffVersion, parse};

use crate::office::{Office, by, day, item};

#[test]
fn two_items_that_are_equally_specific_are_refused_and_both_are_named() {
    let office = Office::small();
    let prices = &office.charging().prices;
    let rival = FeeItemBody { charge: Some("rent".into()), ..item("rent-b1", "rent", "rented", "250") };
    let why = office.run(prices.add_fee_item(&by("new"), &rival)).expect_err("ambiguous").to_string();
    assert!(why.contains("rent-b1") && why.contains("rent (any/rented/any/any)"), "{why}");
    let narrower = FeeItemBody { location: Some("underground".into()), ..rival };
    office.run(prices.add_fee_item(&by("new"), &narrower)).expect("more specific");
    let faulty = FeeItemBody {
        kind: "yearly".into(),
        price: Some("-1".into()),
        tax_rate: Some("x".into()),
        ..item("y", "", "owned", "1")
    };
    let why = office.run(prices.add_fee_item(&by("new"), &faulty)).expect_err("faults").to_string();
    assert!(["kind", "price", "tax_rate"].iter().all(|field| why.contains(field)), "{why}");
}

#[test]
fn a_price_changes_on_a_day_and_comes_back() {
    let office = Office::small();
    let prices = &office.charging().prices;
    let price = NewPrice { from: day("2027-01-01"), price: "320.50".into() };
    let item = office.run(prices.set_price(&by("dearer"), "rent", &price)).expect("set");
    assert_eq!(item.prices.iter().map(|one| one.price.as_str()).collect::<Vec<_>>(), ["300", "320.5"]);
    assert_eq!(item.item.price.as_deref(), Some("320.5"));
    let back = office.run(prices.take_back_price(&by("not yet"), "rent", day("2027-01-01"))).expect("taken back");
    assert_eq!(back.prices.len(), 1);
    let price = NewPrice { from: day("2027-01-01"), price: "1.23456".into() };
    assert!(office.run(prices.set_price(&by("odd"), "rent", &price)).is_err(), "five decimals");
}

fn quarter() -> PackageBody {
    PackageBody {
        id: "quarter".into(),
        name_zh: "季度套餐".into(),
        name_en: "Quarter".into(),
        length: "quarter".into(),
        classes: "any/rented/any/any".into(),
        bundles: "rent".into(),
        rule: "fixed 750".into(),
        on_sale_from: Some(day("2020-01-01")),
        ..PackageBody::default()
    }
}

/// A stay of a car that ended some days ago.
fn past_stay(office: &Office, number: u8, days_ago: i64) {
    let now = office.charging().cards.parts().now();
    let left = now - TimeDelta::days(days_ago);
    let stay = Stay {
        id: StayId::from_bytes([number; 16]),
        plate: Plate::new("粤C12345").expect("a plate"),
        colour: Colour::Blue,
        kind: VehicleKind::Small,
        area: tollhouse_core::id::AreaId::new("main").expect("an id"),
        basis: Basis::Temporary,
        entered_at: left - TimeDelta::hours(10),
        entry_lane: LaneId::new("in-1").expect("an id"),
        tariff: None,
        bill: None,
        leave_by: None,
        clock_stopped_at: None,
        state: StayState::Closed,
        exited_at: Some(left),
        exit_lane: None,
        moves: vec![],
        cover: None,
        earlier: vec![],
        unplaced: vec![],
        discounts: vec![],
    };
    let mut change = by("a stay").change(ChangeKind::PassagePassed, now);
    change.put(&stay);
    office.run(office.desks.store.commit(change)).expect("taken");
}

#[test]
fn a_recommendation_says_what_is_saved_and_comes_out_the_same_again() {
    let office = Office::small();
    let prices = &office.charging().prices;
    office.run(prices.add_package(&by("new"), &quarter())).expect("made");
    let text = tollhouse::demo::estate::TARIFF;
    let file = parse::parse(text).expect("a tariff");
    let mut change = by("loaded").change(ChangeKind::TariffLoaded, office.charging().cards.parts().now());
    change.put(&TariffVersion::new(&file, text, office.charging().cards.parts().now()));
    office.run(office.desks.store.commit(change)).expect("taken");
    (1..=60).for_each(|number| past_stay(&office, number, i64::from(number)));
    let wanted = WantedRecommendation {
        places: vec!["R-1".into()],
        plates: vec!["粤C12345".into()],
        ..WantedRecommendation::default()
    };
    let made = office.run(prices.recommend(&by("asked"), &wanted)).expect("made");
    assert_eq!((made.candidates.len(), made.stays), (2, 60));
    let best = &made.candidates[0];
    assert_eq!(best.package.as_deref(), Some("quarter"));
    // Sixty stays of ten hours at 40.00 a day; 90 days of the quarter of 92 or less cost no more than 750.00.
    assert_eq!(made.candidates[1].cost, "2400.00");
    let saves: f64 = best.saves.parse().expect("an amount");
    assert!(saves >= 1_650.0 && best.reason.en.contains("you save") && best.reason.zh.contains("节省"), "{best:?}");
    let replay = prices.replay(&made.id).expect("on record");
    assert!(replay.equal && replay.again == made.candidates);
    office
        .run(prices.end_sale(&by("over"), "quarter", &SaleEnd { on_sale_until: Some(office.today()) }))
        .expect("ended");
    past_stay(&office, 99, 1);
    assert!(prices.replay(&made.id).expect("on record").equal, "what changed since plays no part");
}
