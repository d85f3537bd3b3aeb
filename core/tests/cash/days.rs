//! Random days at the till: whatever happens in whatever order, every invariant holds, and what is refused writes nothing.

use proptest::prelude::*;
use tollhouse_core::cash::{self, Coin, MovedCash, PayOut, Shift, Taking, Tendered};
use tollhouse_core::charging::label::CardNumber;
use tollhouse_core::id::BillId;
use tollhouse_core::record::Cause;
use tollhouse_core::stay::StayState;

use super::till::{Till, counted, yuan};

#[derive(Debug, Clone)]
enum Deed {
    Open { who: usize, float: i64 },
    Take { who: usize, hours: i64, given: i64, taking: bool, inside: bool },
    PayOut { who: usize, bill: usize, amount: i64 },
    Safe { who: usize, amount: i64, to: bool },
    TopUp { who: usize, amount: i64 },
    Spend { hours: i64 },
    GiveBack { who: usize, amount: i64 },
    Close { who: usize, off: i64, next: Option<usize>, left: i64 },
}

const WHO: [&str; 3] = ["anna", "bo", "陈"];

fn deed() -> impl Strategy<Value = Deed> {
    let who = 0..WHO.len();
    prop_oneof![
        (who.clone(), 0i64..50_000).prop_map(|(who, float)| Deed::Open { who, float }),
        (who.clone(), 1i64..30, 0i64..6_000, any::<bool>(), any::<bool>())
            .prop_map(|(who, hours, given, taking, inside)| Deed::Take { who, hours, given, taking, inside }),
        (who.clone(), 0usize..20, 1i64..3_000).prop_map(|(who, bill, amount)| Deed::PayOut { who, bill, amount }),
        (who.clone(), 1i64..20_000, any::<bool>()).prop_map(|(who, amount, to)| Deed::Safe { who, amount, to }),
        (who.clone(), 1i64..9_000).prop_map(|(who, amount)| Deed::TopUp { who, amount }),
        (1i64..9).prop_map(|hours| Deed::Spend { hours }),
        (who.clone(), 1i64..9_000).prop_map(|(who, amount)| Deed::GiveBack { who, amount }),
        (who.clone(), -50i64..50, proptest::option::of(who), 0i64..10_000)
            .prop_map(|(who, off, next, left)| Deed::Close { who, off, next, left }),
    ]
}

fn close(till: &mut Till, who: &str, off: i64, next: Option<&str>, left: i64) {
    let Ok(shift) = Shift::of(who, &till.records) else { return };
    let there = shift.record.expected().expect("fits").minor();
    let count = counted((there + off).max(0));
    let left = counted(left.min(count.sum.minor()));
    // Refused where the next one has a shift already: then it stays open.
    let _ = till.close(who, &count, Some("counted again"), next.map(|next| (next, &left)));
}

fn act(till: &mut Till, deed: &Deed, bills: &mut Vec<BillId>) {
    let card = CardNumber::new("C-1").expect("a name");
    let commit = |till: &mut Till, done: Option<_>| done.into_iter().for_each(|change| till.commit(change));
    match *deed {
        Deed::Open { who, float } => drop(till.open(WHO[who], float)),
        Deed::Take { who, hours, given, taking, inside } => {
            let bill = till.car(hours, if inside { StayState::Open } else { StayState::Closed });
            bills.push(bill);
            let taking = if taking { Taking::All } else { Taking::Part };
            drop(till.take(WHO[who], Tendered { bill, amount: yuan(given), taking }));
        }
        Deed::PayOut { who, bill, amount } => {
            if let Some(bill) = bills.get(bill) {
                drop(till.pay_out(WHO[who], &PayOut::StayBill(*bill), amount));
            }
        }
        Deed::Safe { who, amount, to } => {
            let which = if to { MovedCash::ToSafe } else { MovedCash::FromSafe };
            let moved = cash::move_cash(WHO[who], which, yuan(amount), "in between", till.now, &till.records);
            commit(till, moved.ok().map(|moved| moved.0));
        }
        Deed::TopUp { who, amount } => {
            let done = cash::top_up(WHO[who], &card, yuan(amount), till.now, &till.records);
            commit(till, done.ok().map(|done| done.0));
        }
        Deed::Spend { hours } => {
            let bill = till.car(hours, StayState::Closed);
            let done = till.with(|terms| cash::spend(&card, bill, Cause::Driver, terms, &till.records));
            commit(till, done.ok().map(|done| done.0));
        }
        Deed::GiveBack { who, amount } => {
            let done = cash::give_back(WHO[who], &card, yuan(amount), "asked for", till.now, &till.records);
            commit(till, done.ok().map(|done| done.0));
        }
        Deed::Close { who, off, next, left } => close(till, WHO[who], off, next.map(|next| WHO[next]), left),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn whatever_happens_at_the_till_every_drawer_can_be_counted(
        deeds in proptest::collection::vec(deed(), 1..60),
        coin in prop_oneof![Just(1i64), Just(10), Just(50), Just(100)],
    ) {
        let mut till = Till::new();
        till.coin = Coin::new(coin).expect("a coin");
        let mut bills = vec![];
        for deed in &deeds {
            till.now += chrono::TimeDelta::seconds(7);
            act(&mut till, deed, &mut bills);
        }
        prop_assert_eq!(till.broken(), Vec::<String>::new());
    }
}
