//! What is on record of stays that have ended and of how they were priced: asked of a running box through its control
//! socket, else read from its files.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::bill::Bill;
use tollhouse_core::plate::Colour;
use tollhouse_core::record::{ReadError, Records};
use tollhouse_core::stay::{Basis, Stay, StayState};
use tollhouse_core::tariff::{StayFacts, TariffVersion};

use crate::control::{self, Reply, Request};
use crate::store::{Store, StoreOptions};

/// Records read at once.
const PAGE: usize = 1_000;
/// The most versions of tariffs that are looked at.
const MOST_VERSIONS: usize = 1_000;

/// A stay that has ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EndedStay {
    /// When the car came.
    pub entered_at: DateTime<Utc>,
    /// When it left.
    pub exited_at: DateTime<Utc>,
    /// Its plate's colour, in a word.
    pub colour: String,
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

/// The last stays that were priced as temporary ones and have ended, the oldest first.
pub fn ended_stays(records: &impl Records, last: usize) -> Result<Vec<EndedStay>, ReadError> {
    let mut newest: BinaryHeap<Reverse<EndedStay>> = BinaryHeap::new();
    let mut from = String::new();
    loop {
        let page = records.list::<Stay>(&from, PAGE)?;
        let full = page.len() == PAGE;
        for kept in page {
            let stay = kept.record;
            from = format!("{}\u{0}", stay.id);
            let (Some(exited_at), Basis::Temporary, StayState::Closed) = (stay.exited_at, &stay.basis, stay.state)
            else {
                continue;
            };
            let colour = stay.colour.as_str().to_owned();
            newest.push(Reverse(EndedStay { entered_at: stay.entered_at, exited_at, colour }));
            if newest.len() > last {
                newest.pop();
            }
        }
        if !full {
            break;
        }
    }
    let mut stays: Vec<EndedStay> = newest.into_iter().map(|Reverse(stay)| stay).collect();
    stays.sort();
    Ok(stays)
}

/// A bill by its id, with its stay and the versions that are on record.
pub fn stored_bill(records: &impl Records, id: &str) -> Result<Option<StoredBill>, ReadError> {
    let Some(bill) = records.get::<Bill>(id)? else { return Ok(None) };
    let Some(stay) = records.get::<Stay>(&bill.record.stay.to_string())? else { return Ok(None) };
    let versions = records.list::<TariffVersion>("", MOST_VERSIONS)?.into_iter().map(|kept| kept.record).collect();
    Ok(Some(StoredBill { bill: bill.record, stay: stay.record, versions }))
}

/// The facts that a stay was priced by.
pub fn facts(stay: &EndedStay) -> StayFacts {
    let colour = serde_json::from_value::<Colour>(stay.colour.as_str().into()).unwrap_or(Colour::Unknown);
    StayFacts::new(stay.entered_at, stay.exited_at, colour)
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
