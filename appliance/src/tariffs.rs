//! Tariffs of this box: files read, checked and made ready to price, with every fault at its place.
//!
//! Owns the way from a path to a [`TariffBook`]. What a file means is core's; who is asked to pay is the lanes'.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tollhouse_core::id::AreaId;
use tollhouse_core::record::{Cause, Change, ChangeKind, ReadError, Record as _, Records, Refusal};
use tollhouse_core::tariff::model::TariffFile;
use tollhouse_core::tariff::{Plan, TariffBook, TariffVersion, parse};

use crate::config::{LotConfig, TariffSource};
use crate::store::{Store, Told};

/// A tariff file is a page or two; a calendar of many years makes a few more.
const MAX_FILE_BYTES: u64 = 256 << 10;

/// One version of a tariff, with the text that it was read from.
#[derive(Debug, Clone)]
pub struct Version {
    /// As people call the file.
    pub name: String,
    /// Its text, byte for byte.
    pub text: String,
    /// What it says.
    pub file: Arc<TariffFile>,
}

/// The versions of one tariff, ready to price.
#[derive(Debug, Clone)]
pub struct Tariffs {
    /// The versions, the oldest first.
    pub versions: Vec<Version>,
    /// What prices.
    pub book: TariffBook,
}

/// What is wrong with a tariff file, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TariffFault {
    /// The file.
    pub file: String,
    /// From 1; 0 stands for the file as a whole.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The key, from the top; empty for the file as a whole.
    pub path: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl TariffFault {
    fn whole(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: 0, column: 0, path: String::new(), message: message.into() }
    }
}

impl fmt::Display for TariffFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}:{}: {}", self.file, self.column, self.message),
        }
    }
}

/// Why a version could not be put on record.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Another text is on record under this name.
    #[error(
        "{file}: the version {label} is on record with another text: another price is another version, so give it a new `version`"
    )]
    OtherText {
        /// The file.
        file: String,
        /// `id@version`.
        label: String,
    },
    /// What is on record cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store did not take it.
    #[error("the tariff could not be put on record: {0}")]
    Store(String),
}

/// Versions of former years that are looked at for stays that began under them.
const MOST_FORMER: usize = 1_000;

/// Puts on record each version that is not there yet. What is there stays as it is.
pub fn keep(tariffs: &Tariffs, store: &Store, now: DateTime<Utc>) -> Result<(), KeepError> {
    let records = store.snapshot();
    let mut change = Change::new(ChangeKind::TariffLoaded, now, Cause::Box("the configured tariff".to_owned()));
    for Version { name, text, file } in &tariffs.versions {
        let version = TariffVersion::new(file, text, now);
        let label = version.key();
        match records.get::<TariffVersion>(&label)? {
            Some(known) if known.record.text == *text => {}
            Some(_) => return Err(KeepError::OtherText { file: name.clone(), label }),
            None => change.put(&version),
        }
    }
    if change.ops.is_empty() {
        return Ok(());
    }
    let (tell, told) = std::sync::mpsc::channel();
    let submitted = store.submit(change, move |outcome| {
        // Nobody waits any more when the start was given up.
        let _ = tell.send(outcome);
    });
    submitted.map_err(|busy| KeepError::Store(busy.to_string()))?;
    match told.recv() {
        Ok(Told::Durable { .. }) => Ok(()),
        Ok(Told::Refused(refusal)) => Err(KeepError::Store(refused(&refusal))),
        Err(_) => Err(KeepError::Store("the store has ended".to_owned())),
    }
}

fn refused(refusal: &Refusal) -> String {
    format!("{refusal:?}")
}

/// Versions of the same tariff on record that are no longer configured. One that this release cannot read any more is
/// told and left out.
pub fn former(tariffs: &Tariffs, records: &impl Records) -> Vec<Plan> {
    let id = &tariffs.versions.last().expect("a book has a version").file.id;
    let on_record = records.list::<TariffVersion>("", MOST_FORMER).unwrap_or_default();
    let is_former = |known: &TariffVersion| {
        known.id == *id && !tariffs.versions.iter().any(|version| version.file.version == known.version)
    };
    let mut plans = Vec::new();
    for known in on_record.into_iter().map(|kept| kept.record).filter(is_former) {
        match parse::parse(&known.text).ok().and_then(|file| Plan::new(Arc::new(file)).ok()) {
            Some(plan) => plans.push(plan),
            None => {
                tracing::warn!(version = known.key(), "a former tariff cannot be read; its stays go by the present");
            }
        }
    }
    plans
}

/// The tariff as it is on record, for who prices without the configuration: the versions of the one that was loaded last.
pub fn on_record(records: &impl Records) -> Option<TariffBook> {
    let on_record = records.list::<TariffVersion>("", MOST_FORMER).unwrap_or_default();
    let id = on_record.iter().max_by_key(|kept| kept.record.loaded_at)?.record.id.clone();
    let of_it = on_record.into_iter().filter(|kept| kept.record.id == id);
    let plans: Vec<Plan> = of_it
        .filter_map(|kept| parse::parse(&kept.record.text).ok().and_then(|file| Plan::new(Arc::new(file)).ok()))
        .collect();
    let last = plans.last()?.clone();
    Some(TariffBook::new(plans).unwrap_or_else(|_| TariffBook::of(last)))
}

/// Reads a file's text: bounded, and UTF-8.
pub fn read_text(path: &Path) -> Result<String, TariffFault> {
    let name = path.display().to_string();
    let fault = |message: String| TariffFault::whole(&name, message);
    let about = std::fs::metadata(path).map_err(|error| fault(format!("it cannot be read: {error}")))?;
    if about.len() > MAX_FILE_BYTES {
        return Err(fault("it is larger than 256 KiB: that is no tariff".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(|error| fault(format!("it cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|byte| *byte == b'\n').count() - 1;
        let line = u32::try_from(line + 1).unwrap_or(u32::MAX);
        TariffFault { line, column: 1, ..fault("this line is not UTF-8: save the file as UTF-8".to_owned()) }
    })
}

/// Reads and checks one version.
pub fn version(name: &str, text: String) -> Result<Version, Vec<TariffFault>> {
    match parse::parse(&text) {
        Ok(file) => Ok(Version { name: name.to_owned(), text, file: Arc::new(file) }),
        Err(faults) => Err(named(name, faults)),
    }
}

/// Faults of a text under the name of its file.
pub fn named(name: &str, faults: Vec<parse::Fault>) -> Vec<TariffFault> {
    let fault = |fault: parse::Fault| TariffFault {
        file: name.to_owned(),
        line: fault.line,
        column: fault.column,
        path: fault.path,
        message: fault.message,
    };
    faults.into_iter().map(fault).collect()
}

/// The versions of one tariff together.
pub fn book(mut versions: Vec<Version>) -> Result<Tariffs, Vec<TariffFault>> {
    versions.sort_by_key(|version| version.file.in_force_from);
    let mut plans = Vec::new();
    for version in &versions {
        match Plan::new(Arc::clone(&version.file)) {
            Ok(plan) => plans.push(plan),
            Err(error) => return Err(vec![TariffFault::whole(&version.name, error.to_string())]),
        }
    }
    let names = versions.iter().map(|version| version.name.as_str()).collect::<Vec<_>>().join(", ");
    match TariffBook::new(plans) {
        Ok(book) => Ok(Tariffs { versions, book }),
        Err(error) => Err(vec![TariffFault::whole(&names, error.to_string())]),
    }
}

/// Reads files as the versions of one tariff; every fault of every file at once.
pub fn read_files(paths: &[impl AsRef<Path>]) -> Result<Tariffs, Vec<TariffFault>> {
    let (mut versions, mut faults) = (Vec::new(), Vec::new());
    for path in paths {
        let path = path.as_ref();
        let read = read_text(path).map_err(|fault| vec![fault]);
        match read.and_then(|text| version(&path.display().to_string(), text)) {
            Ok(version) => versions.push(version),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { book(versions) } else { Err(faults) }
}

/// A tariff of one version whose text the program carries with it.
pub fn built_in(name: &str, text: &str) -> Result<Tariffs, Vec<TariffFault>> {
    book(vec![version(name, text.to_owned())?])
}

/// The tariff of a lot. It has to be in the lot's currency and by the lot's clock, and an area that it prices has to be
/// one that a lane leads into: a misspelt one would never be priced.
pub fn of_lot(lot: &LotConfig, areas: &[AreaId]) -> Result<Tariffs, Vec<TariffFault>> {
    let tariffs = match &lot.tariff {
        TariffSource::Files(paths) => read_files(paths)?,
        TariffSource::BuiltIn { name, text } => built_in(name, text)?,
    };
    let mut faults = Vec::new();
    for Version { name, file, .. } in &tariffs.versions {
        if file.currency != lot.currency {
            let message = format!("the tariff is in {}, but the lot charges {}", file.currency, lot.currency);
            faults.push(TariffFault::whole(name, message));
        }
        if file.time_zone != lot.zone {
            let message = format!("the tariff goes by {}, but the lot by {}", file.time_zone, lot.zone);
            faults.push(TariffFault::whole(name, message));
        }
        for area in file.areas.iter().filter(|area| !areas.iter().any(|known| known.as_str() == area.id)) {
            let known: Vec<&str> = areas.iter().map(AreaId::as_str).collect();
            let message = format!(
                "the tariff prices area {:?}, but no lane leads into it; the lanes know {}",
                area.id,
                known.join(", ")
            );
            faults.push(TariffFault::whole(name, message));
        }
    }
    if faults.is_empty() { Ok(tariffs) } else { Err(faults) }
}
