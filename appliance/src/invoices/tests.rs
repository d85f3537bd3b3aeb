//! The desk over a real store and a provider that takes its time, refuses, and lets confirmations lapse.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use tollhouse_core::bill::{Bill, BillKind, BillState};
use tollhouse_core::id::{BillId, LotId, StayId};
use tollhouse_core::invoice::{Buyer, BuyerKind, Documents, Invoice, InvoiceRefusal, InvoiceState, Numbering};
use tollhouse_core::lot::Lot;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{By, ChangeKind};
use tollhouse_core::user::RoleLimits;

use super::provider::Answer;
use super::{InvoiceAt, InvoiceDesk, InvoiceParts, InvoiceProvider, ReceiptProvider, ReversalAt};
use crate::clock::BoxClock;
use crate::store::{Store, StoreOptions, Undone};

/// A provider that says what the test has told it to; without an answer it is away.
#[derive(Default)]
struct Office {
    says: Mutex<Vec<Result<InvoiceAt, String>>>,
    of_reversals: Mutex<Vec<Result<ReversalAt, String>>>,
    asked: Mutex<Vec<&'static str>>,
}

impl Office {
    fn will_say(&self, answers: Vec<Result<InvoiceAt, String>>) {
        *self.says.lock().expect("no panic") = answers;
    }

    fn will_say_of_reversals(&self, answers: Vec<Result<ReversalAt, String>>) {
        *self.of_reversals.lock().expect("no panic") = answers;
    }

    fn next<T>(&self, call: &'static str, answers: &Mutex<Vec<Result<T, String>>>) -> Result<T, String> {
        self.asked.lock().expect("no panic").push(call);
        let mut answers = answers.lock().expect("no panic");
        if answers.is_empty() { Err("away".to_owned()) } else { answers.remove(0) }
    }
}

impl InvoiceProvider for Office {
    fn name(&self) -> &'static str {
        "office"
    }
    fn request<'a>(&'a self, _: &'a Invoice) -> Answer<'a, InvoiceAt> {
        Box::pin(async { self.next("request", &self.says) })
    }
    fn query<'a>(&'a self, _: &'a Invoice) -> Answer<'a, InvoiceAt> {
        Box::pin(async { self.next("query", &self.says) })
    }
    fn reverse<'a>(&'a self, _: &'a Invoice) -> Answer<'a, ReversalAt> {
        Box::pin(async { self.next("reverse", &self.of_reversals) })
    }
    fn query_reversal<'a>(&'a self, _: &'a Invoice) -> Answer<'a, ReversalAt> {
        Box::pin(async { self.next("query_reversal", &self.of_reversals) })
    }
}

struct Place {
    desk: InvoiceDesk,
    store: Store,
    _folder: tempfile::TempDir,
}

fn place(providers: Vec<Arc<dyn InvoiceProvider>>) -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), StoreOptions::default()).expect("a store");
    let lot = Lot {
        id: LotId::new("demo").expect("a name"),
        name: "海湾花园".to_owned(),
        zone: chrono_tz::Asia::Shanghai,
        currency: Currency::Cny,
        tax_rate: Decimal::new(9, 2),
        capacity: 100,
        areas: vec![],
        lanes: vec![],
        limits: RoleLimits::default(),
        charging: tollhouse_core::charging::policy::ChargingPolicy::default(),
        documents: Documents::default(),
    };
    let parts = InvoiceParts { store: store.clone(), clock: BoxClock::start(1), lot: Arc::new(lot), providers };
    Place { desk: InvoiceDesk::new(parts), store, _folder: folder }
}

fn at() -> DateTime<Utc> {
    "2026-03-01T04:00:00Z".parse().expect("a time")
}

async fn paid_bill(store: &Store, number: u8) -> BillId {
    let (id, sum) = (BillId::from_bytes([number; 16]), Money::new(1_500, Currency::Cny));
    let bill = Bill {
        id,
        kind: BillKind::Temporary,
        stay: StayId::from_bytes([number; 16]),
        plate: Plate::new("粤C12345").expect("a plate"),
        state: BillState::Paid,
        lines: vec![],
        total: sum,
        paid: sum,
        posted: sum,
        posted_tax: Money::zero(Currency::Cny),
        tax_rate: Decimal::new(9, 2),
        assessed_to: at(),
        orders: vec![],
        discounts: vec![],
    };
    let mut change = By::the_box("a test").change(ChangeKind::PaymentCaptured, at());
    change.put(&bill);
    store.commit(change).await.expect("committed");
    id
}

fn person() -> Buyer {
    let none = String::new();
    Buyer {
        kind: BuyerKind::Person,
        title: "李雷".to_owned(),
        uscc: None,
        address: none.clone(),
        phone: none.clone(),
        bank: none.clone(),
        send_to: none,
    }
}

fn by() -> By {
    By::person("mei", "a test")
}

#[actix::test]
async fn receipts_are_issued_at_once_under_numbers_that_follow_each_other() {
    let receipts = Arc::new(ReceiptProvider::new(BoxClock::start(1), chrono_tz::Asia::Shanghai));
    let Place { desk, store, .. } = place(vec![receipts]);
    let mut numbers = vec![];
    for number in 1..=3 {
        let bill = paid_bill(&store, number).await;
        let invoice = desk.request(&InvoiceDesk::of_driver(bill, person()), &by()).await.expect("issued");
        assert_eq!((invoice.state, invoice.remark.as_str()), (InvoiceState::Issued, "车牌 粤C12345"));
        numbers.extend(invoice.number);
    }
    let ends: Vec<&str> = numbers.iter().map(|number| &number[number.len() - 9..]).collect();
    assert_eq!(ends, ["-00000001", "-00000002", "-00000003"]);
    let verdict = store.verify(tollhouse_core::audit::all()).expect("verified");
    let wrong: Vec<_> = verdict.checks.iter().filter(|check| !check.ok && check.name.contains("invoice")).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[actix::test]
async fn a_provider_that_is_away_or_takes_its_time_is_asked_again_and_booked_once() {
    let office = Arc::new(Office::default());
    let Place { desk, store, .. } = place(vec![Arc::<Office>::clone(&office)]);
    let bill = paid_bill(&store, 1).await;
    let asked = desk.request(&InvoiceDesk::of_driver(bill, person()), &by()).await.expect("on record");
    assert_eq!(asked.state, InvoiceState::Requested, "it is away: nothing is concluded from that");
    let again = desk.request(&InvoiceDesk::of_driver(bill, person()), &by()).await;
    assert!(matches!(again, Err(Undone::Refused(InvoiceRefusal::NothingOpen))), "the yuan is taken meanwhile");

    office.will_say(vec![Ok(InvoiceAt::Pending), Err("timeout".to_owned())]);
    desk.round().await;
    desk.round().await;
    assert_eq!(desk.one(asked.id).expect("there").state, InvoiceState::Pending);
    office.will_say(vec![Ok(InvoiceAt::Issued(Numbering::Given("26447000000012345678".to_owned())))]);
    desk.round().await;
    desk.round().await;
    let issued = desk.one(asked.id).expect("there");
    assert_eq!((issued.state, issued.number.as_deref()), (InvoiceState::Issued, Some("26447000000012345678")));
    assert_eq!(*office.asked.lock().expect("no panic"), ["request", "request", "query", "query"], "and no more");
}

#[actix::test]
async fn a_reversal_that_lapses_leaves_the_invoice_and_a_refusal_frees_the_yuan() {
    let office = Arc::new(Office::default());
    let Place { desk, store, .. } = place(vec![Arc::<Office>::clone(&office)]);
    let bill = paid_bill(&store, 1).await;
    let request = InvoiceDesk::of_driver(bill, person());
    office.will_say(vec![Ok(InvoiceAt::Refused("the title is not known".to_owned()))]);
    let refused = desk.request(&request, &by()).await.expect("on record");
    assert_eq!(refused.state, InvoiceState::Failed("the title is not known".to_owned()));
    office.will_say(vec![Ok(InvoiceAt::Issued(Numbering::Given("A1".to_owned())))]);
    let issued = desk.request(&request, &by()).await.expect("issued");

    office.will_say_of_reversals(vec![Ok(ReversalAt::Pending), Ok(ReversalAt::Lapsed("72 h".to_owned()))]);
    desk.reverse(issued.id, "wrong title", &by()).await.expect("asked for");
    desk.round().await;
    assert_eq!(desk.one(issued.id).expect("there").state, InvoiceState::Issued);
    office.will_say_of_reversals(vec![Ok(ReversalAt::Confirmed(Numbering::Given("B1".to_owned())))]);
    let red = desk.reverse(issued.id, "wrong title", &by()).await.expect("asked for again");
    assert_eq!((red.state, red.total.minor()), (InvoiceState::Issued, -1_500));
    assert_eq!(desk.one(issued.id).expect("there").state, InvoiceState::Reversed);
    let (open, all) = desk.of_bill(&tollhouse_core::invoice::BillRef::Stay(bill)).expect("there");
    assert_eq!((open.len(), all.len()), (1, 2), "open again; two were asked for");
}
