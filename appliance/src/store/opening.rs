//! Opening a data folder: the redb file as it is, then every entry of the journal that came after it.
//!
//! A torn end of the journal is cut and kept aside; a redb file that is missing or damaged is rebuilt from the first
//! entry. All else that does not fit is an error that says what to do, and changes nothing.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use redb::{Builder, Database};
use tollhouse_core::audit::JournalEntry;
use tollhouse_core::record::{Revision, resolve};

use super::StoreOptions;
use super::disk::Disk;
use super::fault::StoreError;
use super::journal::{Chain, FOLDER, Hash, JournalFault, Place, Tail, is_headless, list, name, torn_name};
use super::layer::Layer;
use super::snapshot::View;
use super::tables::{self, Applied, Base, RedbFault};

/// While replaying, the redb file is brought up whenever so many writes have gathered.
const REPLAY_WRITES: usize = 64 << 10;
/// A batch, and the largest change that may still have come into it.
const MOST_TORN: u64 = 10 << 20;
/// The most files of one kind that are kept aside; after that somebody should have looked.
const MOST_ASIDE: u32 = 1000;

/// What the threads start with.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) view: View,
    pub(super) tail: Tail,
}

/// Where the journal ends, as far as it was proved.
struct End {
    /// Segment and byte; none in an empty journal.
    place: Option<(Revision, u64)>,
    position: Revision,
    hash: Hash,
}

pub(super) fn open(disk: &Arc<dyn Disk>, options: &StoreOptions) -> Result<Opened, StoreError> {
    let (database, base) = open_redb(&**disk, options)?;
    let segments = whole_segments(&**disk, base.applied)?;
    let applied = base.applied;
    let mut view = View { base: Arc::new(base), applying: None, latest: Layer::new(), position: applied.position };
    let end = match segments.first() {
        Some(first) if applied.position + 1 < *first => return Err(StoreError::NoBeginning(*first)),
        Some(_) => replay(disk, segments, &database, &mut view)?,
        None => End { place: None, position: 0, hash: super::journal::GENESIS },
    };
    if end.position < applied.position {
        return Err(StoreError::JournalShort { journal: end.position, records: applied.position });
    }
    let ended = (end.position, end.hash);
    let tail = match end.place {
        Some(place) => Tail::resume(disk.clone(), place, ended, options.segment_bytes)?,
        None => Tail::begin(disk.clone(), ended, options.segment_bytes)?,
    };
    Ok(Opened { database, view, tail })
}

/// Opens the redb file; one that is damaged is set aside, and an empty one takes its place.
fn open_redb(disk: &dyn Disk, options: &StoreOptions) -> Result<(Database, Base), StoreError> {
    let mut fault = match try_redb(disk, options.cache_bytes) {
        Ok(opened) => return Ok(opened),
        Err(fault) => fault,
    };
    if is_damage(&fault) {
        let aside = set_aside(disk, tables::FILE, "", |attempt| format!("store-damaged-{attempt}.redb"))?;
        tracing::error!(%fault, aside, "store.redb is damaged and was set aside; it is rebuilt from the journal");
        match try_redb(disk, options.cache_bytes) {
            Ok(opened) => return Ok(opened),
            Err(again) => fault = again,
        }
    }
    Err(StoreError::Redb(fault.to_string()))
}

pub(super) fn try_redb(disk: &dyn Disk, cache_bytes: usize) -> Result<(Database, Base), RedbFault> {
    let mut builder = Builder::new();
    builder.set_cache_size(cache_bytes);
    // redb may panic over a file that it has not written like that.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let database = disk.open_redb(tables::FILE, &builder)?;
        tables::make_tables(&database)?;
        let base = Base::read(&database)?;
        Ok((database, base))
    }));
    opened.unwrap_or_else(|_| Err(RedbFault::Damaged("redb panicked over it".into())))
}

fn is_damage(fault: &RedbFault) -> bool {
    match fault {
        RedbFault::Damaged(_) => true,
        RedbFault::LaterRelease(_) => false,
        RedbFault::Redb(fault) => match fault {
            redb::Error::Corrupted(_) | redb::Error::RepairAborted | redb::Error::TableTypeMismatch { .. } => true,
            redb::Error::Io(fault) => {
                matches!(fault.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
            }
            _ => false,
        },
    }
}

fn set_aside(disk: &dyn Disk, file: &str, folder: &str, name: impl Fn(u32) -> String) -> io::Result<String> {
    let aside = free_name(disk, folder, name)?;
    disk.rename(file, &aside)?;
    disk.sync_folder(folder)?;
    Ok(aside)
}

fn free_name(disk: &dyn Disk, folder: &str, name: impl Fn(u32) -> String) -> io::Result<String> {
    let taken = disk.list(folder)?;
    let is_free = |full: &String| !taken.iter().any(|known| full.rsplit('/').next() == Some(known));
    let free = (1..=MOST_ASIDE).map(name).find(is_free);
    free.ok_or_else(|| io::Error::other("too many damaged files are kept aside; look at them and move them away"))
}

/// The segments, without a last one that was torn while it was made; that one is kept aside.
fn whole_segments(disk: &dyn Disk, applied: Applied) -> Result<Vec<Revision>, StoreError> {
    let (segments, torn) = sorted_segments(disk, applied)?;
    if let Some(torn) = torn {
        let aside = set_aside(disk, &name(torn), FOLDER, |attempt| torn_name(torn, attempt))?;
        tracing::warn!(segment = torn, aside, "a journal segment was torn while it was made; it held nothing yet");
    }
    Ok(segments)
}

/// The segments in order, and apart from them a last one that was torn while it was made.
pub(super) fn sorted_segments(disk: &dyn Disk, applied: Applied) -> io::Result<(Vec<Revision>, Option<Revision>)> {
    let mut segments = list(disk)?;
    let torn = match segments.last() {
        Some(last) if *last > applied.position && is_headless(disk, *last)? => segments.pop(),
        _ => None,
    };
    Ok((segments, torn))
}

/// Proves the journal from the segment that holds the redb file's position on, and takes what came after that.
fn replay(
    disk: &Arc<dyn Disk>,
    segments: Vec<Revision>,
    database: &Database,
    view: &mut View,
) -> Result<End, StoreError> {
    let applied = view.base.applied;
    let from = segments.partition_point(|first| *first <= applied.position.max(1)).saturating_sub(1);
    let mut chain = Chain::new(disk.clone(), segments, from, Revision::MAX);
    loop {
        let ended = (chain.position(), chain.hash());
        match next_entry(&mut chain, applied.position) {
            Ok(None) => return Ok(End { place: chain.place(), position: ended.0, hash: ended.1 }),
            Ok(Some((position, entry))) => {
                if position == applied.position && chain.hash() != applied.hash {
                    return Err(StoreError::Foreign(position));
                }
                if let Some(entry) = entry {
                    let writes = resolve(&entry.change, view);
                    let writes = writes.map_err(|refusal| StoreError::Replay { position, refusal })?;
                    view.latest.take(writes, position);
                    view.position = position;
                    bring_up_when_due(database, view, chain.hash())?;
                }
            }
            Err(fault) if is_torn_end(&fault, applied) => {
                cut_torn_end(&**disk, &fault)?;
                return Ok(End { place: Some((fault.segment, fault.offset)), position: ended.0, hash: ended.1 });
            }
            Err(fault) => return Err(StoreError::Journal(fault)),
        }
    }
}

/// The next entry, decoded only if it comes after `applied`.
fn next_entry(chain: &mut Chain, applied: Revision) -> Result<Option<(Revision, Option<JournalEntry>)>, JournalFault> {
    let Some(linked) = chain.next()? else { return Ok(None) };
    let entry = if linked.position > applied { Some(chain.entry(&linked)?) } else { None };
    Ok(Some((linked.position, entry)))
}

fn bring_up_when_due(database: &Database, view: &mut View, hash: Hash) -> Result<(), StoreError> {
    if view.latest.writes() < REPLAY_WRITES {
        return Ok(());
    }
    let redb = |fault: RedbFault| StoreError::Redb(fault.to_string());
    tables::apply(database, &view.latest, Applied { position: view.position, hash }).map_err(redb)?;
    view.latest = Layer::new();
    view.base = Arc::new(Base::read(database).map_err(redb)?);
    Ok(())
}

/// What nobody was told of can stand only behind the redb file's position and in the last segment.
pub(super) fn is_torn_end(fault: &JournalFault, applied: Applied) -> bool {
    // It is never longer than the one batch that was being written.
    let in_frames = fault.offset > 0 && fault.rest <= MOST_TORN;
    fault.medium.is_none() && fault.place == Place::LastSegment && fault.position > applied.position && in_frames
}

/// Cuts the journal where it was torn, and keeps what is cut.
fn cut_torn_end(disk: &dyn Disk, fault: &JournalFault) -> io::Result<()> {
    const PIECE: usize = 1 << 20;
    let aside = free_name(disk, FOLDER, |attempt| torn_name(fault.position, attempt))?;
    let segment = disk.open(&name(fault.segment))?;
    let (kept, len) = (disk.create(&aside)?, segment.len()?);
    let mut at = fault.offset;
    let mut piece = vec![0; PIECE];
    while at < len {
        let got = segment.read_at(at, &mut piece)?;
        if got == 0 {
            break;
        }
        kept.write_at(at - fault.offset, &piece[..got])?;
        at += got as u64;
    }
    kept.sync()?;
    disk.sync_folder(FOLDER)?;
    segment.truncate(fault.offset)?;
    segment.sync()?;
    let bytes = len - fault.offset;
    tracing::warn!(%fault, bytes, aside, "the journal's end was torn; what nobody was told of was cut and set aside");
    Ok(())
}
