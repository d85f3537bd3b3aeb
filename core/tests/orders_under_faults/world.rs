//! One bill, some phones, two manners of provider, an attendant with cash, and a box that dies between an answer and its commit.
//! Owns what happens in which order; the decisions are all `core::pay`'s, the planted mistakes are made here.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;
use tollhouse_core::audit::{JournalEntry, Texts};
use tollhouse_core::bill::{Bill, BillKind, BillState};
use tollhouse_core::books::{Account as BooksAccount, Posting};
use tollhouse_core::id::{BillId, IdKey, OrderId, StayId};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::pay::{
    self, Act, Captured, DIFFERING_ANSWERS, Ending, Evidence, Fits, FreshOrder, Heard, Made, OpenOrder, OpenRefund,
    Order, OrderState, Payable, Refund, RefundState, Terms, Tried, Wanted, Way,
};
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{Cause, Change, ChangeKind, Kept, Memory, ReadError, Record, Records, Stored, Table};
use tollhouse_core::tariff::{FeeLine, Plan, TariffBook, parse};
use tollhouse_core::words::Words;

use crate::bank::{Bank, MERCHANT, Manner, There};
use crate::chance::Chance;

pub(crate) const TOTAL: i64 = 1_500;

/// A mistake of the shell that the verdict has to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    Nothing,
    /// A payment is captured without looking whether it was before.
    CapturesUnseen,
    /// An order counts as over when it was closed, without asking again.
    BelievesTheClose,
    /// An order whose provider does not know it is over at once.
    ForgetsTheUnknown,
    /// Cash is taken without asking the providers.
    CashUnasked,
    /// A refund that is accepted counts as done.
    AcceptedIsDone,
    /// A refund gets a new number whenever it is not done.
    NewNumberUnasked,
    /// What is too much stays with us.
    KeepsTheExcess,
    /// One strange answer is enough.
    BelievesAStrangeAnswer,
}

impl Planted {
    pub(crate) const ALL: [Planted; 8] = [
        Self::CapturesUnseen,
        Self::BelievesTheClose,
        Self::ForgetsTheUnknown,
        Self::CashUnasked,
        Self::AcceptedIsDone,
        Self::NewNumberUnasked,
        Self::KeepsTheExcess,
        Self::BelievesAStrangeAnswer,
    ];
}

/// Records in which no payment can be seen.
struct Blind<'m>(&'m Memory);

impl Records for Blind<'_> {
    fn stored(&self, table: Table, key: &str) -> Result<Option<Stored>, ReadError> {
        if table == Table::Payments { Ok(None) } else { self.0.stored(table, key) }
    }

    fn range(&self, table: Table, from: &str, limit: usize) -> Result<Vec<(String, Stored)>, ReadError> {
        self.0.range(table, from, limit)
    }
}

pub(crate) struct World {
    pub(crate) records: Memory,
    pub(crate) entries: Vec<JournalEntry>,
    pub(crate) bank: Bank,
    pub(crate) now: DateTime<Utc>,
    pub(crate) cash: i64,
    chance: Chance,
    planted: Planted,
    orders: Vec<(OrderId, Manner)>,
    strange: u32,
    pub(crate) story: Vec<String>,
}

fn key() -> IdKey {
    IdKey::new([9; 32])
}

fn tariff() -> &'static TariffBook {
    static DEMO: LazyLock<TariffBook> = LazyLock::new(|| {
        let file = parse::parse(include_str!("../../../appliance/tariffs/demo.toml")).expect("a tariff");
        TariffBook::of(Plan::new(Arc::new(file)).expect("a plan"))
    });
    &DEMO
}

fn fen(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

pub(crate) fn bill_id() -> BillId {
    BillId::from_bytes([7; 16])
}

impl World {
    pub(crate) fn new(seed: u64, planted: Planted) -> Self {
        let mut world = Self {
            records: Memory::new(),
            entries: vec![],
            bank: Bank::default(),
            now: DateTime::UNIX_EPOCH + TimeDelta::days(20_000),
            cash: 0,
            chance: Chance::new(seed),
            planted,
            orders: vec![],
            strange: 0,
            story: vec![],
        };
        let line = FeeLine {
            text: Words::new("停车", "Parking"),
            rule: "r".into(),
            from: world.now,
            to: world.now,
            quantity: Decimal::ONE,
            unit_price: Decimal::new(TOTAL, 2),
            amount: fen(TOTAL),
        };
        let bill = Bill {
            id: bill_id(),
            kind: BillKind::Temporary,
            stay: StayId::from_bytes([8; 16]),
            plate: Plate::new("粤C12345").expect("a plate"),
            state: BillState::Draft,
            lines: vec![line],
            total: fen(TOTAL),
            paid: fen(0),
            posted: fen(0),
            posted_tax: fen(0),
            tax_rate: Decimal::new(9, 2),
            assessed_to: world.now,
            orders: vec![],
            discounts: vec![],
        };
        let mut change = Change::new(ChangeKind::BillAssessed, world.now, Cause::Driver);
        bill.write(&mut change, None);
        world.take(change);
        world
    }

    /// Takes a change; one that relied on what has changed is refused, and nothing happens.
    fn take(&mut self, change: Change) {
        if let Ok(position) = self.records.take(&change) {
            self.entries.push(JournalEntry { position, change, texts: Texts::Whole });
        }
    }

    fn take_if(&mut self, change: Option<Change>) {
        if let Some(change) = change {
            self.take(change);
        }
    }

    pub(crate) fn get<T: Record>(&self, key: &str) -> Kept<T> {
        self.records.get::<T>(key).expect("readable").expect("there")
    }

    pub(crate) fn bill(&self) -> Bill {
        self.get::<Bill>(&bill_id().to_string()).record
    }

    /// Something happens, by chance.
    pub(crate) fn something(&mut self) {
        let what = self.chance.below(12);
        self.story.push(format!("{} {what}", self.now.format("%H:%M:%S")));
        match what {
            0 | 1 => self.order(),
            2 | 3 => self.phone_pays(),
            4 => {
                if let Some(number) = self.some_number() {
                    self.bank.scan(&number);
                }
            }
            5..=7 => self.asks_about_some(),
            8 => self.takes_cash(),
            9 => self.refunds(),
            10 => self.now += TimeDelta::seconds(i64::try_from(1 + self.chance.below(90)).expect("small")),
            _ => self.asks_after_all(),
        }
        self.now += TimeDelta::seconds(1);
    }

    fn order(&mut self) {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.chance.next().to_be_bytes());
        let id = OrderId::from_bytes(bytes);
        let wanted = Wanted {
            pays: Payable::Bill(bill_id()),
            provider: "bank".into(),
            merchant: MERCHANT.into(),
            way: Way::Native,
            terms: Terms::default(),
            idempotency: None,
            life: TimeDelta::minutes(2),
        };
        let fresh = FreshOrder { id, number: format!("N{id}") };
        let made = pay::make_order(&wanted, fresh, self.now, tariff(), Decimal::new(9, 2), &key(), &self.records);
        let Ok(Made::Now(order, change)) = made else { return };
        self.take(*change);
        let manner = if self.chance.happens(50) { Manner::KnownAtOnce } else { Manner::KnownByScan };
        self.orders.push((id, manner));
        // The box may die between its record and the provider.
        if self.chance.happens(90) {
            self.bank.create(&order, manner);
        }
    }

    fn some_order(&mut self) -> Option<OrderId> {
        let count = self.orders.len();
        (count > 0).then(|| self.orders[self.chance.below(count)].0)
    }

    fn some_number(&mut self) -> Option<String> {
        let id = self.some_order()?;
        Some(self.get::<Order>(&id.to_string()).record.number)
    }

    fn phone_pays(&mut self) {
        if let Some(number) = self.some_number() {
            self.bank.pay(&number, self.now);
        }
    }

    fn asks_about_some(&mut self) {
        if let Some(id) = self.some_order() {
            // Callbacks make the box ask about orders that it does not look after any more, too.
            self.settle(id);
        }
    }

    fn asks_after_all(&mut self) {
        for open in self.records.list::<OpenOrder>("", 100).expect("readable") {
            self.settle(open.record.order);
        }
    }

    /// As the desk does it: ask, close, ask again. Any answer may be lost, and the box may die before any commit.
    fn settle(&mut self, id: OrderId) {
        let mut tried = Tried::Nothing;
        for _ in 0..4 {
            let order = self.get::<Order>(&id.to_string());
            let seen = matches!(order.record.state, OrderState::Paid | OrderState::Refunded);
            if seen && self.planted != Planted::CapturesUnseen {
                return;
            }
            let number = order.record.number.clone();
            let asked_at = self.now;
            if self.chance.happens(10) {
                return;
            }
            let heard = self.strangely(self.bank.query(&number));
            let act = match pay::act(&order.record, heard, tried, asked_at) {
                Act::Wait | Act::Leave if self.planted == Planted::ForgetsTheUnknown => Act::End,
                act => act,
            };
            let change = match act {
                Act::Wait | Act::Reverse => return,
                Act::Close => {
                    // The phone may pay at the very moment.
                    if self.chance.happens(20) {
                        self.bank.pay(&number, self.now);
                    }
                    if self.chance.happens(90) {
                        self.bank.close(&number);
                    }
                    if self.planted == Planted::BelievesTheClose {
                        pay::end(&order, self.now)
                    } else if self.chance.happens(10) {
                        return;
                    } else {
                        tried = Tried::Close;
                        continue;
                    }
                }
                Act::End => pay::end(&order, self.now),
                Act::Leave => pay::leave(&order, self.now),
                Act::Capture(evidence) => self.capture(&order, &evidence),
            };
            // The box dies before it is on record.
            if self.chance.happens(15) {
                return;
            }
            if let Some(change) = change {
                self.take(change);
            }
            return;
        }
    }

    /// One answer in ten names a fen more.
    fn strangely(&mut self, heard: Heard) -> Heard {
        match heard {
            Heard::Paid(evidence) if self.chance.happens(10) => {
                let amount = evidence.amount.plus(fen(1)).expect("adds");
                Heard::Paid(Evidence { amount, ..evidence })
            }
            heard => heard,
        }
    }

    fn capture(&mut self, order: &Kept<Order>, evidence: &Evidence) -> Option<Change> {
        if pay::fits(&order.record, evidence) == Fits::No {
            self.strange += 1;
            if self.strange < DIFFERING_ANSWERS && self.planted != Planted::BelievesAStrangeAnswer {
                return None;
            }
        }
        self.strange = 0;
        let today = NaiveDate::default();
        let captured = if self.planted == Planted::CapturesUnseen {
            pay::capture(order, evidence, tariff(), self.now, today, &key(), &Blind(&self.records))
        } else {
            pay::capture(order, evidence, tariff(), self.now, today, &key(), &self.records)
        };
        match captured.expect("captures") {
            Captured::Before => None,
            Captured::Now(mut change, _) => {
                if self.planted == Planted::CapturesUnseen {
                    change.relied.clear();
                }
                if self.planted == Planted::KeepsTheExcess {
                    change.ops.retain(|op| !format!("{op:?}").contains("refunds"));
                }
                Some(*change)
            }
        }
    }

    /// Cash, as the attendant takes it: only when no order can be paid any more, or what is paid all the same goes back.
    fn takes_cash(&mut self) {
        if self.planted != Planted::CashUnasked {
            for id in self.bill().orders {
                let early = pay::end_early(&self.get::<Order>(&id.to_string()), Ending::Cash, self.now);
                self.take_if(early);
                self.settle(id);
                let left = pay::leave(&self.get::<Order>(&id.to_string()), self.now);
                self.take_if(left);
            }
            let live = |id: &OrderId| self.get::<Order>(&id.to_string()).record.state == OrderState::Pending;
            assert!(!self.bill().orders.iter().any(live), "cash is taken while an order is live");
        }
        let kept = self.get::<Bill>(&bill_id().to_string());
        let mut bill = kept.record.clone();
        let due = bill.due();
        if due.is_zero() {
            return;
        }
        let mut change = Change::new(ChangeKind::PaymentCaptured, self.now, Cause::Driver);
        change.rely_on(&bill_id().to_string(), Some(&kept));
        change.postings.extend(bill.fix(self.now).expect("fixes"));
        bill.accept(due).expect("accepts");
        bill.write(&mut change, Some(kept.record.state));
        change.postings.push(Posting::debit(BooksAccount::Opening, due));
        change.postings.push(Posting::credit(BooksAccount::Receivable, due));
        self.take(change);
        self.cash += due.minor();
        if self.planted == Planted::CashUnasked {
            for open in self.records.list::<OpenOrder>("", 100).expect("readable") {
                let end = pay::end(&self.get::<Order>(&open.record.order.to_string()), self.now);
                self.take_if(end);
            }
        }
    }

    fn refunds(&mut self) {
        for open in self.records.list::<OpenRefund>("", 100).expect("readable") {
            self.refund(&open.record.refund.to_string());
        }
    }

    fn refund(&mut self, id: &str) {
        let refund = self.get::<Refund>(id);
        let order = self.get::<Order>(&refund.record.order.to_string()).record;
        let number = refund.record.number();
        if refund.record.state == RefundState::Requested {
            self.bank.refund(&order.number, &refund.record, &mut self.chance);
            if self.chance.happens(15) {
                return;
            }
            let change = match self.planted {
                Planted::AcceptedIsDone => pay::refund_done(&refund, self.now, &self.records).expect("readable"),
                _ => pay::refund_accepted(&refund, self.now),
            };
            return self.take_if(change);
        }
        if self.chance.happens(15) {
            return;
        }
        let stands = self.bank.refunds.get(&number).map(|back| back.stands);
        let change = match stands {
            Some(There::Done) => pay::refund_done(&refund, self.now, &self.records).expect("readable"),
            Some(There::Closed) => pay::refund_closed(&refund, self.now),
            Some(There::Accepted | There::Abnormal) if self.planted == Planted::NewNumberUnasked => {
                pay::refund_closed(&refund, self.now)
            }
            Some(There::Abnormal) => pay::refund_stuck(&refund, self.now),
            Some(There::Accepted) => None,
            None => {
                self.bank.refund(&order.number, &refund.record, &mut self.chance);
                None
            }
        };
        self.take_if(change);
    }

    /// Time goes on until nothing is open: all that was ever paid is known, all that is too much has gone back.
    pub(crate) fn come_to_rest(&mut self) -> Result<(), String> {
        self.now += TimeDelta::minutes(5);
        for _ in 0..400 {
            self.asks_after_all();
            self.refunds();
            self.bank.finish();
            self.now += TimeDelta::seconds(30);
            let orders = self.records.list::<OpenOrder>("", 1).expect("readable");
            let refunds = self.records.list::<OpenRefund>("", 1).expect("readable");
            if orders.is_empty() && refunds.is_empty() {
                return Ok(());
            }
        }
        Err("it does not come to rest".to_owned())
    }
}
