//! Random days with planted faults: each planted fault is found in its class, nothing else is, and no row is in two.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::reconciliation::{Carried, Class, Classed, Day, Done, Key, Kind, Origin, Ours, Theirs, partition};

const MERCHANT: &str = "1900000001";

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("in range")
}

/// What befalls a pair of rows on its way into the two books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Sound,
    MissingWithUs,
    MissingWithThem,
    Differs,
    Twice,
    Foreign,
    NearMidnight,
    BeforeMidnight,
    AfterMidnight,
    CarriedAndMissing,
    InConsole,
    NotYetDone,
    Reversed,
}

const FATES: [Fate; 13] = [
    Fate::Sound,
    Fate::MissingWithUs,
    Fate::MissingWithThem,
    Fate::Differs,
    Fate::Twice,
    Fate::Foreign,
    Fate::NearMidnight,
    Fate::BeforeMidnight,
    Fate::AfterMidnight,
    Fate::CarriedAndMissing,
    Fate::InConsole,
    Fate::NotYetDone,
    Fate::Reversed,
];

#[derive(Debug, Clone, Default)]
struct Sides {
    theirs: Vec<Theirs>,
    ours: Vec<Ours>,
    captured: BTreeSet<String>,
    expected: BTreeMap<Class, usize>,
}

impl Sides {
    fn expect(&mut self, class: Class, rows: usize) {
        *self.expected.entry(class).or_default() += rows;
    }

    fn plant(&mut self, number: usize, fate: Fate, refund: bool, minor: i64) {
        let kind = if refund { Kind::Refund } else { Kind::Paid };
        // Two orders share a transaction now and then, as WeChat's do.
        let transaction = format!("T{}", number / 2);
        let key = |kind| Key {
            kind,
            transaction: transaction.clone(),
            order: format!("O{number}"),
            refund: if kind == Kind::Refund { format!("R{number}") } else { String::new() },
        };
        let line = self.theirs.len() + 2;
        let theirs = |kind| Theirs {
            line,
            at: noon(),
            merchant: MERCHANT.into(),
            key: key(kind),
            amount: yuan(minor),
            settled: yuan(minor),
            fee: yuan(0),
            done: Done::Yes,
        };
        let ours = Ours {
            at: noon(),
            key: key(kind),
            amount: yuan(minor),
            done: Done::Yes,
            origin: Origin::Ours,
            carried: Carried::No,
            record: String::new(),
        };
        let (row, end) = (theirs(kind), noon() + TimeDelta::hours(12));
        let both = |sides: &mut Self, theirs: Theirs, ours: Ours, class| {
            sides.captured.insert(theirs.key.order.clone());
            sides.theirs.push(theirs);
            sides.ours.push(ours);
            sides.expect(class, 1);
        };
        match fate {
            Fate::Sound => both(self, row, ours, Class::Matched),
            Fate::BeforeMidnight => both(self, row, Ours { at: end - TimeDelta::hours(30), ..ours }, Class::Matched),
            Fate::AfterMidnight => both(self, row, Ours { at: end + TimeDelta::hours(3), ..ours }, Class::Matched),
            Fate::Differs => {
                let class = if refund { Class::RefundDiffers } else { Class::AmountDiffers };
                both(self, Theirs { amount: yuan(minor + 1), ..row }, ours, class);
            }
            Fate::NotYetDone => {
                let class = if refund { Class::MissingWithUs } else { Class::Matched };
                both(self, row, Ours { done: Done::NotYet, ..ours }, class);
            }
            Fate::Twice => {
                both(self, row.clone(), ours, Class::Matched);
                self.theirs.insert(0, Theirs { amount: yuan(minor + 3), ..row });
                self.expect(Class::Twice, 1);
            }
            Fate::MissingWithUs => {
                self.theirs.push(row);
                self.expect(Class::MissingWithUs, 1);
            }
            Fate::InConsole => {
                self.captured.insert(row.key.order.clone());
                self.theirs.push(Theirs { key: key(Kind::Refund), ..row });
                self.expect(Class::RefundedInConsole, 1);
            }
            Fate::Foreign => {
                self.theirs.push(Theirs { merchant: "1900000002".into(), ..row });
                self.expect(Class::Foreign, 1);
            }
            Fate::Reversed => {
                self.theirs.extend([theirs(Kind::Paid), theirs(Kind::Reversed)]);
                self.expect(Class::Matched, 2);
            }
            Fate::MissingWithThem => {
                self.ours.push(ours);
                self.expect(Class::MissingWithThem, 1);
            }
            Fate::NearMidnight => {
                self.ours.push(Ours { at: end - TimeDelta::minutes(5), ..ours });
                self.expect(Class::CarriedToNextDay, 1);
            }
            Fate::CarriedAndMissing => {
                self.ours.push(Ours { at: end - TimeDelta::hours(25), carried: Carried::Over, ..ours });
                self.expect(Class::MissingWithThem, 1);
            }
        }
    }

    fn partition(&self) -> Vec<Classed> {
        partition(&Day {
            from: noon() - TimeDelta::hours(12),
            until: noon() + TimeDelta::hours(12),
            slack: TimeDelta::hours(1),
            merchant: MERCHANT,
            theirs: &self.theirs,
            ours: &self.ours,
            captured: &self.captured,
        })
    }
}

fn counted(classed: &[Classed]) -> BTreeMap<Class, usize> {
    let mut counted = BTreeMap::new();
    for one in classed {
        *counted.entry(one.class).or_default() += 1;
    }
    counted
}

fn planted() -> impl Strategy<Value = Vec<(Fate, bool, i64)>> {
    let one = (proptest::sample::select(FATES.as_slice()), any::<bool>(), 1i64..100_000);
    proptest::collection::vec(one, 0..80)
}

fn day(planted: &[(Fate, bool, i64)]) -> Sides {
    let mut sides = Sides::default();
    for (number, (fate, refund, minor)) in planted.iter().enumerate() {
        sides.plant(number, *fate, *refund, *minor);
    }
    sides
}

proptest! {
    #[test]
    fn every_planted_fault_is_found_in_its_class_and_every_row_is_in_one(planted in planted()) {
        let sides = day(&planted);
        let classed = sides.partition();
        prop_assert_eq!(counted(&classed), sides.expected.clone());
        let theirs: Vec<usize> = classed.iter().filter_map(|one| one.theirs).collect();
        let ours: Vec<usize> = classed.iter().filter_map(|one| one.ours).collect();
        prop_assert_eq!(theirs.len(), sides.theirs.len());
        prop_assert_eq!(theirs.iter().collect::<BTreeSet<_>>().len(), theirs.len());
        prop_assert_eq!(ours.iter().collect::<BTreeSet<_>>().len(), ours.len());
    }

    #[test]
    fn the_order_of_rows_changes_nothing(planted in planted(), seed in any::<u64>()) {
        let sides = day(&planted);
        let mut mixed = sides.clone();
        let turn = |length: usize| if length == 0 { 0 } else { usize::try_from(seed % length as u64).expect("fits") };
        let (theirs, ours) = (turn(mixed.theirs.len()), turn(mixed.ours.len()));
        mixed.theirs.rotate_left(theirs);
        mixed.ours.rotate_left(ours);
        mixed.theirs.reverse();
        prop_assert_eq!(counted(&mixed.partition()), counted(&sides.partition()));
    }
}

#[test]
fn two_payments_of_one_order_are_two_rows_and_never_one_sum() {
    let mut sides = Sides::default();
    sides.plant(0, Fate::Sound, false, 500);
    let second =
        Theirs { key: Key { transaction: "T-other".into(), ..sides.theirs[0].key.clone() }, ..sides.theirs[0].clone() };
    sides.theirs.push(second);
    let expected = BTreeMap::from([(Class::Matched, 1), (Class::MissingWithUs, 1)]);
    assert_eq!(counted(&sides.partition()), expected);
}
