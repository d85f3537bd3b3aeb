//! From the text of a tariff file, TOML or JSON, to its checked values, or to every fault with its place.
//!
//! Owns the reading; `check` owns what only the whole tariff shows. It must not know what a stay costs. Everything is
//! bounded: bytes, values, nesting, counts of every list, lengths of every text.

mod conditions;
mod fault;
mod file;
mod forms;
mod head;
mod json;
mod keys;
mod rate;
mod reader;
mod scheme;
mod stay;
mod steps;
mod tree;

pub use fault::Fault;
pub use keys::TABLES;

pub(in crate::tariff) use fault::Faults;

use super::check;
use super::model::{TariffFile, WrittenStay};

/// Reads and checks a tariff file. It is JSON when it begins with a brace, else TOML.
///
/// Its examples are read but not priced: that is the engine's.
pub fn parse(text: &str) -> Result<TariffFile, Vec<Fault>> {
    let faults = Faults::of(text);
    let tariff = tree::read(text, &faults).and_then(|root| file::read(&root, &faults));
    // What the whole shows is worth asking only when each part can be read.
    let tariff = tariff.filter(|_| faults.is_empty());
    if let Some(tariff) = &tariff {
        check::whole(tariff, &faults);
    }
    match tariff {
        Some(tariff) if faults.is_empty() => Ok(tariff),
        _ => Err(faults.into_sorted()),
    }
}

/// Reads a stay as `tollhouse quote --stay FILE` takes it: the keys of an example without `fee`, `due`, `leave_by` and
/// `note`. Local times are the tariff's.
pub fn parse_stay(text: &str, tariff: &TariffFile) -> Result<WrittenStay, Vec<Fault>> {
    let faults = Faults::of(text);
    let stay = tree::read(text, &faults).and_then(|root| stay::read_alone(&root, tariff, &faults));
    match stay {
        Some(stay) if faults.is_empty() => Ok(stay),
        _ => Err(faults.into_sorted()),
    }
}
