//! What can go wrong with the store, and what to do about it.

use std::io;

use tollhouse_core::record::{Refusal, Revision};

use super::disk::FolderError;
use super::journal::JournalFault;

/// Why a change was not even looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// Too many changes wait; try again in a moment.
    #[error("the store has too much waiting; try again in a moment")]
    Full,
    /// The store was closed or has failed.
    #[error("the store has stopped")]
    Stopped,
}

/// Why a change was not committed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// It was not looked at, or the store stopped before the outcome was known.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// It was refused whole.
    #[error(transparent)]
    Refused(Refusal),
}

/// Why a data folder cannot be opened. Nothing has been changed by the attempt but what the log says was set aside.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder is in use or not to be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The journal is damaged where it had been whole before.
    #[error("{0}. This is no torn end: restore the newest backup and its journal into an empty data folder")]
    Journal(#[from] JournalFault),
    /// The journal ends before the records do.
    #[error(
        "the journal ends at entry {journal}, the records hold entry {records}: segments are missing. Put them back, \
         or restore the newest backup into an empty data folder"
    )]
    JournalShort {
        /// The journal's last entry.
        journal: Revision,
        /// The last entry that the redb file holds.
        records: Revision,
    },
    /// Journal and records are not of the same history.
    #[error(
        "the records at entry {0} are not those of this journal: the data folder was put together from two. Move \
         store.redb away to have it rebuilt from the journal"
    )]
    Foreign(Revision),
    /// The records are lost and the journal does not reach back to the beginning.
    #[error(
        "the records have to be rebuilt, but the journal begins with entry {0} only: restore the newest backup into \
         an empty data folder"
    )]
    NoBeginning(Revision),
    /// An entry cannot be replayed.
    #[error("entry {position} of the journal cannot be replayed: {refusal}. Is this data of a later release?")]
    Replay {
        /// Which.
        position: Revision,
        /// Why.
        refusal: Refusal,
    },
    /// The redb file cannot be used, and is not plainly damaged.
    #[error("store.redb cannot be opened: {0}")]
    Redb(String),
    /// The medium failed.
    #[error("the data folder cannot be read or written: {}", advice(.0))]
    Medium(#[from] io::Error),
    /// No thread could be started.
    #[error("no thread for the store: {0}")]
    Thread(io::Error),
}

/// The store has failed while it ran. Nothing more is taken: what has reached the medium is known only after opening
/// the data folder again.
#[derive(Debug, thiserror::Error)]
pub enum StoreFailure {
    /// The journal could not be written or synced.
    #[error("the journal could not be written: {}", advice(.0))]
    Journal(io::Error),
    /// The redb file could not be brought up.
    #[error("store.redb could not be written: {0}")]
    Redb(String),
    /// A bug: one of the store's threads, or a callback on it, has panicked.
    #[error("the store's {0} has panicked")]
    Panic(&'static str),
}

fn advice(fault: &io::Error) -> String {
    match fault.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("the disk is full ({fault}); free some space, then start again")
        }
        io::ErrorKind::ReadOnlyFilesystem => format!("the disk has gone read-only ({fault}); check it before starting"),
        _ => fault.to_string(),
    }
}
