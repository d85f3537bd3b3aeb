//! The desk of the till: decides in `core` against a snapshot and commits; tells the lot that a bill was settled, so that
//! the lane opens for the car that waits, as after any other payment.

use std::sync::Arc;

use actix::Recipient;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::bill::Bill;
use tollhouse_core::cash::{
    self, CashReceipt, CashRefusal, CashTerms, Coin, Count, MovedCash, PayOut, Shift, ShiftTerms, StoredMove, Tendered,
};
use tollhouse_core::charging::label::CardNumber;
use tollhouse_core::id::{BillId, IdKey, OrderId, RefundId, ShiftId};
use tollhouse_core::lane::Tone;
use tollhouse_core::lot::Lot;
use tollhouse_core::money::Money;
use tollhouse_core::pay::Refund;
use tollhouse_core::record::{By, ReadError, Records};
use tollhouse_core::tariff::TariffBook;
use tollhouse_core::words::Words;

use super::deeds::{Deed, deeds};
use crate::actors::lot::messages::BillMoved;
use crate::clock::BoxClock;
use crate::live::{Happening, Live};
use crate::store::journal::JournalFault;
use crate::store::{Snapshot, Store, Undone};

/// Receipts of one page.
const PAGE: usize = 500;

/// What the till works with.
#[derive(Clone)]
pub struct CashParts {
    /// Where it reads and commits.
    pub store: Store,
    /// The time.
    pub clock: BoxClock,
    /// From which ids are derived.
    pub key: IdKey,
    /// The lot: its zone and tax.
    pub lot: Arc<Lot>,
    /// What a stay costs, for cars that pay while they are inside.
    pub tariff: Arc<TariffBook>,
    /// The smallest coin.
    pub coin: Coin,
    /// Whom it tells.
    pub live: Arc<Live>,
    /// Who wants to know that a bill was settled.
    pub bill_moved: Recipient<BillMoved>,
}

/// A shift with all that belongs to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShiftReport {
    /// The shift.
    pub shift: Shift,
    /// What should be in its drawer now, or should have been when it was closed.
    pub expected: Money,
    /// Its receipts, in order.
    pub receipts: Vec<CashReceipt>,
    /// What people did by hand meanwhile.
    pub deeds: Vec<Deed>,
}

/// Why a shift cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ReportFault {
    /// The records cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The journal cannot be read.
    #[error("the journal cannot be read: {0}")]
    Journal(#[from] JournalFault),
    /// Amounts that do not fit together.
    #[error(transparent)]
    Money(#[from] tollhouse_core::money::MoneyError),
}

/// The till's desk.
#[derive(Clone)]
pub struct CashDesk {
    parts: Arc<CashParts>,
}

type Done<T> = Result<T, Undone<CashRefusal>>;

impl CashDesk {
    /// With these parts.
    pub fn new(parts: CashParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    fn now(&self) -> DateTime<Utc> {
        self.parts.clock.now()
    }

    fn terms(&self) -> CashTerms<'_> {
        let CashParts { key, lot, tariff, coin, .. } = self.parts.as_ref();
        let now = self.now();
        let today = now.with_timezone(&lot.zone).date_naive();
        CashTerms { tariff, tax_rate: lot.tax_rate, key, now, today, coin: *coin }
    }

    fn shift_terms(&self, records: &Snapshot) -> ShiftTerms<'_> {
        ShiftTerms { now: self.now(), after: records.position(), key: &self.parts.key }
    }

    /// Opens a shift with a counted float.
    pub async fn open(&self, by: &By, attendant: &str, float: &Count) -> Done<Shift> {
        let decide = |records: &Snapshot| {
            let (change, shift) = cash::open(attendant, float, &self.shift_terms(records), records)?;
            Ok((shift, Some(change)))
        };
        self.parts.store.decide(by, decide).await
    }

    /// Closes a shift by its count, or hands it over to the next attendant.
    pub async fn close(
        &self,
        by: &By,
        attendant: &str,
        count: &Count,
        reason: Option<&str>,
        next: Option<(&str, &Count)>,
    ) -> Done<Shift> {
        let decide = |records: &Snapshot| {
            let terms = self.shift_terms(records);
            let (change, shift, _) = cash::close(attendant, count, reason, next, &terms, records)?;
            Ok((shift, Some(change)))
        };
        self.parts.store.decide(by, decide).await
    }

    /// Moves cash between a drawer and the safe.
    pub async fn move_cash(
        &self,
        by: &By,
        attendant: &str,
        which: MovedCash,
        amount: Money,
        reason: &str,
    ) -> Done<CashReceipt> {
        let decide = |records: &Snapshot| {
            let (change, receipt) = cash::move_cash(attendant, which, amount, reason, self.now(), records)?;
            Ok((receipt, Some(change)))
        };
        self.parts.store.decide(by, decide).await
    }

    /// Takes cash for a stay's bill; the car that waits for it goes.
    pub async fn take(&self, by: &By, attendant: &str, tendered: &Tendered) -> Done<CashReceipt> {
        let decide = |records: &Snapshot| {
            let (change, receipt) = cash::take(attendant, tendered, &self.terms(), records)?;
            Ok((receipt, Some(change)))
        };
        let receipt = self.parts.store.decide(by, decide).await?;
        self.settled("cash", &Words::new("收到现金停车费", "Parking fee taken in cash"), receipt.amount);
        Ok(receipt)
    }

    /// Gives cash back.
    pub async fn pay_out(
        &self,
        by: &By,
        attendant: &str,
        what: &PayOut,
        amount: Money,
        reason: &str,
    ) -> Done<CashReceipt> {
        let decide = |records: &Snapshot| {
            let (change, receipt) = cash::pay_out(attendant, what, amount, reason, &self.terms(), records)?;
            Ok((receipt, Some(change)))
        };
        self.parts.store.decide(by, decide).await
    }

    /// Begins to give money back through the provider that took it for an order.
    pub async fn refund_order(
        &self,
        by: &By,
        order: OrderId,
        what: &PayOut,
        amount: Money,
        reason: &str,
    ) -> Done<Refund> {
        let decide = |records: &Snapshot| {
            let who = (by.name(), reason);
            let (change, refund) = cash::refund_order(who, order, what, amount, &self.terms(), records)?;
            Ok((refund, Some(change)))
        };
        self.parts.store.decide(by, decide).await
    }

    /// Says what a refund was for that was made in the provider's console.
    pub async fn explain_refund(&self, by: &By, refund: RefundId, what: &PayOut, reason: &str) -> Done<Refund> {
        let decide = |records: &Snapshot| {
            let (change, refund) = cash::explain_refund((by.name(), reason), refund, what, &self.terms(), records)?;
            Ok((refund, Some(change)))
        };
        self.parts.store.decide(by, decide).await
    }

    /// Tops up a card's stored value with cash.
    pub async fn top_up(&self, by: &By, attendant: &str, card: &CardNumber, amount: Money) -> Done<StoredMove> {
        let decide = |records: &Snapshot| {
            let (change, _, line) = cash::top_up(attendant, card, amount, self.now(), records)?;
            Ok((line, Some(change)))
        };
        self.parts.store.decide(by, decide).await
    }

    /// Gives stored value back in cash.
    pub async fn give_back(
        &self,
        by: &By,
        attendant: &str,
        card: &CardNumber,
        amount: Money,
        reason: &str,
    ) -> Done<StoredMove> {
        let decide = |records: &Snapshot| {
            let (change, _, line) = cash::give_back(attendant, card, amount, reason, self.now(), records)?;
            Ok((line, Some(change)))
        };
        self.parts.store.decide(by, decide).await
    }

    /// Pays a stay's bill from a card's stored value.
    pub async fn spend(&self, by: &By, card: &CardNumber, bill: BillId) -> Done<StoredMove> {
        let decide = |records: &Snapshot| {
            let (change, line) = cash::spend(card, bill, by.cause.clone(), &self.terms(), records)?;
            Ok((line, Some(change)))
        };
        let line = self.parts.store.decide(by, decide).await?;
        let words = Words::new("储值支付停车费", "Parking fee paid from stored value");
        self.settled("stored", &words, line.amount.negated());
        Ok(line)
    }

    /// What a stay's bill comes to in cash now: rounded to coins.
    pub fn due_in_cash(&self, bill: &Bill) -> Money {
        self.parts.coin.round(bill.due())
    }

    fn settled(&self, code: &str, words: &Words, money: Money) {
        self.parts.live.happened(Happening {
            id: self.parts.store.snapshot().position(),
            at: self.now(),
            lane: None,
            plate: None,
            code: code.to_owned(),
            tone: Tone::Money,
            words: words.clone(),
            money: Some(money),
        });
        // Lost, it costs time: a waiting lane looks at its bill by itself as well.
        self.parts.bill_moved.do_send(BillMoved);
    }

    /// A shift with its receipts and what else was done by hand; reads the journal, so call it off the serving threads.
    pub fn report(&self, id: ShiftId) -> Result<Option<ShiftReport>, ReportFault> {
        let records = self.parts.store.snapshot();
        let Some(shift) = records.get::<Shift>(&id.to_string())?.map(|kept| kept.record) else { return Ok(None) };
        let prefix = format!("{id}/");
        let (mut receipts, mut from) = (Vec::<CashReceipt>::new(), prefix.clone());
        loop {
            let page = records.list::<CashReceipt>(&from, PAGE)?;
            let full = page.len() == PAGE;
            let own = page.into_iter().map(|kept| kept.record).take_while(|receipt| receipt.shift == id);
            let before = receipts.len();
            receipts.extend(own);
            if !full || receipts.len() - before < PAGE {
                break;
            }
            from = receipts.last().map_or_else(String::new, |last| format!("{prefix}{:08}\u{0}", last.number));
        }
        let deeds = deeds(&self.parts.store, &shift)?;
        let expected = shift.expected()?;
        Ok(Some(ShiftReport { shift, expected, receipts, deeds }))
    }
}
