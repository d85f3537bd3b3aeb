//! The journal as a table: an export for auditors and other programs, and its way back into a box that has nothing yet.

use serde_json::value::RawValue;
use tollhouse_core::audit::JournalEntry;
use tollhouse_core::charging::tables::Rows;
use tollhouse_core::record::Change;
use tollhouse_core::words::Words;

use super::run::Mode;
use super::{ExchangeDesk, Imported};
use crate::charging::fault::{ChargingFault, Finding};

/// Entries that are read at once.
const AT_ONCE: usize = 1_000;
/// The most entries of one file.
const MOST_ENTRIES: usize = 200_000;

/// The columns of the table.
const COLUMNS: [&str; 6] = ["position", "at", "kind", "cause", "personal", "record"];

impl ExchangeDesk {
    /// The entries of the journal, the earliest first.
    pub(super) fn export_journal(&self) -> Result<Rows, ChargingFault> {
        let mut table: Rows = vec![COLUMNS.iter().map(|name| (*name).to_owned()).collect()];
        let mut after = 0;
        loop {
            let broken = |fault: crate::store::journal::JournalFault| ChargingFault::Broken(fault.to_string());
            let entries = self.parts.store.follow(after, AT_ONCE).map_err(broken)?;
            let Some(last) = entries.last() else { return Ok(table) };
            after = last.position;
            if table.len() + entries.len() > MOST_ENTRIES {
                let en = "the journal has more than 200,000 entries: copy its files instead (docs/journal.md)";
                return Err(ChargingFault::wrong("", "日志超过 20 万条：请直接复制日志文件", en));
            }
            table.extend(entries.iter().map(line));
        }
    }

    /// Carries the entries of a table out in a box that has nothing but its lot.
    pub(super) async fn import_journal(&self, table: Rows, mode: Mode) -> Result<Imported, ChargingFault> {
        let (changes, faults) = read(&table);
        let mut imported = Imported {
            dry_run: mode == Mode::DryRun,
            rows: table.len().saturating_sub(1),
            written: 0,
            there_already: 0,
            faults,
            tables: vec![],
        };
        let broken = |fault: crate::store::journal::JournalFault| ChargingFault::Broken(fault.to_string());
        let have = self.parts.store.follow(0, MOST_ENTRIES).map_err(broken)?;
        // What is there has to be the beginning of the file: so one that was broken off goes on.
        let ours: Vec<String> = have.iter().map(|entry| json(&entry.change)).collect();
        let theirs: Vec<String> = changes.iter().map(json).collect();
        let same = ours.iter().zip(&theirs).take_while(|(ours, theirs)| ours == theirs).count();
        if imported.faults.is_empty() && same < ours.len() {
            let en = "a journal is imported into an empty data folder only: this box has entries of its own";
            imported.faults.push(Finding::of("", &Words::new("日志只能导入空的数据目录：此机已有自己的日志", en)));
        }
        if !imported.faults.is_empty() {
            return Ok(imported);
        }
        imported.there_already = same;
        imported.written = changes.len() - same;
        if mode == Mode::Write {
            for change in changes.into_iter().skip(same) {
                let refused = |fault: crate::store::CommitError| ChargingFault::conflict(fault);
                self.parts.store.commit(change).await.map_err(refused)?;
            }
        }
        Ok(imported)
    }
}

/// A change as JSON; what it relied on and which texts are personal are not journalled in it.
fn json(change: &Change) -> String {
    serde_json::to_string(change).expect("records serialise: text keys, no fallible types")
}

fn line(entry: &JournalEntry) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let value = serde_json::to_value(&entry.change).unwrap_or_default();
    vec![
        entry.position.to_string(),
        entry.change.at.to_rfc3339(),
        text(&value["kind"]),
        text(&value["cause"]),
        serde_json::to_string(&entry.change.personal).unwrap_or_default(),
        json(&entry.change),
    ]
}

fn read(table: &Rows) -> (Vec<Change>, Vec<Finding>) {
    let (mut changes, mut faults) = (vec![], vec![]);
    let Some((header, lines)) = table.split_first() else { return (changes, faults) };
    let at = |name: &str| header.iter().position(|column| column.trim() == name);
    let Some(record) = at("record") else {
        faults.push(Finding::of("record", &Words::new("缺少此列", "this column is missing")).in_row(1));
        return (changes, faults);
    };
    for (place, line) in lines.iter().enumerate() {
        let cell = line.get(record).map(String::as_str).unwrap_or_default();
        // Raw pieces of JSON are read from texts alone.
        let read =
            serde_json::from_str::<Box<RawValue>>(cell).and_then(|raw| serde_json::from_str::<Change>(raw.get()));
        match read {
            Ok(mut change) => {
                let texts = at("personal").and_then(|at| line.get(at));
                change.personal = texts.and_then(|texts| serde_json::from_str(texts).ok()).unwrap_or_default();
                changes.push(change);
            }
            Err(fault) => {
                let words = Words::new("此条无法读取", format!("this entry cannot be read: {fault}"));
                faults.push(Finding::of("record", &words).in_row(place + 2));
            }
        }
    }
    (changes, faults)
}
