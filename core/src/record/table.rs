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
    /// What came of requests that bore an idempotency key, by route, caller and key.
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
    /// Accounts of people and programs, by name.
    Users = "users";
    /// Bearer tokens, by the hash of what is sent.
    Tokens = "tokens";
    /// Sessions of people, by the hash of what is sent.
    Sessions = "sessions";
    /// What the lot is, as commands on a stopped box need it, by id.
    Lots = "lots";
    /// How far the days of card bills are earned: one record.
    Earned = "earned";
    /// Card bills by the ids that pay pages show.
    Payables = "payables";
    /// Open card bills, by due date, card and id.
    OpenBills = "open_bills";
    /// Bill runs by the day as of which they draw.
    BillRuns = "bill_runs";
    /// Temporary bills as property charging has them, by id.
    TemporaryBills = "temporary_bills";
    /// The figures of days of temporary bills, by day.
    BillDays = "bill_days";
    /// Reminders that went out, by card, bill and stage.
    Reminders = "reminders";
    /// Shifts at the till, by id.
    Shifts = "shifts";
    /// Which shift of an attendant is open, by attendant.
    OpenShifts = "open_shifts";
    /// What went into and out of a drawer, by shift and number.
    CashReceipts = "cash_receipts";
    /// Stored value, by card.
    StoredValues = "stored_values";
    /// What became of stored value, by card and number.
    StoredMoves = "stored_moves";
    /// Days of the books that are closed, by day.
    BookDays = "book_days";
    /// Reconciliations, by provider and day.
    Reconciliations = "reconciliations";
    /// Rows of the books that a statement has matched, by provider and row.
    Reconciled = "reconciled";
    /// Differences between books and statements, by provider, day and row.
    Differences = "differences";
    /// Money that waits for a person, by kind and refund or transaction.
    PaymentCases = "payment_cases";
    /// Who handles a case, and what came of it, by the case's id.
    Handlings = "handlings";
    /// Claims on cars that left without paying, by plate and bill.
    Arrears = "arrears";
    /// Postings by hand, by number.
    Vouchers = "vouchers";
    /// What the gate was told of a card, by card.
    GateCards = "gate_cards";
    /// On which day what the gate knows of a card changes by itself, by day and card.
    GateDays = "gate_days";
    /// Which cards the gate looks at when a space changes, by space and card.
    GateSpaces = "gate_spaces";
    /// Which order has a number, by provider and number.
    OrderNumbers = "order_numbers";
    /// Which cards hold a numbered space, by number.
    SpaceCards = "space_cards";
    /// Places of pools that cards hold, by pool and card.
    PoolCards = "pool_cards";
    /// Which cards a plate is on, by plate.
    PlateCards = "plate_cards";
    /// What was done to cards, by card and number.
    CardActs = "card_acts";
    /// Registered vehicles, by plate.
    Vehicles = "vehicles";
    /// Visitors whom holders have invited, by id.
    Invitations = "invitations";
    /// Invitations that may still let somebody in, by id.
    OpenInvitations = "open_invitations";
    /// Which state of a bill the gate has, by card and bill.
    GateBills = "gate_bills";
    /// Who stands where on spaces for several cars, by number.
    Standings = "standings";
    /// Recommendations that were made, by id.
    Recommendations = "recommendations";
    /// Imports of whole estates, by the digest of what was imported.
    MovedIn = "moved_in";
    /// Merchants by id.
    Merchants = "merchants";
    /// What of a merchant's balance is spoken for, by merchant.
    MerchantStandings = "merchant_standings";
    /// What merchants were charged for coupons, by merchant, time and coupon.
    MerchantCharges = "merchant_charges";
    /// Money from and to merchants, by merchant, time and id.
    MerchantMoney = "merchant_money";
    /// Batches of coupons, by merchant and number.
    CouponBatches = "coupon_batches";
    /// Coupons by the hash of their code.
    Coupons = "coupons";
    /// Cars on the free list, by plate.
    FreeList = "free_list";
    /// Invoices and receipts by id.
    Invoices = "invoices";
    /// How far each series of invoice numbers has come.
    InvoiceSeries = "invoice_series";
    /// What of each bill's lines was invoiced, by bill.
    Invoiced = "invoiced";
    /// Invoices that a provider has not answered for, by id.
    OpenInvoices = "open_invoices";
    /// Invoices by number, with what became of them in exports.
    InvoiceNumbers = "invoice_numbers";
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

    /// The records of type `T` whose key begins with `prefix`, in key order, at most `limit` of them.
    fn list_under<T: Record>(&self, prefix: &str, limit: usize) -> Result<Vec<Kept<T>>, ReadError>
    where
        Self: Sized,
    {
        let rows = self.range(T::TABLE, prefix, limit)?;
        let under = rows.iter().take_while(|(key, _)| key.starts_with(prefix));
        under.map(|(key, stored)| read::<T>(key, stored)).collect()
    }
}

fn read<T: Record>(key: &str, stored: &Stored) -> Result<Kept<T>, ReadError> {
    match serde_json::from_str(&stored.json) {
        Ok(record) => Ok(Kept { revision: stored.revision, record }),
        Err(fault) => Err(ReadError::Damaged { table: T::TABLE, key: key.to_owned(), detail: fault.to_string() }),
    }
}
