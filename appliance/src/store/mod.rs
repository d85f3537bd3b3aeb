//! The store: takes changes, makes them durable in the journal, and shows the records that follow from them.
//!
//! One writer thread decides what is taken (`core::record::resolve`), appends it to the journal with one sync per batch
//! and publishes the new view; a second thread brings the redb file up behind it. The store owns the data folder's
//! `journal/`, `store.redb` and `lock`. It knows no lane, no bill and no clock; why it has this form stands in
//! docs/decisions/0001-store.md.

mod applier;
mod decide;
mod disk;
mod fault;
mod follow;
mod layer;
mod opening;
mod snapshot;
mod tables;
mod verify;
mod writer;

pub mod journal;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::{Sender, TrySendError};
use tokio::sync::{oneshot, watch};
use tollhouse_core::audit::JournalEntry;
use tollhouse_core::record::{Change, Refusal, Revision};

pub use decide::Undone;
pub use disk::FolderError;
pub use fault::{Busy, CommitError, StoreError, StoreFailure};
pub use snapshot::Snapshot;
pub use verify::{Check, Verdict, check_records, verify};

use disk::{DataFolder, Disk};
use follow::Places;
use journal::JournalFault;
use snapshot::View;
use writer::{Item, Submission};

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It will be found again after any crash, and every snapshot from now on holds it.
    Durable {
        /// Its entry in the journal: the revision of what it wrote.
        position: Revision,
    },
    /// Nothing of it was written; other changes are not concerned.
    Refused(Refusal),
}

/// A batch that has become durable, for metrics.
#[derive(Debug, Clone, Copy)]
pub struct BatchDone {
    /// Changes in it.
    pub changes: usize,
    /// From the first look at it until it was durable.
    pub took: Duration,
}

/// How the store is to be run. The defaults are for a box.
#[derive(Clone)]
pub struct StoreOptions {
    /// Changes that may wait for the writer; beyond that `submit` answers [`Busy::Full`].
    pub queue: usize,
    /// The most changes in one batch.
    pub batch: usize,
    /// A segment file of the journal is closed when it would become larger, in bytes.
    pub segment_bytes: u64,
    /// redb's cache, in bytes.
    pub cache_bytes: usize,
    /// After how many writes the redb file is brought up.
    pub apply_after: usize,
    /// With so many writes not yet in the redb file the writer waits for the applier.
    pub hold_at_most: usize,
    /// After how long without a change the redb file is brought up too.
    pub idle: Duration,
    /// Called when the medium fails; nothing is taken afterwards. By default: log, and end the process with code 70.
    pub on_failure: Arc<dyn Fn(&StoreFailure) + Send + Sync>,
    /// Called for each batch that became durable, on the writer's thread.
    pub on_batch: Arc<dyn Fn(BatchDone) + Send + Sync>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            queue: 4096,
            batch: 512,
            segment_bytes: 64 << 20,
            cache_bytes: 32 << 20,
            apply_after: 8 << 10,
            hold_at_most: 128 << 10,
            idle: Duration::from_secs(2),
            on_failure: Arc::new(end_process),
            on_batch: Arc::new(|_| {}),
        }
    }
}

/// systemd starts the box again, and opening replays what had become durable.
fn end_process(failure: &StoreFailure) {
    tracing::error!(%failure, "the store has failed; the process ends");
    std::process::exit(70);
}

/// What the threads share.
struct Shared {
    disk: Arc<dyn Disk>,
    view: ArcSwap<View>,
    durable: watch::Sender<Revision>,
    places: Places,
    options: StoreOptions,
    sync: journal::Sync,
}

/// The store of one data folder. Cloning it is cheap; the last one dropped closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    submit: Sender<Item>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Store {
    /// Opens the data folder, making it if need be, and replays what the redb file lacks.
    pub fn open(dir: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        Self::open_on(Arc::new(DataFolder::lock(dir)?), options, journal::Sync::Durable)
    }

    pub(crate) fn open_on(disk: Arc<dyn Disk>, options: StoreOptions, sync: journal::Sync) -> Result<Self, StoreError> {
        let opened = opening::open(&disk, &options)?;
        let (submit, queue) = crossbeam_channel::bounded(options.queue);
        let (durable, _) = watch::channel(opened.view.position);
        let places = Places::new(opened.tail.known());
        let view = ArcSwap::from_pointee(opened.view);
        let shared = Arc::new(Shared { disk, view, durable, places, options, sync });
        let threads = writer::start(&shared, opened.database, opened.tail, queue).map_err(StoreError::Thread)?;
        let inner = Inner { shared, submit, threads: Mutex::new(threads) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Hands in a change. Never blocks. `told` is called once, from the writer's thread, and must not block: when the
    /// change is durable, or when it alone was refused; never if the store fails or is closed before.
    pub fn submit(&self, change: impl Into<Arc<Change>>, told: impl FnOnce(Told) + Send + 'static) -> Result<(), Busy> {
        let change = change.into();
        let encoded = journal::encode(&change);
        let submission = Submission { change, encoded, told: Box::new(told) };
        self.inner.submit.try_send(Item::Submission(Box::new(submission))).map_err(|refused| match refused {
            TrySendError::Full(_) => Busy::Full,
            TrySendError::Disconnected(_) => Busy::Stopped,
        })
    }

    /// Hands in a change and waits until it is durable.
    pub async fn commit(&self, change: Change) -> Result<Revision, CommitError> {
        let (tell, told) = oneshot::channel();
        // Nobody listens any more when the caller has been dropped; the change stands all the same.
        self.submit(change, move |outcome| drop(tell.send(outcome)))?;
        match told.await {
            Ok(Told::Durable { position }) => Ok(position),
            Ok(Told::Refused(refusal)) => Err(CommitError::Refused(refusal)),
            Err(_) => Err(CommitError::Busy(Busy::Stopped)),
        }
    }

    /// A consistent view of all records, holding every change that anybody has been told is durable.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.inner.shared.view.load_full())
    }

    /// Writes that are not in the redb file yet. Beyond [`StoreOptions::hold_at_most`] of them everybody waits; so who writes
    /// much and is in no hurry waits long before that.
    pub fn unapplied(&self) -> usize {
        let view = self.inner.shared.view.load();
        view.latest.writes() + view.applying.as_ref().map_or(0, |layer| layer.writes())
    }

    /// The position of the last durable entry, to wait on.
    pub fn durable(&self) -> watch::Receiver<Revision> {
        self.inner.shared.durable.subscribe()
    }

    /// Durable entries after `after`, in order, at most `limit` of them. Reads files: call it off the lanes' threads.
    pub fn follow(&self, after: Revision, limit: usize) -> Result<Vec<JournalEntry>, JournalFault> {
        let until = *self.inner.shared.durable.borrow();
        follow::entries(&self.inner.shared.disk, &self.inner.shared.places, after, until, limit)
    }

    /// Takes what already waits, brings the redb file up and ends the threads. Not to be called from within `told`.
    pub fn close(&self) {
        self.inner.close();
    }
}

impl Inner {
    fn close(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        if threads.is_empty() {
            return;
        }
        // An error means that the writer is gone already.
        let _ = self.submit.send(Item::Close);
        for thread in threads {
            // A panic in it was reported through `on_failure` where it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
