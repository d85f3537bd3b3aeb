//! Payment's part of the shell: orders, rounds of questions, captures and refunds, each decided by the core against a
//! snapshot and committed a moment later.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tollhouse_core::id::{BillId, OrderId, RefundId};
use tollhouse_core::lane::Input;
use tollhouse_core::pay::{
    self, Captured, Early, Evidence, FreshOrder, Made, OpenOrder, OpenRefund, Order, Refund, Wanted,
};
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{Change, Kept, ReadError, Records, Revision, Stored, Table};

use crate::bank::Leniency;
use crate::faults::Planted;
use crate::lot::spoil;
use crate::queue::{Happens, Told};
use crate::world::{Callbacks, World, key, tariff, tax_rate};

const PROVIDER: &str = "sandbox";
const MERCHANT: &str = "m";
/// How often open orders and refunds are asked after.
const ROUND_EVERY: TimeDelta = TimeDelta::seconds(10);

/// What the desk can be asked to do.
#[derive(Debug, Clone)]
pub(crate) enum DeskJob {
    /// A driver asks what is owed, inside the lot.
    Early { plate: Plate },
    /// A driver wants an order and pays it within this time.
    Order { bill: BillId, within_ms: i64 },
    /// The provider says, as of a moment, whether the order was paid.
    Settle { order: OrderId, asked_at: DateTime<Utc>, paid: Option<(i64, DateTime<Utc>)> },
    /// The provider says whether it gave the money back.
    Refund { refund: RefundId, says: RefundSays },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundSays {
    Done,
    Failed,
}

/// What the desk commits, and the order that follows from it.
#[derive(Debug)]
pub(crate) struct DeskChange {
    change: Change,
    order: Option<Order>,
}

/// Records without any payment: what a capture that does not look sees.
struct Blind<'a, R>(&'a R);

impl<R: Records> Records for Blind<'_, R> {
    fn stored(&self, table: Table, key: &str) -> Result<Option<Stored>, ReadError> {
        if table == Table::Payments { Ok(None) } else { self.0.stored(table, key) }
    }

    fn range(&self, table: Table, from: &str, limit: usize) -> Result<Vec<(String, Stored)>, ReadError> {
        self.0.range(table, from, limit)
    }
}

impl World {
    /// The desk takes the job up, if the box runs.
    pub(crate) fn desk_later(&mut self, job: DeskJob) {
        let (run, wait) = (self.run, self.chance.ms(1, 200));
        self.queue.after(wait, Happens::Desk { run, job });
    }

    pub(crate) fn desk(&mut self, run: u32, job: DeskJob) -> Result<(), String> {
        if run != self.run || self.shell.is_none() {
            return Ok(());
        }
        let decided = match &job {
            DeskJob::Early { plate } => self.look_early(plate)?,
            DeskJob::Order { bill, .. } => self.order(*bill)?,
            DeskJob::Settle { order, asked_at, paid } => self.settle(*order, *asked_at, *paid)?,
            DeskJob::Refund { refund, says } => self.refund(*refund, *says)?,
        };
        let Some(mut decided) = decided else { return Ok(()) };
        if matches!(job, DeskJob::Settle { .. }) || self.planted == Planted::ReliedDropped {
            spoil(self.planted, &mut decided.change);
        }
        if self.planted == Planted::CaptureUnchecked {
            decided.change.relied.retain(|relied| relied.table != Table::Payments);
        }
        if self.fault(self.faults.crash) {
            let wait = self.chance.ms(0, 60);
            self.queue.after(wait, Happens::Crash);
        }
        let slow = self.fault(self.faults.slow_commit);
        let wait = if slow { self.chance.ms(20, 4_000) } else { self.chance.ms(1, 20) };
        self.queue.after(wait, Happens::DeskCommit { run, job, change: Box::new(decided) });
        Ok(())
    }

    pub(crate) fn desk_commit(&mut self, run: u32, job: DeskJob, decided: DeskChange) -> Result<(), String> {
        if run != self.run || self.shell.is_none() {
            return Ok(());
        }
        if self.watch.take(decided.change, None)?.is_err() {
            // Somebody was faster: look again, decide again.
            return self.desk(run, job);
        }
        self.note(|| format!("the desk has done {job:?}"));
        match (job, decided.order) {
            (DeskJob::Order { within_ms, .. }, Some(order)) => {
                // Lost on the way to the provider, nobody can pay it.
                if !self.fault(self.faults.lost / 3) {
                    let lenient = self.callbacks == Callbacks::On && self.chance.happens(300);
                    let lenient = if lenient { Leniency::Lenient } else { Leniency::Strict };
                    self.bank.create(&order, lenient);
                    let wait = self.chance.ms(500, within_ms);
                    self.queue.after(wait, Happens::Wallet { order: order.id });
                }
            }
            (DeskJob::Settle { .. }, _) => {
                if self.fault(self.faults.crash) {
                    self.queue.after(TimeDelta::zero(), Happens::Crash);
                }
                self.bill_moved();
            }
            _ => {}
        }
        Ok(())
    }

    fn bill_moved(&mut self) {
        for lane in 2..4 {
            if !self.fault(self.faults.lost) {
                let wait = self.chance.ms(0, 50);
                let told = Told::Input(Input::LookAtBill);
                self.queue.after(wait, Happens::Told { lane, told, token: None });
            }
        }
    }

    pub(crate) fn wallet(&mut self, order: OrderId) {
        if self.bank.pay(order, self.now()).is_some() {
            self.note(|| format!("the wallet has paid {order:?}"));
            if self.callbacks == Callbacks::On {
                self.queue.after(TimeDelta::seconds(1), Happens::Callback { order });
            }
        }
    }

    /// The provider calls back until the box has it on record: a lost call comes again.
    pub(crate) fn callback(&mut self, order: OrderId) {
        if self.watch.is_captured(&transaction(order)) && !self.fault(300) {
            return;
        }
        if !self.fault(self.faults.lost) {
            let (asked_at, paid) = (self.now(), self.bank.paid(order));
            self.desk_later(DeskJob::Settle { order, asked_at, paid });
        }
        let wait = self.chance.ms(15_000, 600_000);
        self.queue.after(wait, Happens::Callback { order });
    }

    /// One round: asks after every order that may have been paid, and for every refund that is not done.
    pub(crate) fn round(&mut self, run: u32) -> Result<(), String> {
        if run != self.run || self.shell.is_none() {
            return Ok(());
        }
        let read = |fault: ReadError| fault.to_string();
        let orders: Vec<Kept<OpenOrder>> = self.watch.records.list("", 200).map_err(read)?;
        let refunds: Vec<Kept<OpenRefund>> = self.watch.records.list("", 200).map_err(read)?;
        let cut_off = self.now() < self.bank.away_until;
        let cut = !cut_off && self.fault(self.faults.late / 10);
        if cut {
            self.bank.away_until = self.now() + self.chance.ms(10_000, 600_000);
        }
        for order in orders.into_iter().filter(|_| !cut_off) {
            let (order, asked_at) = (order.record.order, self.now());
            let job = DeskJob::Settle { order, asked_at, paid: self.bank.paid(order) };
            if cut {
                // The answer is on its way when the line goes, and comes when it is back.
                let until = self.bank.away_until;
                self.queue.at(until, Happens::Desk { run, job });
            } else {
                self.answer_comes(job);
            }
        }
        for open in refunds {
            let refund = open.record.refund;
            if self.fault(self.faults.lost) {
                self.answer_comes(DeskJob::Refund { refund, says: RefundSays::Failed });
                continue;
            }
            let kept: Kept<Refund> = self.watch.record(&refund.to_string())?;
            let mut number = refund.to_string();
            if self.planted == Planted::RefundUnderNewNumber {
                number = self.fresh("refund-");
            }
            self.bank.refund(&number, kept.record.order, kept.record.amount.minor());
            self.answer_comes(DeskJob::Refund { refund, says: RefundSays::Done });
        }
        self.passes_moved();
        self.queue.after(ROUND_EVERY, Happens::Round { run });
        Ok(())
    }

    /// An answer comes: late, twice, never.
    fn answer_comes(&mut self, job: DeskJob) {
        let run = self.run;
        for _ in 0..=usize::from(self.fault(self.faults.twice)) {
            if self.fault(self.faults.lost) {
                continue;
            }
            let late = self.fault(self.faults.late);
            let wait = if late { self.chance.ms(1_000, 600_000) } else { self.chance.ms(20, 500) };
            self.queue.after(wait, Happens::Desk { run, job: job.clone() });
        }
    }

    fn look_early(&mut self, plate: &Plate) -> Result<Option<DeskChange>, String> {
        let found = pay::look_early(plate, self.now(), &tariff(), tax_rate(), &key(), &self.watch.records);
        let Early::Owes { bill, change, .. } = found.map_err(|fault| fault.to_string())? else { return Ok(None) };
        // A driver who has seen the price asks for an order.
        let (run, wait) = (self.run, self.chance.ms(200, 5_000));
        let job = DeskJob::Order { bill: bill.id, within_ms: 60_000 };
        self.queue.after(wait, Happens::Desk { run, job });
        Ok(change.map(|change| DeskChange { change: *change, order: None }))
    }

    fn order(&mut self, bill: BillId) -> Result<Option<DeskChange>, String> {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.chance.next().to_be_bytes());
        let id = OrderId::from_bytes(bytes);
        let wanted = Wanted {
            pays: pay::Payable::Bill(bill),
            provider: PROVIDER.into(),
            merchant: MERCHANT.into(),
            way: pay::Way::Page,
            terms: pay::Terms::default(),
            idempotency: None,
            life: TimeDelta::minutes(5),
        };
        let fresh = FreshOrder { id, number: id.to_string() };
        match pay::make_order(&wanted, fresh, self.now(), &tariff(), tax_rate(), &key(), &self.watch.records) {
            Ok(Made::Now(order, change)) => Ok(Some(DeskChange { change: *change, order: Some(order) })),
            // Nothing due, or five are open: the driver sees that.
            Ok(Made::Before(_)) | Err(_) => Ok(None),
        }
    }

    fn settle(
        &mut self,
        id: OrderId,
        asked_at: DateTime<Utc>,
        paid: Option<(i64, DateTime<Utc>)>,
    ) -> Result<Option<DeskChange>, String> {
        let order: Kept<Order> = self.watch.record(&id.to_string())?;
        let now = self.now();
        let Some((amount, paid_at)) = paid else {
            // Only an answer that is of after the expiry says that it will never be paid.
            let known = if self.planted == Planted::StaleAnswerExpires { now } else { asked_at };
            let change = if known > order.record.expires_at { pay::expire(&order, now) } else { None };
            return Ok(change.map(|change| DeskChange { change, order: None }));
        };
        let amount = tollhouse_core::money::Money::new(amount, order.record.amount.currency());
        let evidence = Evidence::plain(MERCHANT, &transaction(id), amount, paid_at);
        let (tariff, today) = (tariff(), NaiveDate::default());
        let records = &self.watch.records;
        let captured = if self.planted == Planted::CaptureUnchecked {
            pay::capture(&order, &evidence, &tariff, now, today, &key(), &Blind(records))
        } else {
            pay::capture(&order, &evidence, &tariff, now, today, &key(), records)
        };
        Ok(match captured.map_err(|fault| fault.to_string())? {
            Captured::Before => None,
            Captured::Now(change, _) => Some(DeskChange { change: *change, order: None }),
        })
    }

    fn refund(&mut self, id: RefundId, says: RefundSays) -> Result<Option<DeskChange>, String> {
        let refund: Kept<Refund> = self.watch.record(&id.to_string())?;
        let now = self.now();
        let change = match says {
            RefundSays::Done => {
                pay::refund_done(&refund, now, &self.watch.records).map_err(|fault| fault.to_string())?
            }
            RefundSays::Failed => pay::refund_failed(&refund, now),
        };
        Ok(change.map(|change| DeskChange { change, order: None }))
    }
}

/// The provider's id of the payment of an order.
pub(crate) fn transaction(order: OrderId) -> String {
    format!("T{order}")
}

/// The key under which that payment is on record.
pub(crate) fn payment_key(transaction: &str) -> String {
    pay::Payment::key_of(PROVIDER, MERCHANT, transaction)
}

/// The revision of a change that was taken.
pub(crate) type Taken = Result<Revision, tollhouse_core::record::Refusal>;
