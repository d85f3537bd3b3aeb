//! All tables of the redb file, and how a record stands in them. Nothing else names a table definition.
//!
//! A value is: format byte 1, revision (u64 LE), CRC-32C (u32 LE) over table, key, revision and JSON, then the JSON.

use std::sync::Arc;

use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition};
use tollhouse_core::record::{ReadError, Revision, Stored, Table};

use super::journal::{GENESIS, Hash};
use super::layer::{Layer, Row};

/// The redb file within the data folder.
pub(crate) const FILE: &str = "store.redb";

type Definition = TableDefinition<'static, &'static str, &'static [u8]>;

const META: Definition = TableDefinition::new("meta");
const META_FORMAT: &str = "format";
const META_POSITION: &str = "position";
const FORMAT: &[u8] = &[1];
const RECORD_FORMAT: u8 = 1;
const RECORD_HEAD: usize = 1 + 8 + 4;

const fn definition(table: Table) -> Definition {
    TableDefinition::new(table.name())
}

/// How far into the journal the redb file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) position: Revision,
    pub(crate) hash: Hash,
}

/// Why the redb file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedbFault {
    #[error("the redb file: {0}")]
    Redb(#[from] redb::Error),
    #[error("the redb file is damaged: {0}")]
    Damaged(String),
    #[error("the redb file belongs to a later release (format {0:?})")]
    LaterRelease(Vec<u8>),
}

macro_rules! from_redb {
    ($($fault:ident),*) => { $(impl From<redb::$fault> for RedbFault {
        fn from(fault: redb::$fault) -> Self { Self::Redb(fault.into()) }
    })* };
}
from_redb!(DatabaseError, TransactionError, TableError, StorageError, CommitError, SetDurabilityError);

/// A consistent view of the redb file: what the last durable commit holds.
pub(crate) struct Base {
    tables: Vec<ReadOnlyTable<&'static str, &'static [u8]>>,
    pub(crate) applied: Applied,
}

impl Base {
    /// The view as of now; makes tables that are missing (a new file, or an older release's).
    pub(crate) fn read(database: &Database) -> Result<Self, RedbFault> {
        let transaction = database.begin_read()?;
        let meta = transaction.open_table(META)?;
        if let Some(format) = meta.get(META_FORMAT)?.filter(|format| format.value() != FORMAT) {
            return Err(RedbFault::LaterRelease(format.value().to_vec()));
        }
        let applied = match meta.get(META_POSITION)? {
            Some(value) => parse_applied(value.value())?,
            None => Applied { position: 0, hash: GENESIS },
        };
        let tables: Result<_, _> = Table::ALL.iter().map(|table| transaction.open_table(definition(*table))).collect();
        Ok(Self { tables: tables?, applied })
    }

    fn table(&self, table: Table) -> &ReadOnlyTable<&'static str, &'static [u8]> {
        &self.tables[table as usize]
    }

    /// The record under `key`.
    pub(crate) fn stored(&self, table: Table, key: &str) -> Result<Option<Stored>, ReadError> {
        let value = self.table(table).get(key).map_err(medium)?;
        value.map(|value| decode(table, key, value.value())).transpose()
    }

    /// The records at or after `from`, in key order.
    pub(crate) fn rows<'a>(
        &'a self,
        table: Table,
        from: &str,
    ) -> Result<impl Iterator<Item = Result<(String, Stored), ReadError>> + use<'a>, ReadError> {
        let range = self.table(table).range::<&str>(from..).map_err(medium)?;
        Ok(range.map(move |row| {
            let (key, value) = row.map_err(medium)?;
            Ok((key.value().to_owned(), decode(table, key.value(), value.value())?))
        }))
    }
}

// redb's error is handed over by value by `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn medium(fault: redb::StorageError) -> ReadError {
    match fault {
        redb::StorageError::Corrupted(detail) => ReadError::Store(format!("the redb file is damaged: {detail}")),
        other => ReadError::Store(other.to_string()),
    }
}

fn parse_applied(value: &[u8]) -> Result<Applied, RedbFault> {
    let damaged = || RedbFault::Damaged("its journal position cannot be read".into());
    let (position, hash) = value.split_first_chunk::<8>().ok_or_else(damaged)?;
    let hash = hash.try_into().map_err(|_| damaged())?;
    Ok(Applied { position: u64::from_le_bytes(*position), hash })
}

/// Makes all tables, durably, if one is missing.
pub(crate) fn make_tables(database: &Database) -> Result<(), RedbFault> {
    let known = database.begin_read()?.list_tables()?.count();
    if known > Table::ALL.len() {
        return Ok(());
    }
    let transaction = begin(database)?;
    {
        let mut meta = transaction.open_table(META)?;
        if meta.get(META_FORMAT)?.is_none() {
            meta.insert(META_FORMAT, FORMAT)?;
        }
        for table in Table::ALL {
            transaction.open_table(definition(*table))?;
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Writes a layer and the position that it ends at in one durable transaction.
pub(crate) fn apply(database: &Database, layer: &Layer, applied: Applied) -> Result<(), RedbFault> {
    let transaction = begin(database)?;
    for table in Table::ALL {
        if layer.is_empty(*table) {
            continue;
        }
        let mut rows = transaction.open_table(definition(*table))?;
        for (key, row) in layer.rows(*table, "") {
            match encode(*table, key, row) {
                Some(value) => rows.insert(key, value.as_slice())?,
                None => rows.remove(key)?,
            };
        }
    }
    let mut value = applied.position.to_le_bytes().to_vec();
    value.extend_from_slice(&applied.hash);
    transaction.open_table(META)?.insert(META_POSITION, value.as_slice())?;
    transaction.commit()?;
    Ok(())
}

/// With quick repair, so that opening after a crash does not walk the whole file. The checksum walk that this skips is
/// owed to a background check.
fn begin(database: &Database) -> Result<redb::WriteTransaction, RedbFault> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(redb::Durability::Immediate)?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

fn encode(table: Table, key: &str, row: &Row) -> Option<Vec<u8>> {
    let json: &Arc<str> = row.json.as_ref()?;
    let mut value = Vec::with_capacity(RECORD_HEAD + json.len());
    value.push(RECORD_FORMAT);
    value.extend_from_slice(&row.revision.to_le_bytes());
    value.extend_from_slice(&check(table, key, row.revision, json.as_bytes()).to_le_bytes());
    value.extend_from_slice(json.as_bytes());
    Some(value)
}

fn decode(table: Table, key: &str, value: &[u8]) -> Result<Stored, ReadError> {
    let damaged = |detail: &str| ReadError::Damaged { table, key: key.to_owned(), detail: detail.to_owned() };
    let (head, json) = value.split_first_chunk::<RECORD_HEAD>().ok_or_else(|| damaged("too short"))?;
    if head[0] != RECORD_FORMAT {
        return Err(damaged("its format is unknown to this release"));
    }
    let (revision, sum) = head[1..].split_first_chunk::<8>().expect("the head holds the revision");
    let revision = u64::from_le_bytes(*revision);
    if sum != check(table, key, revision, json).to_le_bytes() {
        return Err(damaged("its check does not fit"));
    }
    let json = std::str::from_utf8(json).map_err(|_| damaged("no UTF-8"))?;
    Ok(Stored { revision, json: json.to_owned() })
}

fn check(table: Table, key: &str, revision: Revision, json: &[u8]) -> u32 {
    let sum = crc32c::crc32c(table.name().as_bytes());
    let sum = crc32c::crc32c_append(sum, key.as_bytes());
    let sum = crc32c::crc32c_append(sum, &revision.to_le_bytes());
    crc32c::crc32c_append(sum, json)
}
