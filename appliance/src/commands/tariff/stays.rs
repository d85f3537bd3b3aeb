//! Real stays for a preview: from a box's records, or from a file of another system.

use std::path::Path;

use chrono_tz::Tz;
use tollhouse_core::tariff::model::TariffFile;
use tollhouse_core::tariff::{StayFacts, parse};

use super::StaySource;
use crate::config;
use crate::past;
use crate::tariffs::Tariffs;

/// A million stays with seconds and offsets.
const MAX_FILE_BYTES: u64 = 128 << 20;

/// The last `last` stays.
pub(super) fn read(source: &StaySource, tariffs: &Tariffs, last: usize) -> Result<Vec<StayFacts>, String> {
    let zone = tariffs.versions[0].file.time_zone;
    let mut stays = match (&source.stays, &source.data, &source.config) {
        (Some(path), ..) => from_file(path, &tariffs.versions[0].file)?,
        (None, Some(data), _) => of_box(data, last, zone)?,
        (None, None, Some(path)) => {
            let config = config::load(path).map_err(|faults| {
                let faults = faults.iter().map(|fault| format!("{}: {fault}", path.display()));
                faults.collect::<Vec<_>>().join("\n")
            })?;
            of_box(&config.store.data, last, zone)?
        }
        (None, None, None) => return Err("give --stays FILE, --data DIR or --config FILE".to_owned()),
    };
    stays.sort_by_key(|stay| (stay.until, stay.entered_at));
    let surplus = stays.len().saturating_sub(last);
    stays.drain(..surplus);
    if stays.is_empty() { Err("there are no stays to price".to_owned()) } else { Ok(stays) }
}

fn of_box(data: &Path, last: usize, zone: Tz) -> Result<Vec<StayFacts>, String> {
    let stays = past::ask_stays(data, last).map_err(|fault| fault.to_string())?;
    Ok(stays.iter().map(|stay| past::facts(stay, zone)).collect())
}

/// CSV with a head line, in any order of columns: `enter`, `exit` and, if known, `vehicle` and `colour`.
fn from_file(path: &Path, tariff: &TariffFile) -> Result<Vec<StayFacts>, String> {
    let wrong = |line: usize, why: &str| format!("{}:{line}: {why}", path.display());
    let about = std::fs::metadata(path).map_err(|fault| wrong(0, &fault.to_string()))?;
    if about.len() > MAX_FILE_BYTES {
        return Err(wrong(0, "the file is larger than 128 MiB: give the last stays only"));
    }
    let text = std::fs::read_to_string(path).map_err(|fault| wrong(0, &fault.to_string()))?;
    let mut lines = text.lines().enumerate();
    let heads = lines.next().map_or("", |(_, head)| head.trim_start_matches('\u{feff}'));
    let heads: Vec<&str> = heads.split(',').map(str::trim).collect();
    for wanted in ["enter", "exit"] {
        if !heads.contains(&wanted) {
            return Err(wrong(1, "the head line names the columns: enter,exit and, if known, vehicle,colour"));
        }
    }
    if let Some(head) = heads.iter().find(|head| !["enter", "exit", "vehicle", "colour"].contains(head)) {
        return Err(wrong(1, &format!("there is no column {head:?}; there are enter, exit, vehicle and colour")));
    }
    let mut stays = Vec::new();
    for (place, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let cells = line.split(',').map(|cell| cell.trim().trim_matches('"'));
        let filled = heads.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
        let stay: serde_json::Map<String, serde_json::Value> =
            filled.map(|(head, cell)| ((*head).to_owned(), cell.into())).collect();
        let text = serde_json::Value::Object(stay).to_string();
        let read = parse::parse_stay(&text, tariff).map_err(|faults| {
            let first = &faults[0];
            wrong(place + 1, &format!("{}: {}", first.path, first.message))
        })?;
        stays.push(StayFacts::from(&read));
    }
    Ok(stays)
}
