//! The tables by name, and the shape of reading from them.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The position in the journal of the change that last wrote a record: 1 for the first entry ever.
pub type Revision = u64;

macro_rules! tables {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// Every table. The names stand in the journal and never change their meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Table { $($(#[$doc])* $variant,)* }

        impl Table {
            /// All of them.
            pub const ALL: &'static [Table] = &[$(Table::$variant,)*];

            /// The name in the journal and in the store.
            pub const fn name(self) -> &'static str {
                match self { $(Table::$variant => $name,)* }
            }
        }
    };
}

tables! {
    /// Stays by id.
    Stays = "stays";
    /// Which stay is open, by plate.
    Inside = "inside";
    /// Passages by id.
    Passages = "passages";
    /// What each lane has in hand, by lane.
    Lanes = "lanes";
    /// Device events that have been taken, by device and event id.
    Events = "events";
    /// Gate passes by plate.
    Passes = "passes";
    /// Bills by id.
    Bills = "bills";
    /// Orders by id.
    Orders = "orders";
    /// Orders that may still be paid, by id.
    OpenOrders = "open_orders";
    /// Captured payments, by provider, merchant and transaction.
    Payments = "payments";
    /// Refunds by id.
    Refunds = "refunds";
    /// Refunds that are not done, by id.
    OpenRefunds = "open_refunds";
    /// Answers already given, by route and idempotency key.
    Answers = "answers";
    /// Cases for a human, by id.
    Cases = "cases";
    /// Balances of the books, by account and currency.
    Balances = "balances";
    /// Counters (cars inside by area and tenure).
    Counters = "counters";
    /// How far each follower of the journal has come.
    Cursors = "cursors";
    /// Versions of tariffs, by id and version.
    Tariffs = "tariffs";
    /// Drivers' versions and which of them run, by the driver's id.
    Drivers = "drivers";
    /// Which stay of a car ended last, by plate.
    LastStays = "last_stays";
    /// Uses of spaces, by id.
    Uses = "uses";
    /// Spaces by number.
    Spaces = "spaces";
    /// Pools of places that are not numbered, by id.
    Pools = "pools";
    /// Fee items by id.
    FeeItems = "fee_items";
    /// Packages by id.
    Packages = "packages";
    /// Holders by id.
    Holders = "holders";
    /// Cards by number.
    Cards = "cards";
    /// Periodic and independent bills, by card and id.
    CardBills = "card_bills";
    /// Credit notes, by card and id.
    CreditNotes = "credit_notes";
    /// Which cars of a card are covered, by card.
    Covers = "covers";
}

impl Table {
    /// The table of that name, for replay.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|table| table.name() == name)
    }
}

/// A kind of record: JSON in one table, under a text key. Records grow by addition: new fields carry
/// `#[serde(default)]`, so that a file written by any release opens in every later one.
pub trait Record: Serialize + DeserializeOwned {
    /// Where it is kept.
    const TABLE: Table;
    /// Under what key.
    fn key(&self) -> String;
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The change that wrote it.
    pub revision: Revision,
    /// The record's JSON.
    pub json: String,
}

/// A record read, with the revision that a change can rely on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<T> {
    /// The change that wrote it.
    pub revision: Revision,
    /// The record.
    pub record: T,
}

/// Why a record could not be read. None of these goes away by trying again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The medium failed.
    #[error("the store cannot be read: {0}")]
    Store(String),
    /// The record's own check failed.
    #[error("{table:?}/{key} is damaged ({detail}); run `tollhouse verify`, then restore a backup")]
    Damaged {
        /// In which table.
        table: Table,
        /// Under which key.
        key: String,
        /// What does not fit.
        detail: String,
    },
}

/// A consistent view of all records. Reading never waits for a writer.
pub trait Records {
    /// The record under `key`, if there is one.
    fn stored(&self, table: Table, key: &str) -> Result<Option<Stored>, ReadError>;

    /// Records whose key is at or after `from`, in key order, at most `limit` of them.
    fn range(&self, table: Table, from: &str, limit: usize) -> Result<Vec<(String, Stored)>, ReadError>;

    /// The record of type `T` under `key`, if there is one.
    fn get<T: Record>(&self, key: &str) -> Result<Option<Kept<T>>, ReadError>
    where
        Self: Sized,
    {
        self.stored(T::TABLE, key)?.map(|stored| read::<T>(key, &stored)).transpose()
    }

    /// The records of type `T` at or after `from`, in key order, at most `limit` of them.
    fn list<T: Record>(&self, from: &str, limit: usize) -> Result<Vec<Kept<T>>, ReadError>
    where
        Self: Sized,
    {
        self.range(T::TABLE, from, limit)?.iter().map(|(key, stored)| read::<T>(key, stored)).collect()
    }
}

fn read<T: Record>(key: &str, stored: &Stored) -> Result<Kept<T>, ReadError> {
    match serde_json::from_str(&stored.json) {
        Ok(record) => Ok(Kept { revision: stored.revision, record }),
        Err(fault) => Err(ReadError::Damaged { table: T::TABLE, key: key.to_owned(), detail: fault.to_string() }),
    }
}
