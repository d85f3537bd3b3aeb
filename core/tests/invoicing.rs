//! Invoices over random orders of events: each yuan at most once, numbers without gaps, whatever fails, lapses or is told
//! twice. Every invariant has a fault that it must find.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;
use tollhouse_core::audit::{self, JournalEntry, Texts};
use tollhouse_core::bill::{Bill, BillKind, BillState};
use tollhouse_core::books::split_tax;
use tollhouse_core::id::{BillId, IdKey, InvoiceId, StayId};
use tollhouse_core::invoice::{
    BillRef, Buyer, BuyerKind, Invoice, InvoiceNumber, InvoiceRefusal, InvoiceSeries, InvoiceState, Invoiced,
    Numbering, Seller, Wanted, failed, issued, pending, request, reversal_confirmed, reversal_lapsed, reverse,
};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{Cause, Change, ChangeKind, Kept, Memory, Records};

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn next() -> Numbering {
    Numbering::Next { series: "R2024".into() }
}

fn buyer() -> Buyer {
    let none = String::new();
    Buyer {
        kind: BuyerKind::Firm,
        title: "海湾商贸有限公司".into(),
        uscc: Some("91350100M000100Y43".parse().expect("valid")),
        address: none.clone(),
        phone: none.clone(),
        bank: none.clone(),
        send_to: none,
    }
}

/// Records with the journal that made them.
#[derive(Default)]
struct Box {
    records: Memory,
    journal: Vec<Change>,
    invoices: u8,
}

impl Box {
    fn take(&mut self, change: Change) {
        self.records.take(&change).expect("taken");
        self.journal.push(change);
    }

    /// A bill of which so much is paid; it only grows.
    fn paid(&mut self, number: u8, minor: i64) -> BillRef {
        let id = BillId::derive(&IdKey::new([1; 32]), &[&number.to_string()]);
        let line = tollhouse_core::tariff::FeeLine {
            text: tollhouse_core::words::Words::new("停车费", "Parking"),
            rule: "test".into(),
            from: now(),
            to: now(),
            quantity: Decimal::ONE,
            unit_price: yuan(minor).decimal(),
            amount: yuan(minor),
        };
        let bill = Bill {
            id,
            kind: BillKind::Temporary,
            stay: StayId::from_bytes([number; 16]),
            plate: Plate::new("粤C12345").expect("a plate"),
            state: BillState::Paid,
            lines: vec![line],
            total: yuan(minor),
            paid: yuan(minor),
            posted: yuan(minor),
            posted_tax: split_tax(yuan(minor), Decimal::new(9, 2)),
            tax_rate: Decimal::new(9, 2),
            assessed_to: now(),
            orders: vec![],
            discounts: vec![],
        };
        let mut change = Change::new(ChangeKind::PaymentCaptured, now(), Cause::Time);
        change.put(&bill);
        self.take(change);
        BillRef::Stay(id)
    }

    fn ask(&mut self, bills: &[BillRef]) -> Result<InvoiceId, InvoiceRefusal> {
        self.invoices += 1;
        let wanted = Wanted {
            id: InvoiceId::from_bytes([self.invoices; 16]),
            provider: "receipt".into(),
            seller: Seller::Firm,
            bills: bills.to_vec(),
            buyer: buyer(),
            remark: String::new(),
            by: None,
        };
        let (change, invoice) = request(&wanted, now(), &self.records)?;
        self.take(change);
        Ok(invoice.id)
    }

    fn kept(&self, id: InvoiceId) -> Kept<Invoice> {
        self.records.get(&id.to_string()).expect("readable").expect("there")
    }

    /// One step of an invoice, told twice.
    fn step(&mut self, id: InvoiceId, step: u8) {
        for _ in 0..2 {
            let kept = self.kept(id);
            let records = &self.records;
            let change = match step {
                0 => pending(&kept, now()),
                1 => issued(&kept, &next(), now(), records).expect("steps").map(|(change, _)| change),
                2 => failed(&kept, "no such buyer", now(), records).expect("steps"),
                3 => reversal_confirmed(&kept, &next(), now(), records).expect("steps").map(|(change, _)| change),
                _ => reversal_lapsed(&kept, "nobody confirmed", now(), records).expect("steps"),
            };
            if let Some(change) = change {
                self.take(change);
            }
        }
    }

    fn reverse(&mut self, id: InvoiceId) -> Result<InvoiceId, InvoiceRefusal> {
        self.invoices += 1;
        let red = InvoiceId::from_bytes([self.invoices; 16]);
        let (change, _) = reverse(&self.kept(id), red, "clerk", "wrong title", now())?;
        self.take(change);
        Ok(red)
    }

    /// The invariants that do not hold.
    fn broken(&self) -> Vec<String> {
        let mut invariants = audit::all();
        for (place, change) in self.journal.iter().enumerate() {
            let entry = JournalEntry { position: place as u64 + 1, change: change.clone(), texts: Texts::Whole };
            for invariant in &mut invariants {
                invariant.entry(&entry);
            }
        }
        let ends = invariants
            .iter_mut()
            .filter_map(|one| one.end(&self.records).err().map(|why| format!("{}: {why}", one.name())));
        ends.collect()
    }
}

#[test]
fn what_was_paid_is_invoiced_once_and_what_comes_later_once_more() {
    let mut lot = Box::default();
    let bill = lot.paid(1, 1_500);
    let first = lot.ask(std::slice::from_ref(&bill)).expect("open");
    assert_eq!(lot.ask(std::slice::from_ref(&bill)), Err(InvoiceRefusal::NothingOpen));
    lot.step(first, 1);
    let invoice = lot.kept(first).record;
    assert_eq!((invoice.total, invoice.tax), (yuan(1_500), yuan(124)));
    assert_eq!(invoice.number.as_deref(), Some("R2024-00000001"));
    lot.paid(1, 2_000);
    let second = lot.ask(std::slice::from_ref(&bill)).expect("5.00 more were paid");
    assert_eq!(lot.kept(second).record.total, yuan(500));
    assert_eq!(lot.broken(), Vec::<String>::new());
}

#[test]
fn a_failed_issue_leaves_no_gap_and_a_reversed_yuan_can_be_invoiced_again() {
    let mut lot = Box::default();
    let bill = lot.paid(1, 1_500);
    let bills = std::slice::from_ref(&bill);
    let refused = lot.ask(bills).expect("open");
    lot.step(refused, 0);
    lot.step(refused, 2);
    let first = lot.ask(bills).expect("open again");
    lot.step(first, 1);
    assert_eq!(lot.kept(first).record.number.as_deref(), Some("R2024-00000001"));

    let red = lot.reverse(first).expect("issued");
    assert_eq!(lot.reverse(first), Err(InvoiceRefusal::NotReversible), "one reversal at a time");
    assert_eq!(lot.ask(bills), Err(InvoiceRefusal::NothingOpen), "not before it is confirmed");
    lot.step(red, 4);
    assert_eq!(lot.kept(first).record.state, InvoiceState::Issued, "a confirmation that lapses changes nothing");
    let red = lot.reverse(first).expect("it can be asked for again");
    lot.step(red, 3);
    assert_eq!(lot.kept(red).record.number.as_deref(), Some("R2024-00000002"));
    assert_eq!(lot.kept(red).record.total, yuan(-1_500));
    assert_eq!(lot.kept(first).record.state, InvoiceState::Reversed);
    let again = lot.ask(bills).expect("open once more");
    lot.step(again, 1);
    assert_eq!(lot.kept(again).record.number.as_deref(), Some("R2024-00000003"));
    assert_eq!(lot.broken(), Vec::<String>::new());
}

#[test]
fn planted_faults_are_found() {
    type Plant = fn(&mut Change, &Invoice);
    let plants: [(&str, Plant); 4] = [
        ("the numbers of invoices follow each other without a gap", |change, _| {
            change.put(&InvoiceSeries { series: "R2024".into(), last: 3 });
        }),
        ("the numbers of invoices follow each other without a gap", |change, invoice| {
            change.put(&Invoice { id: InvoiceId::from_bytes([99; 16]), ..invoice.clone() });
        }),
        ("each yuan stands on at most one invoice", |change, invoice| {
            let other = Invoice { id: InvoiceId::from_bytes([99; 16]), number: None, ..invoice.clone() };
            change.put(&Invoice { state: InvoiceState::Pending, ..other });
        }),
        ("each yuan stands on at most one invoice", |change, invoice| {
            let bill = invoice.lines[0].bill.clone();
            change.put(&Invoiced { bill, lines: std::collections::BTreeMap::new(), invoices: vec![] });
        }),
    ];
    for (place, (name, plant)) in plants.into_iter().enumerate() {
        let mut lot = Box::default();
        let bill = lot.paid(1, 1_500);
        let id = lot.ask(&[bill]).expect("open");
        lot.step(id, 1);
        let mut change = Change::new(ChangeKind::InvoiceMoved, now(), Cause::Time);
        plant(&mut change, &lot.kept(id).record);
        lot.take(change);
        assert!(lot.broken().iter().any(|told| told.starts_with(name)), "plant {place}: {:?}", lot.broken());
    }
    let mut lot = Box::default();
    let mut change = Change::new(ChangeKind::InvoiceMoved, now(), Cause::Time);
    change.put(&InvoiceNumber {
        number: "R2024-00000007".into(),
        invoice: InvoiceId::from_bytes([7; 16]),
        exported_at: None,
    });
    lot.take(change);
    assert_eq!(lot.broken().len(), 1, "a number without its invoice");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn each_yuan_is_invoiced_at_most_once_whatever_happens(steps in proptest::collection::vec((0u8..9, 0u8..4, 0u8..20), 1..60)) {
        let mut lot = Box::default();
        let mut paid = [0i64; 4];
        let mut ids: Vec<InvoiceId> = vec![];
        for (what, bill, which) in steps {
            match what {
                0 | 1 => {
                    paid[usize::from(bill)] += i64::from(which) * 50 + 1;
                    lot.paid(bill, paid[usize::from(bill)]);
                }
                2 | 3 => {
                    let bills: Vec<BillRef> = (0..=bill).filter(|one| paid[usize::from(*one)] > 0)
                        .map(|one| BillRef::Stay(BillId::derive(&IdKey::new([1; 32]), &[&one.to_string()]))).collect();
                    ids.extend(lot.ask(&bills).ok());
                }
                4 => {
                    if let Some(id) = ids.get(usize::from(which)).copied() {
                        ids.extend(lot.reverse(id).ok());
                    }
                }
                step => {
                    if let Some(id) = ids.get(usize::from(which)).copied() {
                        lot.step(id, step - 5);
                    }
                }
            }
        }
        prop_assert_eq!(lot.broken(), Vec::<String>::new());
        let live = lot.records.list::<Invoice>("", 500).expect("readable").into_iter().map(|kept| kept.record);
        let sum: i64 = live.filter(|one| matches!(one.state, InvoiceState::Requested | InvoiceState::Pending | InvoiceState::Issued))
            .filter(|one| one.total.is_positive()).map(|one| one.total.minor()).sum();
        prop_assert!(sum <= paid.iter().sum::<i64>());
    }
}
