//! Recent writes over the redb file: persistent maps, so that a reader's view is a handful of pointers.

use std::ops::Bound;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;
use tollhouse_core::record::{Revision, Table, Write};

/// A record that was written lately; without JSON one that was removed.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) revision: Revision,
    pub(crate) json: Option<Arc<str>>,
}

/// Recent writes, the last one of each key. Cloning it is cheap and shares everything.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    tables: Vec<RedBlackTreeMapSync<Arc<str>, Row>>,
    /// Writes that went in: the measure of the work that applying it will be.
    writes: usize,
}

impl Layer {
    pub(crate) fn new() -> Self {
        Self { tables: Table::ALL.iter().map(|_| RedBlackTreeMapSync::new_sync()).collect(), writes: 0 }
    }

    pub(crate) fn writes(&self) -> usize {
        self.writes
    }

    pub(crate) fn is_empty(&self, table: Table) -> bool {
        self.tables[table as usize].is_empty()
    }

    pub(crate) fn get(&self, table: Table, key: &str) -> Option<&Row> {
        self.tables[table as usize].get(key)
    }

    /// Takes the writes of the change at `revision`.
    pub(crate) fn take(&mut self, writes: Vec<Write>, revision: Revision) {
        self.writes += writes.len();
        for write in writes {
            let row = Row { revision, json: write.json.map(Arc::from) };
            self.tables[write.table as usize].insert_mut(Arc::from(write.key), row);
        }
    }

    /// The rows at or after `from`, in key order, removals included.
    pub(crate) fn rows<'a>(&'a self, table: Table, from: &'a str) -> impl Iterator<Item = (&'a str, &'a Row)> {
        let range = (Bound::Included(from), Bound::Unbounded);
        self.tables[table as usize].range::<str, _>(range).map(|(key, row)| (&**key, row))
    }
}
