//! Temporary bills as property charging has them, and the figures of their days.
//!
//! The gate draws temporary bills and payment takes the money; both only write the journal. Here stands what property
//! charging makes of its entries: read in order by a cursor, in batches, each event counted exactly once because the
//! cursor moves in the same change. A day closes at the lot's midnight and is fixed then; what arrives later, by posting
//! time, belongs to the next. It must not know who reads the journal, and when.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::audit::{JournalEntry, Texts};
use crate::bill::{Bill, BillState};
use crate::id::{BillId, StayId};
use crate::money::{Currency, Money};
use crate::pay::{Order, Payment, Refund, RefundState};
use crate::record::{Cause, Change, ChangeKind, Kept, Op, ReadError, Record, Records, Revision, Table};

/// A temporary bill as property charging has it. It names no car: that is the gate's to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemporaryBill {
    /// Which.
    pub id: BillId,
    /// Of which stay.
    pub stay: StayId,
    /// The day to which its drawing belongs.
    pub drawn_on: NaiveDate,
    /// How it stands.
    pub state: BillState,
    /// Charged so far.
    pub charged: Money,
    /// Tax of that.
    pub tax: Money,
    /// Accepted so far.
    pub paid: Money,
    /// Given back so far.
    pub refunded: Money,
}

impl Record for TemporaryBill {
    const TABLE: Table = Table::TemporaryBills;
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// How far property charging has read the journal, and which day is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCursor {
    /// The last entry that is counted.
    pub position: Revision,
    /// When it was posted; before the first, when the box began to read.
    pub at: DateTime<Utc>,
    /// The day that is open.
    pub day: NaiveDate,
}

impl DayCursor {
    /// There is one record.
    pub const KEY: &'static str = "temporary_bills";
}

impl Record for DayCursor {
    const TABLE: Table = Table::Cursors;
    fn key(&self) -> String {
        Self::KEY.to_owned()
    }
}

/// What happened to temporary bills on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillDay {
    /// Which of the lot's days.
    pub day: NaiveDate,
    /// When it was closed; `None`: it is open, and grows.
    #[serde(default)]
    pub closed_at: Option<DateTime<Utc>>,
    /// The last entry of the journal that is in it.
    pub position: Revision,
    /// In what the figures are.
    pub currency: Currency,
    /// The figures.
    pub figures: DayFigures,
}

impl Record for BillDay {
    const TABLE: Table = Table::BillDays;
    fn key(&self) -> String {
        self.day.to_string()
    }
}

/// Figures of temporary bills; amounts in smallest units.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DayFigures {
    /// Bills drawn.
    pub drawn: u64,
    /// Lines appended to bills that were drawn before.
    pub appended: u64,
    /// Bills that became settled, withdrawn or given up.
    pub closed: u64,
    /// Charged by drawing and appending.
    pub charged_minor: i64,
    /// Tax of that.
    pub tax_minor: i64,
    /// Payments accepted.
    pub payments: u64,
    /// What they came to.
    pub paid_minor: i64,
    /// The same by how it was paid: a provider's name, or `other`.
    pub paid_by_minor: BTreeMap<String, i64>,
    /// Refunds done.
    pub refunds: u64,
    /// What they came to.
    pub refunded_minor: i64,
}

/// A batch on its way into the books of the days.
struct Batch<'r, R: Records> {
    records: &'r R,
    cursor: DayCursor,
    currency: Currency,
    zone: Tz,
    now: DateTime<Utc>,
    days: BTreeMap<NaiveDate, (Option<Kept<BillDay>>, BillDay)>,
    bills: BTreeMap<BillId, TemporaryBill>,
}

/// Counts what a batch of entries says of temporary bills, and closes the days that are over. `entries` follow the cursor
/// without a gap; `caught_up` says that there are no more, so that midnight closes the day though nothing comes.
/// `None`: there is nothing to write.
pub fn book_batch(
    cursor: Option<&Kept<DayCursor>>,
    entries: &[JournalEntry],
    caught_up: CaughtUp,
    (zone, currency): (Tz, Currency),
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<Option<Change>, ReadError> {
    let date = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    let began = entries.first().map_or(now, |entry| entry.change.at);
    let start = DayCursor { position: 0, at: began, day: date(began) };
    let before = cursor.map_or(start, |kept| kept.record);
    let (days, bills) = (BTreeMap::new(), BTreeMap::new());
    let mut batch = Batch { records, cursor: before, currency, zone, now, days, bills };
    for entry in entries {
        batch.entry(entry)?;
    }
    if caught_up == CaughtUp::Yes {
        batch.turn_to(date(now))?;
    }
    if batch.cursor == before && cursor.is_some() {
        return Ok(None);
    }
    let mut change = Change::new(ChangeKind::TemporaryBillsBooked, now, Cause::Time);
    change.rely_on(DayCursor::KEY, cursor);
    change.put(&batch.cursor);
    for (kept, day) in batch.days.values() {
        if kept.as_ref().is_none_or(|kept| kept.record != *day) {
            change.rely_on(&day.key(), kept.as_ref());
            change.put(day);
        }
    }
    for bill in batch.bills.values() {
        change.put(bill);
    }
    Ok(Some(change))
}

/// Whether a batch reaches to the end of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaughtUp {
    /// It does: the clock alone may close a day.
    Yes,
    /// More follows.
    NotYet,
}

impl<R: Records> Batch<'_, R> {
    fn day(&mut self) -> Result<&mut BillDay, ReadError> {
        let (day, currency) = (self.cursor.day, self.currency);
        if !self.days.contains_key(&day) {
            let kept = self.records.get::<BillDay>(&day.to_string())?;
            let fresh = BillDay { day, closed_at: None, position: 0, currency, figures: DayFigures::default() };
            let record = kept.as_ref().map_or(fresh, |kept| kept.record.clone());
            self.days.insert(day, (kept, record));
        }
        Ok(&mut self.days.get_mut(&day).expect("just put there").1)
    }

    /// Closes the open day, if a later one has begun; a day on which nothing happened has figures too.
    fn turn_to(&mut self, today: NaiveDate) -> Result<(), ReadError> {
        while self.cursor.day < today {
            let (now, position) = (self.now, self.cursor.position);
            let day = self.day()?;
            day.closed_at = Some(now);
            day.position = day.position.max(position);
            // A box that was off for long does not write a day of nothing for each.
            let next = self.cursor.day.succ_opt().unwrap_or(today);
            self.cursor.day = if self.days.len() > 400 { today } else { next };
        }
        Ok(())
    }

    fn entry(&mut self, entry: &JournalEntry) -> Result<(), ReadError> {
        self.turn_to(entry.change.at.with_timezone(&self.zone).date_naive())?;
        self.cursor.position = entry.position;
        self.cursor.at = entry.change.at;
        let mut told = false;
        for op in &entry.change.ops {
            let Op::Put { table, record, .. } = op else { continue };
            // What was erased cannot always be read; what it says in money was counted before it was.
            let lenient = entry.texts == Texts::Erased;
            if *table == Table::Bills.name() {
                if let Some(bill) = read::<Bill>(record.get(), lenient, Table::Bills)? {
                    told |= self.bill(&bill, entry)?;
                }
            } else if *table == Table::Refunds.name()
                && let Some(refund) = read::<Refund>(record.get(), lenient, Table::Refunds)?
            {
                told |= self.refund(&refund)?;
            }
        }
        if told {
            self.day()?.position = entry.position;
        }
        Ok(())
    }

    fn known(&self, id: BillId) -> Result<Option<TemporaryBill>, ReadError> {
        if let Some(bill) = self.bills.get(&id) {
            return Ok(Some(bill.clone()));
        }
        Ok(self.records.get::<TemporaryBill>(&id.to_string())?.map(|kept| kept.record))
    }

    /// A bill was written: what of it is new is what happened.
    fn bill(&mut self, bill: &Bill, entry: &JournalEntry) -> Result<bool, ReadError> {
        if bill.state == BillState::Draft {
            return Ok(false);
        }
        let before = self.known(bill.id)?;
        let zero = Money::zero(bill.total.currency());
        let was = before.clone().unwrap_or(TemporaryBill {
            id: bill.id,
            stay: bill.stay,
            drawn_on: self.cursor.day,
            state: BillState::Draft,
            charged: zero,
            tax: zero,
            paid: zero,
            refunded: zero,
        });
        let now = TemporaryBill {
            state: bill.state,
            charged: bill.posted,
            tax: bill.posted_tax,
            paid: bill.paid,
            ..was.clone()
        };
        if before.as_ref() == Some(&now) {
            return Ok(false);
        }
        let figures = &mut self.day()?.figures;
        let charged = now.charged.minor() - was.charged.minor();
        let paid = now.paid.minor() - was.paid.minor();
        if before.is_none() {
            figures.drawn += 1;
        } else if charged != 0 {
            figures.appended += 1;
        }
        figures.charged_minor += charged;
        figures.tax_minor += now.tax.minor() - was.tax.minor();
        if paid != 0 {
            figures.payments += 1;
            figures.paid_minor += paid;
            *figures.paid_by_minor.entry(paid_by(entry)).or_default() += paid;
        }
        if ended(now.state) && !ended(was.state) {
            figures.closed += 1;
        }
        self.bills.insert(now.id, now);
        Ok(true)
    }

    /// A refund was written: once done, it counts.
    fn refund(&mut self, refund: &Refund) -> Result<bool, ReadError> {
        if refund.state != RefundState::Done {
            return Ok(false);
        }
        let order = self.records.get::<Order>(&refund.order.to_string())?;
        let Some(order) = order.map(|kept| kept.record) else { return Ok(false) };
        let Some(id) = order.pays.bill() else { return Ok(false) };
        let Some(mut bill) = self.known(id)? else { return Ok(false) };
        bill.refunded = Money::new(bill.refunded.minor() + refund.amount.minor(), bill.refunded.currency());
        self.bills.insert(bill.id, bill);
        let figures = &mut self.day()?.figures;
        figures.refunds += 1;
        figures.refunded_minor += refund.amount.minor();
        Ok(true)
    }
}

fn ended(state: BillState) -> bool {
    matches!(state, BillState::Paid | BillState::Void | BillState::Refunded | BillState::WrittenOff)
}

/// By what the money of an entry came: the provider of the payment that stands in it.
fn paid_by(entry: &JournalEntry) -> String {
    let payment = entry.change.ops.iter().find_map(|op| match op {
        Op::Put { table, record, .. } if *table == Table::Payments.name() => {
            serde_json::from_str::<Payment>(record.get()).ok()
        }
        _ => None,
    });
    if let Some(payment) = payment {
        return payment.provider;
    }
    let debited = entry.change.postings.iter().find(|posting| posting.amount.is_positive());
    let name = debited.map(|posting| posting.account.to_string());
    name.and_then(|name| name.split_once(':').map(|(first, _)| first.to_owned())).unwrap_or_else(|| "other".to_owned())
}

fn read<T: Record>(json: &str, lenient: bool, table: Table) -> Result<Option<T>, ReadError> {
    match serde_json::from_str(json) {
        Ok(record) => Ok(Some(record)),
        Err(_) if lenient => Ok(None),
        Err(fault) => Err(ReadError::Damaged { table, key: "in the journal".to_owned(), detail: fault.to_string() }),
    }
}
