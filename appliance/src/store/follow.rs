//! Reading the journal by cursor while it grows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tollhouse_core::audit::JournalEntry;
use tollhouse_core::record::Revision;

use super::disk::Disk;
use super::journal::{Chain, JournalFault, Known, Place, list};

/// One place per so many bytes; a follower skips at most that much.
const APART: u64 = 64 << 10;
/// The most places kept (about 1 GiB of journal); without one a segment is read from its beginning.
const MOST: usize = 16 << 10;

/// Places in the journal from which reading can start.
pub(super) struct Places {
    known: Mutex<BTreeMap<Revision, Known>>,
}

impl Places {
    pub(super) fn new(first: Known) -> Self {
        Self { known: Mutex::new(BTreeMap::from([(first.position, first)])) }
    }

    /// Notes where the writer stands, if that is far enough from the last place.
    pub(super) fn note(&self, place: Known) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let near = known.range(..=place.position).next_back().is_some_and(|(_, last)| {
            last.segment == place.segment && place.offset - last.offset.min(place.offset) < APART
        });
        if !near {
            known.insert(place.position, place);
            if known.len() > MOST {
                known.pop_first();
            }
        }
    }

    fn at_or_before(&self, position: Revision) -> Option<Known> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.range(..=position).next_back().map(|(_, place)| place.clone())
    }
}

/// The entries after `after`, up to `until`, at most `limit`.
pub(super) fn entries(
    disk: &Arc<dyn Disk>,
    places: &Places,
    after: Revision,
    until: Revision,
    limit: usize,
) -> Result<Vec<JournalEntry>, JournalFault> {
    if after >= until || limit == 0 {
        return Ok(vec![]);
    }
    let segments = list(&**disk).map_err(|fault| JournalFault {
        segment: 0,
        offset: 0,
        position: after + 1,
        detail: fault.to_string(),
        place: Place::EarlierSegment,
        rest: 0,
        medium: Some(fault.kind()),
    })?;
    let until = until.min(after.saturating_add(limit as u64));
    let start = segments.partition_point(|first| *first <= after + 1).saturating_sub(1);
    let nearest = places.at_or_before(after).filter(|place| segments.get(start).is_some_and(|s| place.segment >= *s));
    let mut chain = match nearest {
        Some(known) => Chain::resume(disk.clone(), segments, &known, until),
        None => Chain::new(disk.clone(), segments, start, until),
    };
    let mut found = vec![];
    while let Some(linked) = chain.next()? {
        if linked.position > after {
            found.push(chain.entry(&linked)?);
        }
    }
    if let Some(place) = chain.known() {
        places.note(place);
    }
    Ok(found)
}
