//! Reading many records of a snapshot: all of a table, a part of it by its keys, a page of it.
//! It must not know what the records mean.

use tollhouse_core::record::{Kept, ReadError, Record, Records};

/// Records read at once.
const PAGE: usize = 1_000;

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The records of this page, in the order of their keys.
    pub items: Vec<T>,
    /// The key to go on after; `None` on the last page.
    pub next: Option<String>,
}

/// The key that comes right after another.
fn after(key: &str) -> String {
    format!("{key}\u{0}")
}

/// Shows every record whose key begins with `prefix`, in order, until `look` says that it has seen enough.
pub fn each<T: Record>(
    records: &impl Records,
    prefix: &str,
    mut look: impl FnMut(Kept<T>) -> Seen,
) -> Result<(), ReadError> {
    each_after(records, prefix, None, |_, kept| look(kept))
}

/// Whether more is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Yes.
    More,
    /// No.
    Enough,
}

fn each_after<T: Record>(
    records: &impl Records,
    prefix: &str,
    past: Option<&str>,
    mut look: impl FnMut(&str, Kept<T>) -> Seen,
) -> Result<(), ReadError> {
    let mut from = past.map_or_else(|| prefix.to_owned(), after);
    loop {
        let page = records.range(T::TABLE, &from, PAGE)?;
        for (key, stored) in &page {
            if !key.starts_with(prefix) {
                return Ok(());
            }
            let record = serde_json::from_str(&stored.json).map_err(|fault| ReadError::Damaged {
                table: T::TABLE,
                key: key.clone(),
                detail: fault.to_string(),
            })?;
            if look(key, Kept { revision: stored.revision, record }) == Seen::Enough {
                return Ok(());
            }
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => from = after(key),
            _ => return Ok(()),
        }
    }
}

/// All records whose key begins with `prefix`, as they were read.
pub fn all_kept<T: Record>(records: &impl Records, prefix: &str) -> Result<Vec<Kept<T>>, ReadError> {
    let mut found = Vec::new();
    each(records, prefix, |kept| {
        found.push(kept);
        Seen::More
    })?;
    Ok(found)
}

/// All records whose key begins with `prefix`.
pub fn all<T: Record>(records: &impl Records, prefix: &str) -> Result<Vec<T>, ReadError> {
    let mut found = Vec::new();
    each(records, prefix, |kept: Kept<T>| {
        found.push(kept.record);
        Seen::More
    })?;
    Ok(found)
}

/// So many records after a key that `wanted` takes. It looks at no more than a bounded number of records, so a page may
/// be short and still not the last.
pub fn page<T: Record>(
    records: &impl Records,
    past: Option<&str>,
    limit: usize,
    mut wanted: impl FnMut(&T) -> bool,
) -> Result<Page<T>, ReadError> {
    /// So many are looked at for one page.
    const MOST_LOOKED_AT: usize = 20_000;
    let (mut items, mut next, mut looked, mut last) = (Vec::new(), None, 0, None);
    each_after(records, "", past, |key, kept: Kept<T>| {
        if items.len() >= limit || looked >= MOST_LOOKED_AT {
            next.clone_from(&last);
            return Seen::Enough;
        }
        looked += 1;
        last = Some(key.to_owned());
        if wanted(&kept.record) {
            items.push(kept.record);
        }
        Seen::More
    })?;
    Ok(Page { items, next })
}
