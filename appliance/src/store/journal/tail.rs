//! The end of the journal, where batches are appended: one write and one sync each.

use std::io;
use std::sync::Arc;

use tollhouse_core::record::Revision;

use super::chain::Known;
use super::frame::Hash;
use super::segment::{HEADER, name, start_segment};
use crate::store::disk::{Disk, DiskFile};

/// Whether a batch is made durable. Anything but `Durable` exists to prove that the tests can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    Durable,
    /// The bug: told and published as if it had been synced.
    #[cfg(test)]
    Forgotten,
    /// The bug: told before it is written.
    #[cfg(test)]
    ToldFirst,
}

/// The end of the journal.
pub(crate) struct Tail {
    disk: Arc<dyn Disk>,
    file: Box<dyn DiskFile>,
    segment: Revision,
    offset: u64,
    position: Revision,
    hash: Hash,
    segment_bytes: u64,
}

impl Tail {
    /// Goes on in a segment, at the end of what was proved.
    pub(crate) fn resume(
        disk: Arc<dyn Disk>,
        place: (Revision, u64),
        (position, hash): (Revision, Hash),
        segment_bytes: u64,
    ) -> io::Result<Self> {
        let (segment, offset) = place;
        let file = disk.open(&name(segment))?;
        // What was read may stand in the system's cache only, when the process was killed between write and sync.
        file.sync()?;
        Ok(Self { disk, file, segment, offset, position, hash, segment_bytes })
    }

    /// Begins the first segment after `position`.
    pub(crate) fn begin(
        disk: Arc<dyn Disk>,
        (position, hash): (Revision, Hash),
        segment_bytes: u64,
    ) -> io::Result<Self> {
        let segment = position + 1;
        let (file, offset) = start_segment(&*disk, segment, &hash)?;
        Ok(Self { disk, file, segment, offset, position, hash, segment_bytes })
    }

    /// The last entry's position and hash.
    pub(crate) fn end(&self) -> (Revision, Hash) {
        (self.position, self.hash)
    }

    /// Where the next batch begins.
    pub(crate) fn known(&self) -> Known {
        Known { segment: self.segment, offset: self.offset, position: self.position, hash: self.hash }
    }

    /// Starts another segment if this one is full enough. Called between batches only.
    pub(crate) fn make_room(&mut self, batch_bytes: usize) -> io::Result<()> {
        if self.offset > HEADER as u64 && self.offset + batch_bytes as u64 > self.segment_bytes {
            let segment = self.position + 1;
            let (file, offset) = start_segment(&*self.disk, segment, &self.hash)?;
            (self.file, self.segment, self.offset) = (file, segment, offset);
        }
        Ok(())
    }

    /// Appends frames that end with `position` and `hash`; durable when it returns. After an error the journal's end
    /// is unknown, and nothing may be appended any more.
    pub(crate) fn append(&mut self, batch: &[u8], end: (Revision, Hash), sync: Sync) -> io::Result<()> {
        self.file.write_at(self.offset, batch)?;
        match sync {
            Sync::Durable => self.file.sync()?,
            #[cfg(test)]
            Sync::ToldFirst => self.file.sync()?,
            #[cfg(test)]
            Sync::Forgotten => {}
        }
        self.offset += batch.len() as u64;
        (self.position, self.hash) = end;
        Ok(())
    }
}
