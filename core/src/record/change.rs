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
