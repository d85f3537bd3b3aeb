//! Erasing personal texts in place: the chain stays whole, the texts are gone.
//!
//! The salt goes first and is synced, so that a power cut leaves either a text that can be checked or one that counts as
//! erased; erasing again finishes what was left half done.

use std::path::Path;
use std::sync::Arc;

use tollhouse_core::record::Revision;

use super::chain::Chain;
use super::personal::{BLANK, SALT};
use super::segment::{list, name};
use super::{JournalFault, ReadJournalError};
use crate::store::disk::{DataFolder, Disk};

/// Why nothing more was erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The journal cannot be opened.
    #[error(transparent)]
    Open(#[from] ReadJournalError),
    /// The journal cannot be read on.
    #[error(transparent)]
    Journal(#[from] JournalFault),
    /// The medium failed.
    #[error("the journal cannot be written: {0}")]
    Medium(#[from] std::io::Error),
}

/// Erases `text` from the journal of a stopped box, wherever it was named as personal. Returns the entries concerned.
/// The records are not touched: they follow from changes.
pub fn erase(dir: &Path, text: &str) -> Result<Vec<Revision>, EraseError> {
    let disk: Arc<dyn Disk> = Arc::new(DataFolder::lock(dir).map_err(ReadJournalError::from)?);
    erase_on(&disk, text)
}

fn erase_on(disk: &Arc<dyn Disk>, text: &str) -> Result<Vec<Revision>, EraseError> {
    let wanted = super::personal::escaped(text);
    let segments = list(&**disk)?;
    let mut chain = Chain::new(disk.clone(), segments, 0, Revision::MAX);
    let mut entries = vec![];
    while let Some(linked) = chain.next()? {
        let texts = linked.frame.personal_texts().map_err(|detail| chain.damaged(&linked, detail))?;
        let found: Vec<(u64, usize)> = texts
            .into_iter()
            .filter(|(_, _, text)| text.as_ref() == Some(&wanted))
            .map(|(at, length, _)| (linked.frame.offset + at as u64, length))
            .collect();
        if found.is_empty() {
            continue;
        }
        let (segment, _) = chain.place().expect("an entry was read from a segment");
        let file = disk.open(&name(segment))?;
        for (at, _) in &found {
            file.write_at(*at, &[BLANK; SALT])?;
        }
        file.sync()?;
        for (at, length) in found {
            file.write_at(at + SALT as u64, &vec![BLANK; length])?;
        }
        file.sync()?;
        entries.push(linked.position);
    }
    Ok(entries)
}
