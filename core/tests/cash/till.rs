//! A till over records in memory, and the stories that it tells.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use std::sync::Arc;
use tollhouse_core::audit::{self, JournalEntry, Texts};
use tollhouse_core::bill::{Bill, BillState};
use tollhouse_core::books::{Account, balance_key};
use tollhouse_core::cash::{
    self, CashReceipt, CashRefusal, CashTerms, Coin, Count, MovedCash, PayOut, Pieces, Shift, ShiftState, ShiftTerms,
    StoredValue, Taking, Tendered,
};
use tollhouse_core::charging::label::CardNumber;
use tollhouse_core::id::{AreaId, BillId, IdKey, LaneId, StayId};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::plate::{Colour, Plate, VehicleKind};
use tollhouse_core::record::{Balance, Cause, Change, ChangeKind, Memory, Records, Table};
use tollhouse_core::stay::{Basis, Inside, Stay, StayState};
use tollhouse_core::tariff::{Plan, TariffBook};

pub(crate) fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

pub(crate) fn counted(minor: i64) -> Count {
    Count { sum: yuan(minor), pieces: vec![] }
}

/// Records, a clock and everything that was committed.
pub(crate) struct Till {
    pub(crate) records: Memory,
    pub(crate) entries: Vec<JournalEntry>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) coin: Coin,
    tariff: TariffBook,
    key: IdKey,
    cars: u32,
}

impl Till {
    pub(crate) fn new() -> Self {
        let demo = include_str!("../../../appliance/tariffs/demo.toml");
        let file = tollhouse_core::tariff::parse::parse(demo).expect("a tariff");
        let tariff = TariffBook::of(Plan::new(Arc::new(file)).expect("a plan"));
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("in range");
        let key = IdKey::new([1; 32]);
        Self { records: Memory::new(), entries: vec![], now, coin: Coin::default(), tariff, key, cars: 0 }
    }

    pub(crate) fn commit(&mut self, change: Change) {
        let position = self.records.take(&change).expect("taken");
        self.entries.push(JournalEntry { position, change, texts: Texts::Whole });
    }

    /// What `tollhouse verify` would find wrong.
    pub(crate) fn broken(&self) -> Vec<String> {
        let mut invariants = audit::all();
        let mut faults = vec![];
        for invariant in &mut invariants {
            self.entries.iter().for_each(|entry| invariant.entry(entry));
            faults.extend(invariant.end(&self.records).err());
        }
        faults
    }

    pub(crate) fn balance(&self, account: &Account) -> i64 {
        let stored = self.records.stored(Table::Balances, &balance_key(account, Currency::Cny)).expect("readable");
        stored.map_or(0, |stored| serde_json::from_str::<Balance>(&stored.json).expect("a balance").sum.minor())
    }

    /// A car that has stood for so many hours, at 5.00 each, and is inside, or has left owing it.
    pub(crate) fn car(&mut self, hours: i64, state: StayState) -> BillId {
        self.cars += 1;
        let plate = Plate::new(&format!("粤C{:05}", self.cars)).expect("a plate");
        let entered_at = self.now - TimeDelta::hours(hours) + TimeDelta::seconds(1);
        let mut stay = Stay {
            id: StayId::derive(&self.key, &[plate.as_str()]),
            plate: plate.clone(),
            colour: Colour::Blue,
            kind: VehicleKind::Small,
            area: AreaId::new("main").expect("a name"),
            basis: Basis::Temporary,
            entered_at,
            entry_lane: LaneId::new("in-1").expect("a name"),
            tariff: None,
            bill: None,
            leave_by: None,
            clock_stopped_at: None,
            state,
            exited_at: (state == StayState::Closed).then_some(self.now),
            exit_lane: None,
            moves: vec![],
            cover: None,
            earlier: vec![],
            unplaced: vec![],
            discounts: vec![],
        };
        let bill = Bill::assessed(None, &stay, self.now, &self.tariff, Decimal::new(9, 2), &self.key).expect("priced");
        stay.bill = Some(bill.id);
        let mut change = Change::new(ChangeKind::BillAssessed, self.now, Cause::Driver);
        bill.write(&mut change, None);
        if state == StayState::Open {
            change.put(&Inside { plate, stay: stay.id });
        }
        change.put(&stay);
        self.commit(change);
        bill.id
    }

    pub(crate) fn bill(&self, id: BillId) -> Bill {
        self.records.get::<Bill>(&id.to_string()).expect("readable").expect("there").record
    }

    pub(crate) fn with<R>(&self, act: impl FnOnce(&CashTerms<'_>) -> R) -> R {
        act(&CashTerms {
            tariff: &self.tariff,
            tax_rate: Decimal::new(9, 2),
            key: &self.key,
            now: self.now,
            today: self.now.date_naive(),
            coin: self.coin,
        })
    }

    fn shift_terms(&self) -> ShiftTerms<'_> {
        ShiftTerms { now: self.now, after: self.records.revision(), key: &self.key }
    }

    pub(crate) fn open(&mut self, attendant: &str, float: i64) -> Result<Shift, CashRefusal> {
        let (change, shift) = cash::open(attendant, &counted(float), &self.shift_terms(), &self.records)?;
        self.commit(change);
        Ok(shift)
    }

    pub(crate) fn take(&mut self, attendant: &str, tendered: Tendered) -> Result<CashReceipt, CashRefusal> {
        let (change, receipt) = self.with(|terms| cash::take(attendant, &tendered, terms, &self.records))?;
        self.commit(change);
        Ok(receipt)
    }

    pub(crate) fn pay_out(&mut self, attendant: &str, what: &PayOut, minor: i64) -> Result<CashReceipt, CashRefusal> {
        let paid = self.with(|terms| cash::pay_out(attendant, what, yuan(minor), "too much", terms, &self.records))?;
        self.commit(paid.0);
        Ok(paid.1)
    }

    pub(crate) fn close(
        &mut self,
        attendant: &str,
        count: &Count,
        reason: Option<&str>,
        next: Option<(&str, &Count)>,
    ) -> Result<Shift, CashRefusal> {
        let closed = cash::close(attendant, count, reason, next, &self.shift_terms(), &self.records)?;
        self.commit(closed.0);
        Ok(closed.1)
    }
}

fn all(bill: BillId, minor: i64) -> Tendered {
    Tendered { bill, amount: yuan(minor), taking: Taking::All }
}

#[test]
fn cash_settles_a_bill_with_change_and_the_drawer_is_counted_to_the_fen() {
    let mut till = Till::new();
    till.open("anna", 20_000).expect("opened");
    let bill = till.car(3, StayState::Closed);
    let receipt = till.take("anna", all(bill, 2_000)).expect("taken");
    assert_eq!((receipt.amount, receipt.change), (yuan(1_500), yuan(500)));
    assert_eq!(till.bill(bill).state, BillState::Paid);
    let closed = till.close("anna", &counted(21_500), None, None).expect("closed");
    assert_eq!(closed.state, ShiftState::Closed);
    assert_eq!(closed.closing.expect("closed").difference, yuan(0));
    assert_eq!((till.balance(&Account::Safe), till.balance(&Account::OverShort)), (1_500, 0));
    assert_eq!(till.broken(), Vec::<String>::new());
}

#[test]
fn a_car_that_pays_cash_while_it_is_inside_may_leave_within_the_grace() {
    let mut till = Till::new();
    till.open("anna", 0).expect("opened");
    let bill = till.car(1, StayState::Open);
    till.take("anna", all(bill, 500)).expect("taken");
    let stay = till.records.get::<Stay>(&till.bill(bill).stay.to_string()).expect("readable").expect("there");
    assert_eq!(stay.record.leave_by, Some(till.now + TimeDelta::minutes(15)));
    let given_back = till.pay_out("anna", &PayOut::StayBill(bill), 500);
    assert_eq!(given_back, Err(CashRefusal::StillInside));
}

#[test]
fn a_difference_needs_a_name_and_goes_to_over_and_short() {
    let mut till = Till::new();
    till.open("anna", 10_000).expect("opened");
    let short = counted(9_990);
    assert_eq!(till.close("anna", &short, None, None), Err(CashRefusal::DifferenceUnnamed(yuan(-10))));
    let closed = till.close("anna", &short, Some("miscounted change"), None).expect("closed");
    assert_eq!(closed.closing.expect("closed").difference, yuan(-10));
    assert_eq!((till.balance(&Account::OverShort), till.balance(&Account::Safe)), (10, -10));
    assert_eq!(till.broken(), Vec::<String>::new());
}

#[test]
fn a_shift_is_handed_over_in_one_entry() {
    let mut till = Till::new();
    till.open("anna", 10_000).expect("opened");
    let shift = till.close("anna", &counted(10_000), None, Some(("bo", &counted(4_000)))).expect("handed over");
    assert!(shift.closing.expect("closed").handed_to.is_some());
    let next = Shift::of("bo", &till.records).expect("bo has a shift").record;
    assert_eq!((next.float, next.from), (yuan(4_000), Some(shift.id)));
    assert_eq!(till.balance(&next.account()), 4_000);
    assert!(matches!(Shift::of("anna", &till.records), Err(CashRefusal::NoShift(_))));
    let too_much = till.close("bo", &counted(4_000), None, Some(("chen", &counted(4_001))));
    assert!(matches!(too_much, Err(CashRefusal::NotThere { .. })));
    assert_eq!(till.broken(), Vec::<String>::new());
}

#[test]
fn less_than_what_is_due_is_taken_only_as_a_part() {
    let mut till = Till::new();
    till.open("anna", 0).expect("opened");
    let bill = till.car(2, StayState::Closed);
    let refused = till.take("anna", all(bill, 900));
    assert_eq!(refused, Err(CashRefusal::NotEnough { due: yuan(1_000), tendered: yuan(900) }));
    let part = Tendered { taking: Taking::Part, ..all(bill, 900) };
    till.take("anna", part).expect("taken");
    assert_eq!(till.bill(bill).due(), yuan(100));
    till.take("anna", all(bill, 100)).expect("taken");
    assert_eq!(till.bill(bill).state, BillState::Paid);
    assert!(matches!(till.take("anna", all(bill, 100)), Err(CashRefusal::Bill(_))));
    assert_eq!(till.broken(), Vec::<String>::new());
}

#[test]
fn what_has_no_coin_is_rounded_and_the_books_say_so() {
    let mut till = Till::new();
    till.coin = Coin::new(1_000).expect("a coin");
    till.open("anna", 1_000).expect("opened");
    let bill = till.car(1, StayState::Closed);
    let receipt = till.take("anna", all(bill, 0)).expect("half a coin is the payer's");
    assert_eq!((receipt.amount, receipt.rounding), (yuan(0), yuan(500)));
    let bill = till.car(3, StayState::Closed);
    let receipt = till.take("anna", all(bill, 2_000)).expect("taken");
    assert_eq!((receipt.amount, receipt.rounding, receipt.change), (yuan(1_000), yuan(500), yuan(1_000)));
    assert_eq!(till.balance(&Account::Rounding), 1_000);
    assert_eq!(till.broken(), Vec::<String>::new());
}

#[test]
fn cash_given_back_takes_revenue_and_tax_back_with_it() {
    let mut till = Till::new();
    till.open("anna", 0).expect("opened");
    let bill = till.car(4, StayState::Closed);
    till.take("anna", all(bill, 2_000)).expect("taken");
    till.pay_out("anna", &PayOut::StayBill(bill), 500).expect("given back");
    let after = till.bill(bill);
    assert_eq!((after.total, after.paid, after.due()), (yuan(1_500), yuan(1_500), yuan(0)));
    assert_eq!((till.balance(&Account::Receivable), till.balance(&Account::TaxDue)), (0, -124));
    let too_much = till.pay_out("anna", &PayOut::StayBill(bill), 1_501);
    assert_eq!(too_much, Err(CashRefusal::NotThere { there: yuan(1_500), wanted: yuan(1_501) }));
    till.pay_out("anna", &PayOut::StayBill(bill), 1_500).expect("given back");
    assert_eq!(till.bill(bill).state, BillState::Refunded);
    assert_eq!((till.balance(&Account::Revenue), till.balance(&Account::TaxDue)), (0, 0));
    let nobodys = till.pay_out("anna", &PayOut::RefundDue("credit note 7".into()), 1);
    assert_eq!(nobodys, Err(CashRefusal::NotThere { there: yuan(0), wanted: yuan(1) }));
    assert_eq!(till.broken(), Vec::<String>::new());
}

#[test]
fn stored_value_is_topped_up_spent_and_given_back() {
    let mut till = Till::new();
    till.open("anna", 0).expect("opened");
    let card = CardNumber::new("C-7").expect("a name");
    let (change, _, line) = cash::top_up("anna", &card, yuan(1_200), till.now, &till.records).expect("topped up");
    till.commit(change);
    assert_eq!(line.balance, yuan(1_200));
    let bill = till.car(2, StayState::Closed);
    let spend = |till: &Till, bill| till.with(|terms| cash::spend(&card, bill, Cause::Driver, terms, &till.records));
    let (change, line) = spend(&till, bill).expect("spent");
    till.commit(change);
    assert_eq!(line.balance, yuan(200));
    assert_eq!(till.bill(bill).state, BillState::Paid);
    let other = till.car(1, StayState::Closed);
    assert!(matches!(spend(&till, other), Err(CashRefusal::NotThere { .. })));
    let given = cash::give_back("anna", &card, yuan(200), "closes the card", till.now, &till.records).expect("given");
    till.commit(given.0);
    let value = till.records.get::<StoredValue>("C-7").expect("readable").expect("there").record;
    assert_eq!((value.balance, till.balance(&Account::Stored)), (yuan(0), 0));
    assert_eq!(till.broken(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_is_refused() {
    let mut till = Till::new();
    for attendant in ["", " anna", &"x".repeat(65)] {
        assert_eq!(till.open(attendant, 0), Err(CashRefusal::Attendant), "{attendant:?}");
    }
    assert_eq!(till.open("anna", -1), Err(CashRefusal::Amount(yuan(-1))));
    till.open("anna", 100).expect("opened");
    assert!(matches!(till.open("anna", 100), Err(CashRefusal::OpenAlready(_))));
    let pieces = Count { sum: yuan(100), pieces: vec![Pieces { value: yuan(10), pieces: 9 }] };
    assert_eq!(till.close("anna", &pieces, None, None), Err(CashRefusal::Count { pieces: yuan(90), sum: yuan(100) }));
    let moved = cash::move_cash("anna", MovedCash::ToSafe, yuan(101), "full", till.now, &till.records);
    assert!(matches!(moved, Err(CashRefusal::NotThere { .. })));
    let moved = cash::move_cash("anna", MovedCash::ToSafe, yuan(1), " ", till.now, &till.records);
    assert!(matches!(moved, Err(CashRefusal::Reason)));
    let nobody = till.take("bo", all(BillId::from_bytes([7; 16]), 1));
    assert!(matches!(nobody, Err(CashRefusal::NoShift(_))));
}
