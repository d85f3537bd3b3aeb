//! The journal: an append-only, hash-chained log of what was decided, in segment files (docs/journal.md).
//!
//! It owns the form of the bytes and their order on the medium. It knows nothing of tables and of redb.

mod chain;
mod erase;
mod frame;
mod personal;
mod segment;
mod tail;

use std::io;
use std::path::Path;
use std::sync::Arc;

pub(crate) use chain::{Chain, Known};
pub use erase::{EraseError, erase};
pub(crate) use frame::{Encoded, Hash, append_frame, encode};
pub(crate) use segment::{FOLDER, is_headless, list, name, torn_name};
pub(crate) use tail::{Sync, Tail};
use tollhouse_core::audit::JournalEntry;
use tollhouse_core::record::Revision;

use super::disk::{DataFolder, Disk, FolderError};

/// The hash before the first entry.
pub(crate) const GENESIS: Hash = [0; 32];

/// Where and how the journal cannot be read on.
#[derive(Debug, thiserror::Error)]
#[error("journal segment {segment}, byte {offset}, where entry {position} should be: {detail}")]
pub struct JournalFault {
    /// The segment's first position, which is its file's name.
    pub segment: Revision,
    /// Where in the file.
    pub offset: u64,
    /// Which entry is missing.
    pub position: Revision,
    /// What is wrong.
    pub detail: String,
    /// Which segment it is: behind the last one nothing follows, so it may be torn.
    pub(crate) place: Place,
    /// Bytes from there to the end of the file.
    pub(crate) rest: u64,
    /// Set when the medium failed, rather than what stands on it.
    pub(crate) medium: Option<io::ErrorKind>,
}

/// Which segment a fault is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    LastSegment,
    EarlierSegment,
}

/// Why a journal cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadJournalError {
    /// The folder is in use or not to be opened.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The segments cannot be listed.
    #[error("the journal cannot be listed: {0}")]
    List(#[from] io::Error),
}

/// Every entry of a stopped box's journal, checked against the chain; the first fault is the last item.
pub fn read(dir: &Path) -> Result<impl Iterator<Item = Result<JournalEntry, JournalFault>> + use<>, ReadJournalError> {
    let disk: Arc<dyn Disk> = Arc::new(DataFolder::lock(dir)?);
    let segments = list(&*disk)?;
    let mut chain = Chain::new(disk, segments, 0, Revision::MAX);
    let mut over = false;
    Ok(std::iter::from_fn(move || {
        if over {
            return None;
        }
        let item = chain.next().and_then(|linked| match linked {
            Some(linked) => chain.entry(&linked).map(Some),
            None => Ok(None),
        });
        over = item.is_err();
        item.transpose()
    }))
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8; 32]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
