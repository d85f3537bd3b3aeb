//! The writer: gathers what waits, decides what is taken, makes it durable with one sync, publishes it, then tells.
//!
//! The order is the promise: no view shows and nobody is told of what is not durable. After the medium has failed
//! nothing is tried again.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use redb::Database;
use tollhouse_core::record::{Change, Refusal, Revision, resolve};

use super::applier::{self, Work};
use super::fault::StoreFailure;
use super::journal::{Encoded, Tail, append_frame};
use super::layer::Layer;
use super::snapshot::View;
use super::tables::Applied;
use super::{BatchDone, Shared, Told};

/// The most bytes in one batch.
const BATCH_BYTES: usize = 4 << 20;

/// What is told to whoever handed in a change.
type Teller = Box<dyn FnOnce(Told) + Send>;

/// A change that was handed in.
pub(super) struct Submission {
    pub(super) change: Arc<Change>,
    pub(super) encoded: Result<Encoded, Refusal>,
    pub(super) told: Teller,
}

/// What comes through the queue.
pub(super) enum Item {
    Submission(Box<Submission>),
    Close,
}

struct Writer {
    shared: Arc<Shared>,
    queue: Receiver<Item>,
    applier: Applier,
    tail: Tail,
    latest: Layer,
}

/// The writer's end of the applier.
struct Applier {
    work: Sender<Work>,
    done: Receiver<()>,
    state: ApplierState,
}

#[derive(PartialEq, Eq)]
enum ApplierState {
    Idle,
    AtWork,
}

/// Why the writer ends.
enum End {
    Closed,
    /// The applier has ended, and has said why.
    ApplierGone,
    Failed(StoreFailure),
}

/// Starts writer and applier.
pub(super) fn start(
    shared: &Arc<Shared>,
    database: Database,
    tail: Tail,
    queue: Receiver<Item>,
) -> io::Result<Vec<JoinHandle<()>>> {
    let (work, work_queue) = bounded(1);
    let (done_sender, done) = bounded(1);
    let applier = Applier { work, done, state: ApplierState::Idle };
    let latest = shared.view.load().latest.clone();
    let mut writer = Writer { shared: shared.clone(), queue, applier, tail, latest };
    let for_applier = shared.clone();
    let applier = spawn("store-applier", shared.clone(), move || {
        applier::run(&for_applier, &database, &work_queue, &done_sender);
    })?;
    let for_writer = shared.clone();
    let writer = spawn("store-writer", shared.clone(), move || {
        if let End::Failed(failure) = writer.run() {
            (for_writer.options.on_failure)(&failure);
        }
    })?;
    Ok(vec![writer, applier])
}

fn spawn(name: &'static str, shared: Arc<Shared>, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        // A store that has silently stopped would look like a slow one.
        if catch_unwind(AssertUnwindSafe(run)).is_err() {
            (shared.options.on_failure)(&StoreFailure::Panic(name));
        }
    })
}

impl Writer {
    fn run(&mut self) -> End {
        let mut batch = Vec::new();
        loop {
            let closing = match self.gather(&mut batch) {
                Ok(closing) => closing,
                Err(end) => return end,
            };
            if let Err(end) = self.take(std::mem::take(&mut batch)).and_then(|()| self.hand_over()) {
                return end;
            }
            if closing == Closing::Now {
                return self.finish().unwrap_or_else(|end| end);
            }
        }
    }

    /// Waits for a first change, then gathers what waits already.
    fn gather(&mut self, batch: &mut Vec<Submission>) -> Result<Closing, End> {
        let pending = self.latest.writes() > 0 || self.applier.state == ApplierState::AtWork;
        let first = if pending {
            match self.queue.recv_timeout(self.shared.options.idle) {
                Ok(item) => item,
                Err(RecvTimeoutError::Timeout) => {
                    self.note_applied()?;
                    if self.applier.state == ApplierState::Idle && self.latest.writes() > 0 {
                        self.freeze()?;
                    }
                    return Ok(Closing::NotYet);
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(Closing::Now),
            }
        } else {
            match self.queue.recv() {
                Ok(item) => item,
                Err(_) => return Ok(Closing::Now),
            }
        };
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(item) = next {
            let Item::Submission(submission) = item else { return Ok(Closing::Now) };
            bytes += submission.encoded.as_ref().map_or(0, Encoded::len);
            batch.push(*submission);
            let more = batch.len() < self.shared.options.batch && bytes < BATCH_BYTES;
            next = if more { self.queue.try_recv().ok() } else { None };
        }
        Ok(Closing::NotYet)
    }

    /// Takes a batch: each change whole or not at all, later ones seeing what earlier ones write.
    fn take(&mut self, batch: Vec<Submission>) -> Result<(), End> {
        if batch.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let mut work: View = View::clone(&self.shared.view.load());
        let (mut position, mut hash) = self.tail.end();
        let mut frames = Vec::with_capacity(batch.len() * 1024);
        let mut outcomes: Vec<(Teller, Told)> = Vec::with_capacity(batch.len());
        let mut taken = 0;
        for Submission { change, encoded, told } in batch {
            let resolved = encoded.and_then(|encoded| Ok((resolve(&change, &work)?, encoded)));
            let outcome = match resolved {
                Ok((writes, encoded)) => {
                    position += 1;
                    taken += 1;
                    hash = append_frame(&mut frames, &encoded, position, &hash);
                    work.latest.take(writes, position);
                    Told::Durable { position }
                }
                Err(refusal) => Told::Refused(refusal),
            };
            outcomes.push((told, outcome));
        }
        #[cfg(test)]
        if self.shared.sync == super::journal::Sync::ToldFirst {
            tell(std::mem::take(&mut outcomes));
        }
        if taken > 0 {
            self.make_durable(&frames, (position, hash)).map_err(|fault| End::Failed(StoreFailure::Journal(fault)))?;
            self.latest = work.latest;
            self.publish(position);
            (self.shared.options.on_batch)(BatchDone { changes: taken, took: began.elapsed() });
        }
        // Those that were refused too: what made them stale can be seen only now.
        tell(outcomes);
        Ok(())
    }

    fn make_durable(&mut self, frames: &[u8], end: (Revision, super::journal::Hash)) -> io::Result<()> {
        self.tail.make_room(frames.len())?;
        self.shared.places.note(self.tail.known());
        self.tail.append(frames, end, self.shared.sync)
    }

    fn publish(&self, position: Revision) {
        self.shared.view.rcu(|now| View {
            base: now.base.clone(),
            applying: now.applying.clone(),
            latest: self.latest.clone(),
            position,
        });
        self.shared.durable.send_replace(position);
    }

    /// Hands the latest writes to the applier when they are enough; waits for it when they are too many.
    fn hand_over(&mut self) -> Result<(), End> {
        self.note_applied()?;
        if self.applier.state == ApplierState::AtWork && self.latest.writes() >= self.shared.options.hold_at_most {
            self.await_applied()?;
        }
        if self.applier.state == ApplierState::Idle && self.latest.writes() >= self.shared.options.apply_after {
            self.freeze()?;
        }
        Ok(())
    }

    /// The latest writes become the layer that is being applied; a new one begins.
    fn freeze(&mut self) -> Result<(), End> {
        let layer = Arc::new(std::mem::replace(&mut self.latest, Layer::new()));
        self.shared.view.rcu(|now| View {
            base: now.base.clone(),
            applying: Some(layer.clone()),
            latest: self.latest.clone(),
            position: now.position,
        });
        let (position, hash) = self.tail.end();
        let work = Work { layer, applied: Applied { position, hash } };
        self.applier.state = ApplierState::AtWork;
        self.applier.work.send(work).map_err(|_| End::ApplierGone)
    }

    fn note_applied(&mut self) -> Result<(), End> {
        match self.applier.done.try_recv() {
            Ok(()) => self.applier.state = ApplierState::Idle,
            Err(crossbeam_channel::TryRecvError::Empty) => {}
            Err(crossbeam_channel::TryRecvError::Disconnected) => return Err(End::ApplierGone),
        }
        Ok(())
    }

    fn await_applied(&mut self) -> Result<(), End> {
        self.applier.done.recv().map_err(|_| End::ApplierGone)?;
        self.applier.state = ApplierState::Idle;
        Ok(())
    }

    fn finish(&mut self) -> Result<End, End> {
        if self.applier.state == ApplierState::AtWork {
            self.await_applied()?;
        }
        if self.latest.writes() > 0 {
            self.freeze()?;
            self.await_applied()?;
        }
        Ok(End::Closed)
    }
}

#[derive(PartialEq, Eq)]
enum Closing {
    NotYet,
    Now,
}

fn tell(outcomes: Vec<(Teller, Told)>) {
    for (told, outcome) in outcomes {
        told(outcome);
    }
}
