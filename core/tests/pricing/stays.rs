//! What a whole stay makes of versions, passes, areas, earlier visits and payments.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::plate::Colour;
use tollhouse_core::tariff::model::{AreaVisit, CoveredSpan, EarlierVisit, Payment, Record};
use tollhouse_core::tariff::{Plan, PriceError, StayFacts, TariffBook, parse};

fn plan(keys: &str) -> Plan {
    let whole = format!("id = \"lot\"\ncurrency = \"CNY\"\ntime_zone = \"Asia/Shanghai\"\n{keys}");
    Plan::new(Arc::new(parse::parse(&whole).unwrap_or_else(|faults| panic!("{faults:?}")))).expect("a plan")
}

fn hourly(version: &str, price: &str, keys: &str) -> Plan {
    plan(&format!("version = \"{version}\"\n{keys}\n[[rate]]\nname = \"hourly\"\nper = \"1h\"\nprice = \"{price}\"\n"))
}

fn at(local: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("2026-03-{local}:00+08:00")).expect("a moment").to_utc()
}

pub(crate) fn stay(enter: &str, exit: &str) -> StayFacts {
    StayFacts::new(at(enter), at(exit), Colour::Blue)
}

pub(crate) fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

fn fee(book: &TariffBook, facts: &StayFacts) -> i64 {
    book.price(facts).expect("priced").total.minor()
}

const FROM_THE_TENTH: &str = "in_force_from = \"2026-03-10 00:00\"";

#[test]
fn the_version_in_force_at_the_entry_prices_the_whole_stay() {
    let book = TariffBook::new(vec![hourly("2", "9.00", FROM_THE_TENTH), hourly("1", "2.00", "")]).expect("a book");
    assert_eq!(fee(&book, &stay("09T22:00", "10T02:00")), 800);
    assert_eq!(fee(&book, &stay("10T00:00", "10T02:00")), 1_800);
    assert_eq!(book.price(&stay("09T22:00", "10T02:00")).expect("priced").tariff, "lot@1");
}

#[test]
fn by_moment_each_version_prices_its_part_and_free_time_is_measured_on_the_whole() {
    let keys = "version_by = \"moment\"\nfree = \"30min\"";
    let versions = vec![hourly("1", "2.00", keys), hourly("2", "9.00", &format!("{keys}\n{FROM_THE_TENTH}"))];
    let book = TariffBook::new(versions).expect("a book");
    assert_eq!(fee(&book, &stay("09T23:00", "10T01:00")), 1_100);
    assert_eq!(fee(&book, &stay("09T23:50", "10T00:20")), 0);
    assert_eq!(fee(&book, &stay("09T23:50", "10T00:21")), 1_100);
}

#[test]
fn a_stay_that_names_a_former_version_is_priced_by_it() {
    let book = TariffBook::of(hourly("2", "9.00", "")).with_former(vec![hourly("1", "2.00", "")]);
    let named = |version: &str| StayFacts { version: Some(version.into()), ..stay("09T08:00", "09T09:00") };
    assert_eq!(fee(&book, &named("lot@1")), 200);
    assert_eq!(fee(&book, &named("lot@2")), 900);
    assert_eq!(fee(&book, &named("lot@unheard of")), 900);
}

#[test]
fn versions_of_two_tariffs_make_no_book() {
    let other = plan("version = \"1\"\n[[rate]]\nper = \"1h\"\nprice = \"1.00\"\n");
    let twice = TariffBook::new(vec![hourly("1", "2.00", ""), other]);
    assert!(matches!(twice, Err(PriceError::NotOneTariff)), "both are in force since ever");
    assert!(matches!(TariffBook::new(vec![]), Err(PriceError::NotOneTariff)));
}

#[test]
fn what_a_pass_covers_is_not_charged_and_the_rest_has_no_free_time() {
    let book = TariffBook::of(hourly("1", "2.00", "free = \"30min\""));
    let covered = vec![CoveredSpan { from: at("09T08:00"), to: at("09T18:00") }];
    let facts = StayFacts { covered, ..stay("09T07:50", "09T19:10") };
    assert_eq!(fee(&book, &facts), 200 + 400);
    let inside = StayFacts { until: at("09T18:00"), entered_at: at("09T08:00"), ..facts };
    assert_eq!(fee(&book, &inside), 0);
}

#[test]
fn an_inner_area_prices_its_own_time_while_the_outer_clock_stands() {
    let book = TariffBook::of(plan(
        "version = \"1\"\n[areas]\ninner = \"Inner\"\n[[scheme]]\nname = \"outer\"\n[[scheme.rate]]\nper = \"1h\"\nprice = \"2.00\"\n\
         [[scheme]]\nname = \"inner\"\nareas = [\"inner\"]\n[[scheme.rate]]\nper = \"1h\"\nprice = \"10.00\"\n",
    ));
    let areas = vec![AreaVisit { area: "inner".into(), enter: at("09T08:30"), exit: at("09T10:00") }];
    // Outside 08:00-08:30 and 10:00-10:30: one hour; inside an hour and a half.
    assert_eq!(fee(&book, &StayFacts { areas, ..stay("09T08:00", "09T10:30") }), 200 + 2_000);
}

/// It once never ended: behind the last area of a stay the walk looked for the unit's rest in one endless cycle.
#[test]
fn a_unit_that_is_shared_out_and_under_way_when_its_area_is_left_ends_there() {
    let area = "version = \"1\"\n[areas]\ninner = \"inner\"\n\
        [[scheme]]\nname = \"outer\"\n[[scheme.rate]]\nper = \"1h\"\nprice = \"1.00\"\n\
        [[scheme]]\nname = \"inner\"\nareas = \"inner\"\nboundary = \"split\"\n\
        [[scheme.rate]]\nper = \"20min\"\nprice = \"2.00\"\n";
    let inside = AreaVisit { area: "inner".into(), enter: at("09T09:00"), exit: at("09T10:30") };
    let facts = StayFacts { areas: vec![inside], ..stay("09T08:00", "09T12:00") };
    assert_eq!(fee(&TariffBook::of(plan(area)), &facts), 1_300, "3 x 1.00 outside, 5 x 2.00 inside");
}

#[test]
fn visits_of_one_day_share_its_cap() {
    let cap = "[[cap]]\nper = \"calendar_day\"\nmax = \"20.00\"\nvisits = \"together\"\n";
    let book = TariffBook::of(hourly("1", "5.00", cap));
    let before = |enter, exit| EarlierVisit { enter: at(enter), exit: at(exit), paid: None };
    let twice = StayFacts { earlier: vec![before("09T08:00", "09T11:00")], ..stay("09T14:00", "09T18:00") };
    assert_eq!(fee(&book, &twice), 500, "15.00 of 20.00 were used up");
    let earlier = vec![before("08T22:00", "09T02:00"), before("09T08:00", "09T09:00")];
    let over_midnight = StayFacts { earlier, ..stay("09T14:00", "09T18:00") };
    assert_eq!(fee(&book, &over_midnight), 500, "two hours of the night and one of the morning were of this day");
    assert_eq!(fee(&book, &StayFacts { earlier: vec![before("08T08:00", "08T18:00")], ..twice }), 2_000);
}

#[test]
fn who_pays_and_waits_out_the_grace_owes_the_fee_from_the_entry() {
    let book = TariffBook::of(hourly("1", "5.00", "free = \"15min\"\nexit_grace = \"15min\""));
    let payments = vec![Payment { at: at("09T10:00"), amount: None }];
    let owed =
        |exit: &str| book.owed(&StayFacts { payments: payments.clone(), ..stay("09T08:00", exit) }).expect("priced");
    assert_eq!((owed("09T10:15").due, owed("09T10:15").leave_by), (yuan(0), Some(at("09T10:15"))));
    assert_eq!((owed("09T10:16").due, owed("09T10:16").paid), (yuan(500), yuan(1_000)));
    assert_eq!(owed("09T10:16").assessment.total, yuan(1_500));
    assert_eq!(owed("09T09:00").due, yuan(500), "a payment counts from its moment on");
}

#[test]
fn a_lost_record_costs_what_the_tariff_says() {
    let lost = |keys: &str| {
        let book = TariffBook::of(hourly("1", "5.00", &format!("[lost_record]\n{keys}\n")));
        fee(&book, &StayFacts { record: Record::Lost, ..stay("09T08:00", "09T10:00") })
    };
    assert_eq!(lost("fee = \"30.00\""), 3_000);
    assert_eq!(lost("fee = \"30.00\"\ninstead = \"on_top\""), 4_000);
    assert_eq!(lost("fee = \"3.00\"\ninstead = \"at_least\""), 1_000);
    assert_eq!(lost("as_if = \"24h\""), 12_000);
}

#[test]
fn a_stay_beyond_all_bounds_is_refused() {
    let book = TariffBook::of(hourly("1", "5.00", ""));
    let far = StayFacts { entered_at: DateTime::UNIX_EPOCH, ..stay("09T08:00", "09T10:00") };
    assert_eq!(book.price(&far), Err(PriceError::OutOfTime));
    let backwards = stay("09T10:00", "09T08:00");
    assert_eq!(fee(&book, &backwards), 0);
}
