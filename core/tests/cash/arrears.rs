//! Arrears: noted from the gate's case, asked for, forgiven in part, paid in cash like any bill.

use tollhouse_core::arrears::{self, Arrears, ForgiveRefusal, HowItLeft};
use tollhouse_core::bill::BillState;
use tollhouse_core::books::Account;
use tollhouse_core::cash::{Taking, Tendered};
use tollhouse_core::id::{BillId, PassageId};
use tollhouse_core::lane::{Case, CaseKind};
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{Cause, Change, ChangeKind, Records};
use tollhouse_core::stay::StayState;

use super::till::{Till, yuan};

fn change(till: &Till) -> Change {
    Change::new(ChangeKind::ArrearsChanged, till.now, Cause::Time)
}

/// A car that has left owing for so many hours, with the gate's case.
fn left(till: &mut Till, hours: i64) -> (BillId, Plate, Case) {
    let bill = till.car(hours, StayState::Closed);
    let stay = till.bill(bill).stay;
    let kind = CaseKind::LeftUnpaid;
    let passage = PassageId::from_bytes([9; 16]);
    let id = format!("{}-{passage}", kind.as_str());
    let case = Case { id, kind, at: till.now, passage, stay: Some(stay), words: kind.words() };
    (bill, till.bill(bill).plate, case)
}

fn noted(till: &mut Till, case: &Case) -> usize {
    let mut change = change(till);
    arrears::note(case, &mut change, &till.records).expect("readable");
    let ops = change.ops.len();
    till.commit(change);
    ops
}

#[test]
fn a_claim_is_noted_once_asked_for_and_settled_by_paying_its_bill() {
    let mut till = Till::new();
    let (bill, plate, case) = left(&mut till, 3);
    assert!(noted(&mut till, &case) > 0);
    assert_eq!(noted(&mut till, &case), 0, "told again, it is noted already");
    let owed = arrears::look(&plate, &till.records).expect("readable");
    assert_eq!((owed.len(), owed[0].bill.due(), owed[0].claim.how), (1, yuan(1_500), HowItLeft::Unopened));
    assert_eq!(till.balance(&Account::Receivable), 1_500, "the books know of the claim");
    till.open("anna", 0).expect("opened");
    till.take("anna", Tendered { bill, amount: yuan(1_500), taking: Taking::All }).expect("taken");
    assert!(arrears::look(&plate, &till.records).expect("readable").is_empty());
    assert_eq!(till.broken(), Vec::<String>::new());
}

#[test]
fn a_claim_is_forgiven_in_part_with_its_revenue_and_tax() {
    let mut till = Till::new();
    let (bill, plate, case) = left(&mut till, 4);
    noted(&mut till, &case);
    let key = Arrears::key_of(&plate, bill);
    let forgive = |till: &Till, minor: Option<i64>, reason: &str| {
        let claim = till.records.get::<Arrears>(&key).expect("readable").expect("noted");
        arrears::forgive(&claim, minor.map(yuan), ("mei", reason), till.now, &till.records)
    };
    assert!(matches!(forgive(&till, Some(2_001), "too much"), Err(ForgiveRefusal::Amount { .. })));
    assert!(matches!(forgive(&till, Some(500), " "), Err(ForgiveRefusal::Reason)));
    let (change, claim, _) = forgive(&till, Some(500), "the barrier was broken").expect("forgiven");
    till.commit(change);
    assert_eq!((claim.forgiven.len(), till.bill(bill).due()), (1, yuan(1_500)));
    assert_eq!((till.balance(&Account::Receivable), till.balance(&Account::TaxDue)), (1_500, -124));
    let (change, ..) = forgive(&till, None, "a doctor on call").expect("forgiven");
    till.commit(change);
    assert_eq!(till.bill(bill).state, BillState::Void);
    assert_eq!((till.balance(&Account::Revenue), till.balance(&Account::TaxDue)), (0, 0));
    assert_eq!(till.broken(), Vec::<String>::new());
}
