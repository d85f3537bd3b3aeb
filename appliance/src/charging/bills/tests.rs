//! The desk over a real store: an estate of two cards, from the run to notices, corrections, reminders and days.

use std::sync::{Arc, Mutex};

use chrono::{NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use tollhouse_core::audit::JournalEntry;
use tollhouse_core::bill::{Bill, BillState};
use tollhouse_core::books::Payee;
use tollhouse_core::charging::bills::{CardBill, Receipt, bills_of, pay};
use tollhouse_core::charging::cards::{Card, CardState, Holding, StateChange};
use tollhouse_core::charging::estate::{Attributes, Layout, Location, Space, Tenure};
use tollhouse_core::charging::fees::{
    Alignment, FeeItem, FeeKind, PeriodicTerms, PricePer, Selector, TaxPoint, TaxTerms, Timing,
};
use tollhouse_core::charging::label::{CardNumber, Charge, FeeItemId, HolderId, SpaceNumber, UseId};
use tollhouse_core::charging::place::Place;
use tollhouse_core::charging::timeline::{Note, Timeline};
use tollhouse_core::id::{AreaId, IdKey};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::record::{By, Cause, Change, ChangeKind};
use tollhouse_core::words::{Language, Words};

use super::days::DayBooks;
use super::desk::{BillDesk, Correction, FreedTo};
use super::list::{BillQuery, Wanted};
use super::notices::{NoticeOf, NoticeQuery};
use super::remind::{Notice, Notifier, Reminders};
use super::run::BillRunner;
use crate::charging::{ChargingFault, ChargingParts};
use crate::clock::BoxClock;
use crate::desks::DeskParts;
use crate::store::{Store, StoreOptions};

struct Estate {
    parts: ChargingParts,
    began: NaiveDate,
    _folder: tempfile::TempDir,
}

fn by() -> By {
    By::person("mei", "a test")
}

impl Estate {
    /// Two cards whose spaces have been billed by the month for some seventy days.
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), StoreOptions::default()).expect("a store");
        let lot = serde_json::json!({
            "id": "demo", "name": "观澜花园", "zone": "Asia/Shanghai", "currency": "CNY", "tax_rate": "0.09", "capacity": 9
        });
        let parts = ChargingParts::new(&DeskParts {
            store,
            clock: BoxClock::start(1),
            key: IdKey::new([7; 32]),
            lot: Arc::new(serde_json::from_value(lot).expect("a lot")),
            admin: None,
        });
        let began = parts.today() - TimeDelta::days(70);
        let estate = Self { parts, began, _folder: folder };
        let mut change = Change::new(ChangeKind::CardChanged, estate.parts.now(), Cause::Time);
        change.put(&estate.item());
        for (number, room) in [("1", "3-2-1201"), ("2", "10-1-301")] {
            change.put(&estate.space(number));
            change.put(&estate.card(number, room));
        }
        estate.parts.store.commit(change).await.expect("taken");
        estate
    }

    fn note(&self) -> Note {
        Note::new(self.parts.now(), self.began, "mei", "as agreed")
    }

    fn item(&self) -> FeeItem {
        let per = PricePer::Space { months: 1 };
        let timing = Timing::InAdvance { lead_days: 0 };
        let terms = PeriodicTerms { per, months: 1, alignment: Alignment::Calendar, timing, due_days: 5 };
        FeeItem {
            id: FeeItemId::new("care").expect("an id"),
            name: Words::new("车位管理费", "Space management"),
            charge: Charge::new("care").expect("a charge"),
            selector: Selector::default(),
            kind: FeeKind::Periodic(terms),
            price: Timeline::new(self.began, Decimal::from(300), self.note()),
            until: None,
            tax: TaxTerms {
                rate: Decimal::new(6, 2),
                point: TaxPoint::OnReceipt,
                payee: Payee::Firm,
                invoice_category: String::new(),
            },
            late_fee: None,
        }
    }

    fn space(&self, number: &str) -> Space {
        let usage = UseId::new("residential").expect("a use");
        let size = "12.80".parse().expect("a size");
        let (location, tenure, layout) = (Location::Underground, Tenure::Owned, Layout::Ordinary);
        let is = Attributes { location, tenure, usage, layout, size };
        let (number, area) = (SpaceNumber::new(number).expect("a number"), AreaId::new("main").expect("an area"));
        Space { number, area, room: None, attributes: Timeline::new(self.began, is, self.note()) }
    }

    fn card(&self, number: &str, room: &str) -> Card {
        let place = Place::Space(SpaceNumber::new(number).expect("a number"));
        Card {
            number: card_number(number),
            holder: HolderId::new(&format!("H{number}")).expect("an id"),
            payer: None,
            room: room.parse().ok(),
            opened_on: self.began,
            states: vec![StateChange { state: CardState::Active, note: self.note() }],
            holdings: vec![Holding { place, from: self.began, until: None, note: self.note() }],
            vehicles: vec![],
            terms: vec![],
            ahead_until: None,
            rests: vec![],
            billed: vec![],
        }
    }

    fn desk(&self) -> BillDesk {
        BillDesk::new(self.parts.clone())
    }

    /// Runs as of today, off the serving threads.
    async fn run(&self) -> u64 {
        let (runner, today) = (BillRunner::new(self.parts.clone()), self.parts.today());
        let run = tokio::task::spawn_blocking(move || runner.run(today, &by(), |_| ())).await.expect("not cut off");
        run.expect("a run").sums.bills
    }

    fn bills(&self, card: &str) -> Vec<CardBill> {
        let records = self.parts.store.snapshot();
        let mut bills: Vec<CardBill> =
            bills_of(&card_number(card), &records).expect("readable").into_iter().map(|kept| kept.record).collect();
        bills.sort_by_key(|bill| bill.due_on);
        bills
    }

    async fn pay(&self, card: &str, amount: &str) {
        let records = self.parts.store.snapshot();
        let mut change = Change::new(ChangeKind::BillsPaid, self.parts.now(), Cause::Time);
        let amount = Money::parse(amount, Currency::Cny).expect("an amount");
        let from = tollhouse_core::books::Account::Bank;
        let excess = tollhouse_core::books::Account::Credit;
        let receipt = Receipt { amount, on: self.parts.today(), from, excess };
        pay(&mut change, bills_of(&card_number(card), &records).expect("readable"), &receipt, &records).expect("paid");
        self.parts.store.commit(change).await.expect("taken");
    }

    fn is_true(&self) {
        for check in self.parts.store.verify(tollhouse_core::audit::all()).expect("readable").checks {
            assert!(check.ok, "{}: {}", check.name, check.detail);
        }
    }
}

fn card_number(text: &str) -> CardNumber {
    CardNumber::new(text).expect("a number")
}

#[actix::test]
async fn what_a_run_draws_is_listed_paid_corrected_and_true() {
    let estate = Estate::new().await;
    let drawn = estate.run().await;
    assert!(drawn >= 6, "three months or four of two cards: {drawn}");
    assert_eq!(estate.run().await, drawn, "what was drawn as of today stays counted, and nothing is drawn twice");
    let desk = estate.desk();
    let of_building = BillQuery { room: Some("3".into()), ..BillQuery::default() };
    let page = desk.list(&of_building, None, 2).expect("a page");
    assert_eq!(page.bills.len(), 2);
    let rest = desk.list(&of_building, page.next.as_deref(), 100).expect("a page");
    assert_eq!((page.bills.len() + rest.bills.len()) * 2, usize::try_from(drawn).expect("small"));
    assert!(rest.next.is_none() && page.bills.iter().all(|kept| kept.record.heading.card == card_number("1")));

    estate.pay("1", "310.00").await;
    let bills = estate.bills("1");
    let last = bills.last().expect("this month's").clone();
    let by = by();
    let lost = desk.correct(last.id, &Correction::WriteOff, FreedTo::Credit, &by).await.expect("written off");
    assert_eq!(lost.bill.state(), BillState::WrittenOff);
    let again = desk.correct(last.id, &Correction::WriteOff, FreedTo::Credit, &by).await;
    assert!(matches!(again, Err(ChargingFault::Conflict(_))), "{again:?}");
    desk.correct(last.id, &Correction::Recover, FreedTo::Credit, &by).await.expect("claimed again");
    let void = Correction::Void { retention: Decimal::ZERO };
    let made = desk.correct(last.id, &void, FreedTo::Credit, &by).await.expect("withdrawn");
    assert_eq!((made.bill.state(), made.note.map(|note| note.amount)), (BillState::Void, Some(last.total())));
    assert_eq!(estate.run().await, drawn + 1, "its days are free, and drawn again");
    estate.is_true();
}

#[actix::test]
async fn months_ahead_are_drawn_and_offered_under_one_id_and_credit_pays_them() {
    let estate = Estate::new().await;
    estate.run().await;
    let desk = estate.desk();
    let open = estate.bills("1").len();
    let until = estate.parts.today() + TimeDelta::days(100);
    let ahead = desk.ahead(&card_number("1"), until, &by()).await.expect("drawn");
    assert!(ahead.bills.len() >= open + 3, "{} bills, {open} before", ahead.bills.len());
    assert_eq!(ahead.amount.minor(), ahead.bills.iter().map(|bill| bill.due().minor()).sum::<i64>());
    let records = estate.parts.store.snapshot();
    let payable = ahead.payable.expect("something is open");
    let found = tollhouse_core::charging::bills::payable_bills(payable, &records).expect("readable");
    assert_eq!(found.expect("known").len(), ahead.bills.len());
    drop(records);
    estate.pay("2", "5000.00").await;
    let nothing = desk.pay_from_credit(&card_number("2"), &by()).await;
    assert!(matches!(nothing, Err(ChargingFault::Conflict(_))), "nothing is due: {nothing:?}");
    desk.ahead(&card_number("2"), until, &by()).await.expect("drawn");
    let paid = desk.pay_from_credit(&card_number("2"), &by()).await.expect("there is credit");
    assert!(paid.amount.is_positive() && estate.bills("2").iter().all(|bill| bill.state() == BillState::Paid));
    estate.is_true();
}

#[actix::test]
async fn notices_are_printed_by_building_and_name_what_is_owed() {
    let estate = Estate::new().await;
    estate.run().await;
    let desk = estate.desk();
    let query = NoticeQuery { building: None, of: NoticeOf::Overdue, language: Language::Zh };
    let page = desk.notices(&query).expect("a page");
    let (three, ten) = (page.find("3 栋").expect("building 3"), page.find("10 栋").expect("building 10"));
    assert!(three < ten, "buildings are ordered as people count");
    let overdue = BillQuery { state: Some(Wanted::Overdue), ..BillQuery::default() };
    let overdue = desk.list(&overdue, None, 100).expect("a page").bills;
    assert!(overdue.iter().all(|kept| page.contains(&kept.record.due().amount())));
    let other = desk.notices(&NoticeQuery { building: Some("3".into()), ..query }).expect("a page");
    assert!(other.contains("3-2-1201") && !other.contains("10-1-301"));
    let english = NoticeQuery { building: Some("99".into()), language: Language::En, ..NoticeQuery::default() };
    assert!(matches!(desk.notices(&english), Err(ChargingFault::Conflict(_))), "nobody owes anything there");
    if let Ok(path) = std::env::var("TOLLHOUSE_NOTICES") {
        std::fs::write(path, page).expect("written");
    }
}

/// Keeps what it is told.
#[derive(Default)]
struct Heard(Mutex<Vec<Notice>>);

impl Notifier for Heard {
    fn name(&self) -> &'static str {
        "test"
    }

    fn notify(&self, notices: &[Notice]) -> std::io::Result<()> {
        self.0.lock().expect("not poisoned").extend_from_slice(notices);
        Ok(())
    }
}

#[actix::test]
async fn each_bill_is_reminded_once_in_each_stage_and_a_paid_one_never() {
    let estate = Estate::new().await;
    estate.run().await;
    estate.pay("2", "5000.00").await;
    let reminders = Reminders::new(estate.parts.clone(), vec![-7, 1, 15, 30]);
    let heard = tokio::task::spawn_blocking(move || {
        let heard = Heard::default();
        let first = reminders.round(&heard).expect("reminded");
        let second = reminders.round(&heard).expect("reminded");
        (first, second, heard.0.into_inner().expect("not poisoned"))
    });
    let (first, second, heard) = heard.await.expect("not cut off");
    assert!(first >= 2 && second == 0, "{first}, then {second}");
    assert!(heard.iter().all(|notice| notice.card == "1"), "card 2 owes nothing");
    assert!(heard.iter().any(|notice| notice.stage == 30), "the oldest bill is in its last stage, and only in that");
    assert_eq!(heard.len() as u64, first);
}

#[actix::test]
async fn temporary_bills_reach_their_day_once_however_the_journal_is_cut_into_batches() {
    let estate = Estate::new().await;
    let json = serde_json::json!({
        "id": "00000000000000000000000001", "kind": "temporary", "stay": "00000000000000000000000002",
        "plate": "粤C12345", "state": "open", "lines": [], "total": "15.00 CNY", "paid": "0.00 CNY",
        "posted": "15.00 CNY", "posted_tax": "1.24 CNY",
        "tax_rate": "0.09", "assessed_to": "2026-01-01T00:00:00Z"
    });
    let Ok(mut bill) = serde_json::from_value::<Bill>(json) else { panic!("a bill as it is stored") };
    let days = DayBooks::new(estate.parts.clone());
    let caught_up = |days: DayBooks| tokio::task::spawn_blocking(move || days.catch_up().expect("readable"));
    for (paid, state) in [("0.00", BillState::Open), ("5.00", BillState::PartPaid), ("15.00", BillState::Paid)] {
        bill.paid = Money::parse(paid, Currency::Cny).expect("an amount");
        bill.state = state;
        let mut change = Change::new(ChangeKind::BillAssessed, estate.parts.now(), Cause::Time);
        change.put(&bill);
        estate.parts.store.commit(change).await.expect("taken");
        caught_up(days.clone()).await.expect("not cut off");
    }
    caught_up(days.clone()).await.expect("not cut off");
    let day = days.day(estate.parts.today()).expect("today");
    let figures = day.figures;
    assert_eq!((figures.drawn, figures.payments, figures.closed, figures.appended), (1, 2, 1, 0));
    assert_eq!((figures.charged_minor, figures.tax_minor, figures.paid_minor), (1_500, 124, 1_500));
    assert!(day.closed_at.is_none(), "today is open");
    let entries: Vec<JournalEntry> = estate.parts.store.follow(0, 1_000).expect("readable");
    let lag = days.lag().expect("readable");
    assert!(lag.entries <= 2 && lag.position <= entries.len() as u64, "{lag:?}");
}
