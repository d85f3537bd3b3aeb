//! Random stays: where the car was, visits before, payments, passes, lost records, another calendar. Each about one time in
//! five, alone and together.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::select;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::plate::Colour;
use tollhouse_core::tariff::model::{AreaVisit, CoveredSpan, EarlierVisit, Payment, Record, WrittenStay};

type Moment = DateTime<Utc>;

/// A stay from then to then.
pub(crate) fn stay(enter: Moment, exit: Moment) -> impl Strategy<Value = WrittenStay> {
    let car = select(vec!["small", "large", "new_energy"]);
    let record = prop_oneof![12 => Just(Record::Known), 1 => Just(Record::Lost)];
    let facts = (areas(enter, exit), earlier(enter), payments(enter, exit), covered(enter, exit));
    (car, record, facts).prop_map(move |(car, record, (areas, earlier, payments, covered))| WrittenStay {
        enter,
        exit,
        vehicle: Some(car.to_owned()),
        colour: Colour::Unknown,
        areas,
        earlier,
        payments,
        record,
        covered,
        calendar: None,
    })
}

fn money() -> impl Strategy<Value = Money> {
    (0_i64..40).prop_map(|half| Money::new(half * 50, Currency::Cny))
}

/// Up to two times in the inner area.
fn areas(enter: Moment, exit: Moment) -> impl Strategy<Value = Vec<AreaVisit>> {
    let visit = (prop_oneof![1 => Just(0_i64), 3 => 0_i64..300], 1_i64..300);
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(visit, 1..3)].prop_map(move |visits| {
        let (mut at, mut made) = (enter, Vec::new());
        for (after, long) in visits {
            let from = (at + TimeDelta::minutes(after)).min(exit);
            at = (from + TimeDelta::minutes(long)).min(exit);
            if from < at {
                made.push(AreaVisit { area: "inner".to_owned(), enter: from, exit: at });
            }
        }
        made
    })
}

/// Visits before, the oldest first, at distances that matter to a return or a day.
fn earlier(enter: Moment) -> impl Strategy<Value = Vec<EarlierVisit>> {
    let away = prop_oneof![4 => select(vec![1_i64, 5, 10, 11, 20, 30, 31, 60]), 1 => 60_i64..1_500];
    let paid = prop::option::weighted(0.2, money());
    let visit = (away, prop_oneof![2 => 1_i64..60, 1 => 60_i64..900], paid);
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(visit, 1..4)].prop_map(move |visits| {
        let (mut next, mut made) = (enter, Vec::new());
        for (away, long, paid) in visits {
            let exit = next - TimeDelta::minutes(away);
            next = exit - TimeDelta::minutes(long);
            made.push(EarlierVisit { enter: next, exit, paid });
        }
        made.reverse();
        made
    })
}

/// Payments during the stay, the last of them often near its end.
fn payments(enter: Moment, exit: Moment) -> impl Strategy<Value = Vec<Payment>> {
    let before_exit = prop_oneof![select(vec![0_i64, 1, 4, 5, 6, 14, 15, 16, 30, 31]), 0_i64..600];
    let payment = (before_exit, prop::option::weighted(0.3, money()));
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(payment, 1..4)].prop_map(move |payments| {
        let at = |before: i64| (exit - TimeDelta::minutes(before)).max(enter);
        let made = payments.into_iter().map(|(before, amount)| Payment { at: at(before), amount });
        let mut made: Vec<Payment> = made.collect();
        made.sort_by_key(|payment| payment.at);
        made
    })
}

/// What a pass covers: in order, apart, and within the stay.
fn covered(enter: Moment, exit: Moment) -> impl Strategy<Value = Vec<CoveredSpan>> {
    let span = (prop_oneof![1 => Just(0_i64), 3 => 0_i64..400], 1_i64..600);
    prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(span, 1..3)].prop_map(move |spans| {
        let (mut at, mut made) = (enter, Vec::new());
        for (after, long) in spans {
            let from = (at + TimeDelta::minutes(after)).min(exit);
            at = (from + TimeDelta::minutes(long)).min(exit);
            if from < at {
                made.push(CoveredSpan { from, to: at });
            }
        }
        made
    })
}
