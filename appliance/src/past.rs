//! What is on record of stays that have ended and of how they were priced: asked of a running box through its control
//! socket, else read from its files.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::path::Path;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::bill::Bill;
use tollhouse_core::plate::Colour;
use tollhouse_core::record::{ReadError, Records};
use tollhouse_core::stay::{Cover, Stay, StayState};
use tollhouse_core::tariff::model::AreaVisit;
use tollhouse_core::tariff::{StayFacts, TariffVersion};

use crate::control::{self, Reply, Request};
use crate::store::{Store, StoreOptions};

/// Records read at once.
const PAGE: usize = 1_000;
/// The most versions of tariffs that are looked at.
const MOST_VERSIONS: usize = 1_000;

/// A stay that has ended, with what prices it; nobody's plate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedStay {
    /// When the car came.
    pub entered_at: DateTime<Utc>,
    /// When it left.
    pub exited_at: DateTime<Utc>,
    /// Its plate's colour, in a word.
    pub colour: String,
    /// Where it stood, in the order of time.
    #[serde(default)]
    pub areas: Vec<StoodIn>,
    /// What a pass covers of it, where that is not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<Cover>,
}

/// A time in an area of the lot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoodIn {
    /// Which.
    pub area: String,
    /// From when.
    pub from: DateTime<Utc>,
    /// To when.
    pub to: DateTime<Utc>,
}

/// A stay in its place among others: by its exit.
struct Placed {
    place: (DateTime<Utc>, DateTime<Utc>, u64),
    stay: EndedStay,
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Placed {}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place.cmp(&other.place)
    }
}

/// A bill with all that priced it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredBill {
    /// The bill.
    pub bill: Bill,
    /// The stay that it is for.
    pub stay: Stay,
    /// Every version of every tariff that the box has loaded.
    pub versions: Vec<TariffVersion>,
}

/// Why the past cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// Not a data folder.
    #[error("{0} is no data folder of a box")]
    NoFolder(String),
    /// The running box says why not.
    #[error("the running box answers: {0}")]
    Refused(String),
    /// The running box cannot be reached.
    #[error("the running box does not answer: {0}")]
    Silent(#[from] std::io::Error),
    /// The files of a stopped box cannot be read.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// A record cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no such bill, or its stay is gone.
    #[error("there is no bill {0} on record")]
    NoBill(String),
}

/// The last stays that cost something by the tariff and have ended, the oldest first: temporary ones, and those of passes
/// that did not cover them.
pub fn ended_stays(records: &impl Records, last: usize) -> Result<Vec<EndedStay>, ReadError> {
    let mut newest: BinaryHeap<Reverse<Placed>> = BinaryHeap::new();
    let (mut from, mut number) = (String::new(), 0);
    loop {
        let page = records.list::<Stay>(&from, PAGE)?;
        let full = page.len() == PAGE;
        for kept in page {
            let stay = kept.record;
            from = format!("{}\u{0}", stay.id);
            let (Some(exited_at), StayState::Closed, true) = (stay.exited_at, stay.state, stay.is_charged()) else {
                continue;
            };
            number += 1;
            let place = (exited_at, stay.entered_at, number);
            newest.push(Reverse(Placed { place, stay: ended(stay, exited_at) }));
            if newest.len() > last {
                newest.pop();
            }
        }
        if !full {
            break;
        }
    }
    let mut stays: Vec<Placed> = newest.into_iter().map(|Reverse(placed)| placed).collect();
    stays.sort();
    Ok(stays.into_iter().map(|placed| placed.stay).collect())
}

fn ended(stay: Stay, exited_at: DateTime<Utc>) -> EndedStay {
    let areas = stay.areas(exited_at).into_iter();
    EndedStay {
        entered_at: stay.entered_at,
        exited_at,
        colour: stay.colour.as_str().to_owned(),
        areas: areas.map(|AreaVisit { area, enter, exit }| StoodIn { area, from: enter, to: exit }).collect(),
        cover: stay.cover,
    }
}

/// A bill by its id, with its stay and the versions that are on record.
pub fn stored_bill(records: &impl Records, id: &str) -> Result<Option<StoredBill>, ReadError> {
    let Some(bill) = records.get::<Bill>(id)? else { return Ok(None) };
    let Some(stay) = records.get::<Stay>(&bill.record.stay.to_string())? else { return Ok(None) };
    let versions = records.list::<TariffVersion>("", MOST_VERSIONS)?.into_iter().map(|kept| kept.record).collect();
    Ok(Some(StoredBill { bill: bill.record, stay: stay.record, versions }))
}

/// The facts that a stay was priced by; `zone` is the clock by which passes have hours.
pub fn facts(stay: &EndedStay, zone: Tz) -> StayFacts {
    let colour = serde_json::from_value::<Colour>(stay.colour.as_str().into()).unwrap_or(Colour::Unknown);
    let visit = |one: &StoodIn| AreaVisit { area: one.area.clone(), enter: one.from, exit: one.to };
    let areas: Vec<AreaVisit> = stay.areas.iter().map(visit).collect();
    let covered = stay.cover.as_ref().map_or_else(Vec::new, |cover| cover.of(&areas, zone));
    StayFacts { areas, covered, ..StayFacts::new(stay.entered_at, stay.exited_at, colour) }
}

/// The last ended stays of a box, running or stopped.
pub fn ask_stays(data: &Path, last: usize) -> Result<Vec<EndedStay>, PastError> {
    match ask(data, &Request::EndedStays { last })? {
        Some(Reply::EndedStays(stays)) => Ok(stays),
        Some(_) => Err(PastError::Refused("something else".to_owned())),
        None => read(data, |records| Ok(ended_stays(records, last)?)),
    }
}

/// A bill of a box, running or stopped.
pub fn ask_bill(data: &Path, id: &str) -> Result<StoredBill, PastError> {
    let found = match ask(data, &Request::Bill { id: id.to_owned() })? {
        Some(Reply::Bill(found)) => found.map(|found| *found),
        Some(_) => return Err(PastError::Refused("something else".to_owned())),
        None => read(data, |records| Ok(stored_bill(records, id)?))?,
    };
    found.ok_or_else(|| PastError::NoBill(id.to_owned()))
}

fn ask(data: &Path, request: &Request) -> Result<Option<Reply>, PastError> {
    if !data.join("journal").is_dir() {
        return Err(PastError::NoFolder(data.display().to_string()));
    }
    match control::ask(data, request)? {
        Some(Reply::Failed(why)) => Err(PastError::Refused(why)),
        reply => Ok(reply),
    }
}

fn read<T>(data: &Path, look: impl FnOnce(&crate::store::Snapshot) -> Result<T, PastError>) -> Result<T, PastError> {
    let store = Store::open(data, StoreOptions::default())?;
    let found = look(&store.snapshot());
    store.close();
    found
}
