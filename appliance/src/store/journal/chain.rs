//! Walking the chain: entry after entry over all segments, each proved to follow the one before.

use std::sync::Arc;

use tollhouse_core::audit::JournalEntry;
use tollhouse_core::record::Revision;

use super::frame::{Frame, Hash};
use super::segment::{SegmentReader, Stop};
use super::{GENESIS, JournalFault, Place};
use crate::store::disk::Disk;

/// A frame that was proved to follow the chain.
#[derive(Debug)]
pub(crate) struct Linked {
    pub(crate) position: Revision,
    pub(crate) frame: Frame,
}

/// Walks the chain from the beginning of a segment.
pub(crate) struct Chain {
    disk: Arc<dyn Disk>,
    segments: Vec<Revision>,
    /// The segment that comes next.
    next_segment: usize,
    reader: Option<SegmentReader>,
    until: Revision,
    /// The last entry that was read, or the one before the segment that it began with.
    position: Revision,
    hash: Hash,
    started: Started,
    known: Option<Known>,
}

/// A place in the journal: `position` is the entry that ends at `offset`.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) segment: Revision,
    pub(crate) offset: u64,
    pub(crate) position: Revision,
    pub(crate) hash: Hash,
}

#[derive(PartialEq, Eq)]
enum Started {
    NotYet,
    Within,
}

impl Chain {
    /// From the beginning of `segments[from]` to the entry `until` or the end.
    pub(crate) fn new(disk: Arc<dyn Disk>, segments: Vec<Revision>, from: usize, until: Revision) -> Self {
        let position = segments.get(from).map_or(0, |first| first.saturating_sub(1));
        let started = Started::NotYet;
        Self { disk, segments, next_segment: from, reader: None, until, position, hash: GENESIS, started, known: None }
    }

    /// From a place within a segment where the chain is known, for followers.
    pub(crate) fn resume(disk: Arc<dyn Disk>, segments: Vec<Revision>, known: &Known, until: Revision) -> Self {
        let index = segments.partition_point(|first| *first < known.segment);
        let mut chain = Self::new(disk, segments, index, until);
        chain.known = Some(known.clone());
        chain
    }

    /// Where it stands, for a later [`Chain::resume`].
    pub(crate) fn known(&self) -> Option<Known> {
        let (segment, offset) = self.place()?;
        Some(Known { segment, offset, position: self.position, hash: self.hash })
    }

    /// The last entry that was proved.
    pub(crate) fn position(&self) -> Revision {
        self.position
    }

    /// The hash at [`Chain::position`].
    pub(crate) fn hash(&self) -> Hash {
        self.hash
    }

    /// The segment being read, by its first position, and where the next frame begins.
    pub(crate) fn place(&self) -> Option<(Revision, u64)> {
        let segment = *self.segments.get(self.next_segment.checked_sub(1)?)?;
        Some((segment, self.reader.as_ref().map_or(0, |reader| reader.offset)))
    }

    /// The next entry's frame; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Linked>, JournalFault> {
        if self.position >= self.until {
            return Ok(None);
        }
        loop {
            let Some(reader) = &mut self.reader else {
                if self.next_segment >= self.segments.len() {
                    return Ok(None);
                }
                self.enter_segment()?;
                continue;
            };
            match reader.next() {
                Ok(Some(frame)) => return self.link(frame).map(Some),
                Ok(None) if self.next_segment < self.segments.len() => self.reader = None,
                Ok(None) => return Ok(None),
                Err(stop) => {
                    let offset = reader.offset;
                    return Err(self.fault(offset, stop));
                }
            }
        }
    }

    /// Decodes an entry that [`Chain::next`] has just yielded.
    pub(crate) fn entry(&self, linked: &Linked) -> Result<JournalEntry, JournalFault> {
        linked.frame.entry().map_err(|detail| self.damaged(linked, detail))
    }

    /// That what a frame holds cannot be used, though the chain holds.
    pub(super) fn damaged(&self, linked: &Linked, detail: String) -> JournalFault {
        JournalFault { position: linked.position, ..self.fault(linked.frame.offset, Stop::Content(detail)) }
    }

    fn enter_segment(&mut self) -> Result<(), JournalFault> {
        let first = self.segments[self.next_segment];
        self.next_segment += 1;
        let (mut reader, header) = SegmentReader::open(&*self.disk, first).map_err(|stop| self.fault(0, stop))?;
        if let Some(known) = self.known.take().filter(|known| known.segment == first) {
            (self.position, self.hash, reader.offset) = (known.position, known.hash, known.offset);
        } else if self.started == Started::NotYet {
            self.hash = header.previous;
            if first == 1 && header.previous != GENESIS {
                return Err(self.fault(0, Stop::Content("the first segment names a hash before it".into())));
            }
        } else if first != self.position + 1 {
            return Err(self.fault(0, Stop::Content(format!("the segment before it ends at {}", self.position))));
        } else if header.previous != self.hash {
            return Err(self.fault(0, Stop::Content("it does not follow the segment before it".into())));
        }
        self.started = Started::Within;
        self.reader = Some(reader);
        Ok(())
    }

    fn link(&mut self, frame: Frame) -> Result<Linked, JournalFault> {
        let position = self.position + 1;
        let stands = format!("{{\"position\":{position},");
        let sound = frame.follows(&self.hash).and_then(|()| {
            if frame.chained.starts_with(stands.as_bytes()) { Ok(()) } else { Err("it says another position".into()) }
        });
        if let Err(detail) = sound {
            if let Some(reader) = &mut self.reader {
                reader.offset = frame.offset;
            }
            return Err(self.fault(frame.offset, Stop::Content(detail)));
        }
        self.position = position;
        self.hash = frame.hash;
        Ok(Linked { position, frame })
    }

    fn fault(&self, offset: u64, stop: Stop) -> JournalFault {
        let segment = self.next_segment.checked_sub(1).and_then(|index| self.segments.get(index)).copied();
        let last = self.next_segment >= self.segments.len();
        let (detail, medium) = match stop {
            Stop::Medium(fault) => (fault.to_string(), Some(fault.kind())),
            Stop::Content(detail) => (detail, None),
        };
        let place = if last { Place::LastSegment } else { Place::EarlierSegment };
        let rest = self.reader.as_ref().map_or(0, |reader| reader.len.saturating_sub(offset));
        JournalFault { segment: segment.unwrap_or(0), offset, position: self.position + 1, detail, place, rest, medium }
    }
}
