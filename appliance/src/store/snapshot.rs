//! A consistent view of all records: the redb file, the layer that is being applied to it, and the latest one.
//!
//! It never waits for anybody. It pins pages of the redb file while it lives, so it is held for a decision, not kept.

use std::iter::Peekable;
use std::sync::Arc;

use tollhouse_core::record::{ReadError, Records, Revision, Stored, Table};

use super::layer::{Layer, Row};
use super::tables::Base;

/// What readers see. The writer publishes `latest`, the applier `base`; both swap the whole at once.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) base: Arc<Base>,
    /// Being written to the redb file: unchanging until it is all in there.
    pub(crate) applying: Option<Arc<Layer>>,
    pub(crate) latest: Layer,
    pub(crate) position: Revision,
}

/// A consistent view of all records at one position of the journal.
#[derive(Clone)]
pub struct Snapshot {
    view: Arc<View>,
}

impl Snapshot {
    pub(crate) fn new(view: Arc<View>) -> Self {
        Self { view }
    }

    /// The last entry whose writes it holds.
    pub fn position(&self) -> Revision {
        self.view.position
    }
}

impl Records for Snapshot {
    fn stored(&self, table: Table, key: &str) -> Result<Option<Stored>, ReadError> {
        self.view.stored(table, key)
    }

    fn range(&self, table: Table, from: &str, limit: usize) -> Result<Vec<(String, Stored)>, ReadError> {
        self.view.range(table, from, limit)
    }
}

impl Records for View {
    fn stored(&self, table: Table, key: &str) -> Result<Option<Stored>, ReadError> {
        let recent = self.latest.get(table, key).or_else(|| self.applying.as_ref()?.get(table, key));
        match recent {
            Some(row) => Ok(stored(row)),
            None => self.base.stored(table, key),
        }
    }

    fn range(&self, table: Table, from: &str, limit: usize) -> Result<Vec<(String, Stored)>, ReadError> {
        let mut latest = self.latest.rows(table, from).peekable();
        let mut applying = self.applying.iter().flat_map(|layer| layer.rows(table, from)).peekable();
        let mut base = self.base.rows(table, from)?.peekable();
        let mut found = vec![];
        while found.len() < limit {
            let base_key = match base.peek() {
                Some(Ok((key, _))) => Some(key.as_str()),
                Some(Err(fault)) => return Err(fault.clone()),
                None => None,
            };
            let keys = [latest.peek().map(|row| row.0), applying.peek().map(|row| row.0), base_key];
            let Some(key) = keys.into_iter().flatten().min().map(str::to_owned) else { break };
            let under = base.next_if(|row| row.as_ref().is_ok_and(|(k, _)| *k == key)).and_then(Result::ok);
            let older = next_at(&mut applying, &key);
            let newest = next_at(&mut latest, &key).or(older);
            let value = match newest {
                Some(row) => stored(row),
                None => under.map(|(_, stored)| stored),
            };
            found.extend(value.map(|stored| (key, stored)));
        }
        Ok(found)
    }
}

fn next_at<'a>(rows: &mut Peekable<impl Iterator<Item = (&'a str, &'a Row)>>, key: &str) -> Option<&'a Row> {
    rows.next_if(|row| row.0 == key).map(|row| row.1)
}

fn stored(row: &Row) -> Option<Stored> {
    row.json.as_ref().map(|json| Stored { revision: row.revision, json: json.as_ref().to_owned() })
}
