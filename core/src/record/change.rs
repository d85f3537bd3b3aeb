//! A change: what one decision writes, as one journal entry, all or nothing.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Kept, Record, Revision, Table};
use crate::books::Posting;
use crate::id::{DeviceId, EventId, LaneId};

/// What one decision writes. Its JSON is the journal entry's content (the store adds position, time and chain).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    /// What happened, in a word.
    pub kind: ChangeKind,
    /// When, by the box's clock.
    pub at: DateTime<Utc>,
    /// Where, if at a lane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneId>,
    /// What led to it.
    pub cause: Cause,
    /// Revisions that it relied on. Checked by the writer, not journalled: the journal tells what was decided.
    #[serde(skip)]
    pub relied: Vec<Relied>,
    /// What it writes, in order.
    pub ops: Vec<Op>,
    /// What it posts; the sum is zero.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postings: Vec<Posting>,
    /// Texts in it that identify a person (plates, names): the store keeps them apart, so that they can be erased
    /// without breaking the journal's chain.
    #[serde(skip)]
    pub personal: Vec<String>,
}

/// What kinds of change there are. The names stand in the journal and never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChangeKind {
    /// A passage was decided.
    #[serde(rename = "passage.decided")]
    PassageDecided,
    /// A further read of the same passage.
    #[serde(rename = "passage.read_again")]
    PassageReadAgain,
    /// A passage was granted (paid, by a person) after it had waited.
    #[serde(rename = "passage.granted")]
    PassageGranted,
    /// The opening command was answered or ran out.
    #[serde(rename = "passage.command")]
    PassageCommand,
    /// The car has passed.
    #[serde(rename = "passage.passed")]
    PassagePassed,
    /// The car backed out or is gone.
    #[serde(rename = "passage.lapsed")]
    PassageLapsed,
    /// A button, code or alarm was noted.
    #[serde(rename = "event.noted")]
    EventNoted,
    /// A bill was drawn up, or grew.
    #[serde(rename = "bill.assessed")]
    BillAssessed,
    /// An order was made: the intent to pay.
    #[serde(rename = "order.made")]
    OrderMade,
    /// An order ran out or was closed.
    #[serde(rename = "order.ended")]
    OrderEnded,
    /// A provider's payment was captured.
    #[serde(rename = "payment.captured")]
    PaymentCaptured,
    /// A refund went a step further.
    #[serde(rename = "refund.moved")]
    RefundMoved,
    /// Gate passes were written.
    #[serde(rename = "pass.written")]
    PassWritten,
    /// Old marks of events were dropped.
    #[serde(rename = "housekeeping")]
    Housekeeping,
    /// Spaces, pools or uses were written.
    #[serde(rename = "estate.changed")]
    EstateChanged,
    /// Fee items or packages were written.
    #[serde(rename = "prices.changed")]
    PricesChanged,
    /// A card was opened or changed, with the bills that this moved.
    #[serde(rename = "card.changed")]
    CardChanged,
    /// A run drew bills or took some back.
    #[serde(rename = "bills.run")]
    BillsRun,
    /// Money was accepted to bills of a card, or given back.
    #[serde(rename = "bills.paid")]
    BillsPaid,
    /// Days of bills were earned.
    #[serde(rename = "days.earned")]
    DaysEarned,
    /// A person corrected bills of a card: a credit note, a write-off, what was forgiven or claimed again.
    #[serde(rename = "bills.corrected")]
    BillsCorrected,
    /// Late fees of bills grew.
    #[serde(rename = "bills.late")]
    BillsLate,
    /// Events of temporary bills reached property charging.
    #[serde(rename = "temporary_bills.booked")]
    TemporaryBillsBooked,
    /// Holders are reminded of bills.
    #[serde(rename = "bills.reminded")]
    BillsReminded,
    /// The machine's clock has jumped.
    #[serde(rename = "clock.jumped")]
    ClockJumped,
    /// A follower of the journal moved on.
    #[serde(rename = "cursor.moved")]
    CursorMoved,
    /// A version of a tariff was loaded for the first time.
    #[serde(rename = "tariff.loaded")]
    TariffLoaded,
    /// A version of a driver is kept on the box.
    #[serde(rename = "driver.installed")]
    DriverInstalled,
    /// Instances run a newer version of a driver.
    #[serde(rename = "driver.upgraded")]
    DriverUpgraded,
    /// Instances run an older version of a driver again, or it is welcome again.
    #[serde(rename = "driver.rolled_back")]
    DriverRolledBack,
    /// A version of a driver is kept no longer.
    #[serde(rename = "driver.removed")]
    DriverRemoved,
    /// A signed version of a driver has run for the first time.
    #[serde(rename = "driver.ran")]
    DriverRan,
    /// An account was made or changed.
    #[serde(rename = "user.changed")]
    UserChanged,
    /// A token was issued or revoked.
    #[serde(rename = "token.changed")]
    TokenChanged,
    /// Somebody signed in or out.
    #[serde(rename = "session.changed")]
    SessionChanged,
    /// The box was told something new of its lot.
    #[serde(rename = "lot.changed")]
    LotChanged,
    /// A shift was opened with its float.
    #[serde(rename = "shift.opened")]
    ShiftOpened,
    /// A shift was counted and closed; perhaps the next one was opened with what it handed over.
    #[serde(rename = "shift.closed")]
    ShiftClosed,
    /// Cash was taken for bills.
    #[serde(rename = "cash.taken")]
    CashTaken,
    /// Cash was given back.
    #[serde(rename = "cash.paid_out")]
    CashPaidOut,
    /// Cash went between a drawer and the safe.
    #[serde(rename = "cash.moved")]
    CashMoved,
    /// Stored value was topped up, spent or given back.
    #[serde(rename = "stored.moved")]
    StoredMoved,
    /// A day of the books was closed.
    #[serde(rename = "books.closed")]
    BooksClosed,
    /// An accountant posted by hand, or took such an entry back.
    #[serde(rename = "books.posted")]
    BooksPosted,
    /// A provider's statement was held against the books.
    #[serde(rename = "statement.matched")]
    StatementMatched,
    /// A case was assigned or resolved.
    #[serde(rename = "case.handled")]
    CaseHandled,
    /// A claim on a car that left without paying was noted or forgiven.
    #[serde(rename = "arrears.changed")]
    ArrearsChanged,
    /// Holders, vehicles or invitations were written.
    #[serde(rename = "holders.changed")]
    HoldersChanged,
    /// A package was recommended.
    #[serde(rename = "package.recommended")]
    PackageRecommended,
    /// A part of an estate came in from another system.
    #[serde(rename = "estate.moved_in")]
    EstateMovedIn,
    /// A merchant's account was opened or changed.
    #[serde(rename = "merchant.changed")]
    MerchantChanged,
    /// Money came from a merchant, or went back.
    #[serde(rename = "merchant.money")]
    MerchantMoney,
    /// Coupons were issued or withdrawn.
    #[serde(rename = "coupons.changed")]
    CouponsChanged,
    /// A coupon was redeemed.
    #[serde(rename = "coupon.redeemed")]
    CouponRedeemed,
    /// A person gave a discount.
    #[serde(rename = "discount.given")]
    DiscountGiven,
    /// A car was put on the free list, or taken off.
    #[serde(rename = "free_list.changed")]
    FreeListChanged,
    /// An invoice was requested, or went a step further.
    #[serde(rename = "invoice.moved")]
    InvoiceMoved,
    /// Invoices were exported.
    #[serde(rename = "invoices.exported")]
    InvoicesExported,
}

/// What led to a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// An event of a device.
    Event {
        /// Whose.
        device: DeviceId,
        /// The device's id of it.
        event_id: EventId,
    },
    /// A device's answer to a command, or its silence.
    Command(String),
    /// A payment, an order or a refund, by its id.
    Payment(String),
    /// A driver at the pay page.
    Driver,
    /// A person, by name, and why.
    Person {
        /// Who.
        name: String,
        /// Why, in their words.
        reason: String,
    },
    /// Time passed.
    Time,
    /// The box itself, in so many words.
    Box(String),
}

/// A revision that a decision relied on: `None` means that there was no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relied {
    /// In which table.
    pub table: Table,
    /// Under which key.
    pub key: String,
    /// What was there.
    pub revision: Option<Revision>,
}

/// One write.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Writes a record, whatever was there.
    Put {
        /// The table's name.
        table: Cow<'static, str>,
        /// The record's key.
        key: String,
        /// The record.
        record: Box<RawValue>,
    },
    /// Removes a record, if it is there.
    Delete {
        /// The table's name.
        table: Cow<'static, str>,
        /// The record's key.
        key: String,
    },
    /// Adds to a counter. With a bound the change is refused when the counter would go over it: so two lanes that
    /// decide at once on the last space cannot both be right, and need not rely on the counter's revision.
    Count {
        /// Which counter.
        counter: String,
        /// By how much.
        by: i64,
        /// The most that it may become.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_most: Option<i64>,
    },
}

impl Change {
    /// An empty change.
    pub fn new(kind: ChangeKind, at: DateTime<Utc>, cause: Cause) -> Self {
        Self { kind, at, lane: None, cause, relied: vec![], ops: vec![], postings: vec![], personal: vec![] }
    }

    /// At this lane.
    pub fn at_lane(mut self, lane: &LaneId) -> Self {
        self.lane = Some(lane.clone());
        self
    }

    /// Relies on what was read: the change is refused if somebody has written it since.
    pub fn rely_on<T: Record>(&mut self, key: &str, read: Option<&Kept<T>>) {
        let revision = read.map(|kept| kept.revision);
        self.relied.push(Relied { table: T::TABLE, key: key.to_owned(), revision });
    }

    /// Writes a record.
    pub fn put<T: Record>(&mut self, record: &T) {
        let json = serde_json::value::to_raw_value(record).expect("records serialise: text keys, no fallible types");
        self.ops.push(Op::Put { table: T::TABLE.name().into(), key: record.key(), record: json });
    }

    /// Removes a record.
    pub fn delete(&mut self, table: Table, key: &str) {
        self.ops.push(Op::Delete { table: table.name().into(), key: key.to_owned() });
    }

    /// Adds to a counter, bounded if `at_most` says so.
    pub fn count(&mut self, counter: &str, by: i64, at_most: Option<i64>) {
        self.ops.push(Op::Count { counter: counter.to_owned(), by, at_most });
    }

    /// Marks a text as personal.
    pub fn personal(&mut self, text: &str) {
        if !self.personal.iter().any(|known| known == text) {
            self.personal.push(text.to_owned());
        }
    }
}
