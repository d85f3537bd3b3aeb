//! Carrying an import out: once over the records to tell every fault, and then, if there is none, in entries of bounded
//! size.

use std::collections::BTreeMap;

use tollhouse_core::record::{By, Change, ChangeKind, Overlay, Records};

use super::write::{Row, Wrote};
use super::{ExchangeDesk, Imported, Kind, TableCount};
use crate::charging::fault::{ChargingFault, Finding};
use crate::charging::parts::Decided;
use crate::charging::sheets::{Format, Sheet, one, read};
use crate::store::Snapshot;

/// The most faults that are told.
const MOST_FAULTS: usize = 1_000;

/// How many rows stand in one entry. Personal texts are looked for in all of an entry, so entries with many are small.
fn rows_of_entry(kind: Kind) -> usize {
    match kind {
        Kind::Holders | Kind::Vehicles | Kind::Inside | Kind::Merchants | Kind::FreeList => 100,
        Kind::Cards | Kind::Bills => 50,
        // A batch has up to 2,000 coupons.
        Kind::Coupons => 1,
        _ => 500,
    }
}

/// Whether an import writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It says what it would do.
    DryRun,
    /// It does it, if nothing is wrong.
    Write,
}

impl ExchangeDesk {
    /// Imports the tables of a file.
    pub async fn import(
        &self,
        by: &By,
        kind: Kind,
        bytes: &[u8],
        format: Format,
        mode: Mode,
    ) -> Result<Imported, ChargingFault> {
        self.import_sheets(by, kind, read(bytes, format)?, mode).await
    }

    /// Imports tables.
    pub async fn import_sheets(
        &self,
        by: &By,
        kind: Kind,
        sheets: Vec<Sheet>,
        mode: Mode,
    ) -> Result<Imported, ChargingFault> {
        if kind == Kind::Journal {
            return self.import_journal(one(sheets, kind.name())?, mode).await;
        }
        let (rows, mut faults) = self.rows(by, kind, sheets)?;
        let mut imported = Imported {
            dry_run: mode == Mode::DryRun,
            rows: rows.len(),
            written: 0,
            there_already: 0,
            faults: vec![],
            tables: vec![],
        };
        faults.extend(self.rehearse(by, &rows, &mut imported)?);
        faults.truncate(MOST_FAULTS);
        imported.faults = faults;
        if !imported.faults.is_empty() {
            imported.written = 0;
            return Ok(imported);
        }
        if mode == Mode::Write {
            self.write_down(by, &rows).await?;
        }
        Ok(imported)
    }

    /// The rows of the tables that can be read, and the faults of the others.
    fn rows(&self, by: &By, kind: Kind, sheets: Vec<Sheet>) -> Result<(Vec<Row>, Vec<Finding>), ChargingFault> {
        let mut tables: BTreeMap<usize, (Kind, Sheet)> = BTreeMap::new();
        let mut faults = vec![];
        if kind == Kind::Estate {
            for sheet in sheets {
                let found = sheet.name.parse::<Kind>().ok();
                let place = found.and_then(|kind| Kind::OF_ESTATE.iter().position(|one| *one == kind));
                match place {
                    Some(place) if !tables.contains_key(&place) => {
                        tables.insert(place, (Kind::OF_ESTATE[place], sheet));
                    }
                    _ if sheet.rows.is_empty() => {}
                    _ => {
                        let en = "there is no table of this name, or it is there twice";
                        let words = tollhouse_core::words::Words::new("没有此名称的表，或出现两次", en);
                        faults.push(Finding::of("", &words).in_sheet(&sheet.name));
                    }
                }
            }
        } else {
            let rows = one(sheets, kind.name())?;
            tables.insert(0, (kind, Sheet { name: String::new(), rows }));
        }
        let mut rows = vec![];
        for (kind, sheet) in tables.into_values() {
            // A table without rows has nothing to say, not even that its header is wrong.
            if sheet.rows.len() < 2 && !sheet.name.is_empty() {
                continue;
            }
            match self.read_table(by, kind, &sheet.rows) {
                Ok(read) => rows.extend(read),
                Err(ChargingFault::Wrong(found)) => faults.extend(found.into_iter().map(|one| named(one, &sheet.name))),
                Err(other) => return Err(other),
            }
        }
        Ok((rows, faults))
    }

    /// Carries all rows out over the records, and writes nothing: what is wrong with them, row by row.
    fn rehearse(&self, by: &By, rows: &[Row], imported: &mut Imported) -> Result<Vec<Finding>, ChargingFault> {
        let records = self.parts.store.snapshot();
        let over = Overlay::new(&records);
        let mut whole = self.parts.change(ChangeKind::EstateMovedIn, by);
        let mut faults = vec![];
        let mut counts: BTreeMap<Kind, (usize, usize)> = BTreeMap::new();
        for row in rows {
            let mut change = self.parts.change(ChangeKind::EstateMovedIn, by);
            match (row.write)(&over, &mut change) {
                Ok(wrote) => {
                    let (written, already) = counts.entry(row.kind).or_default();
                    match wrote {
                        Wrote::Written => *written += 1,
                        Wrote::ThereAlready => *already += 1,
                    }
                    over.take(&mut whole, change)?;
                    whole.ops.clear();
                    whole.postings.clear();
                    whole.relied.clear();
                    whole.personal.clear();
                }
                Err(broken @ (ChargingFault::Broken(_) | ChargingFault::Busy)) => return Err(broken),
                Err(fault) => {
                    faults.extend(of_row(row, fault));
                    if faults.len() >= MOST_FAULTS {
                        break;
                    }
                }
            }
        }
        imported.written = counts.values().map(|(written, _)| written).sum();
        imported.there_already = counts.values().map(|(_, already)| already).sum();
        imported.tables = counts
            .into_iter()
            .map(|(kind, (written, there_already))| TableCount { table: kind.to_string(), written, there_already })
            .collect();
        Ok(faults)
    }

    /// Writes the rows down, entry by entry.
    async fn write_down(&self, by: &By, rows: &[Row]) -> Result<(), ChargingFault> {
        let mut at = 0;
        while at < rows.len() {
            let kind = rows[at].kind;
            let many = rows[at..].iter().take_while(|row| row.kind == kind).count().min(rows_of_entry(kind));
            let entry = &rows[at..at + many];
            // The request's key stands for the whole import, which is idempotent row by row.
            let by = By { cause: by.cause.clone(), once: None };
            self.parts
                .carry_out(&by, |records: &Snapshot| {
                    let over = Overlay::new(records);
                    let mut whole: Change = self.parts.change(ChangeKind::EstateMovedIn, &by);
                    for row in entry {
                        let mut change = self.parts.change(ChangeKind::EstateMovedIn, &by);
                        (row.write)(&over, &mut change)?;
                        over.take(&mut whole, change)?;
                    }
                    Ok(Decided { change: whole, outcome: () })
                })
                .await?;
            at += many;
        }
        Ok(())
    }
}

fn named(finding: Finding, sheet: &str) -> Finding {
    if sheet.is_empty() { finding } else { finding.in_sheet(sheet) }
}

/// A fault of a row, where the clerk finds it.
fn of_row(row: &Row, fault: ChargingFault) -> Vec<Finding> {
    let findings = match fault {
        ChargingFault::Wrong(findings) => findings,
        other => {
            let en = other.to_string();
            vec![Finding::of("", &tollhouse_core::words::Words::new(chinese(&other), en))]
        }
    };
    let placed = findings.into_iter().map(|finding| {
        let finding = if finding.row.is_none() && row.line > 0 { finding.in_row(row.line) } else { finding };
        named(finding, row.kind.name())
    });
    placed.collect()
}

fn chinese(fault: &ChargingFault) -> String {
    match fault {
        ChargingFault::Unknown { kind, name } => format!("没有这个{}：{name}", of(kind)),
        ChargingFault::Exists { kind, name } => format!("{} {name} 已存在，且内容不同", of(kind)),
        _ => "与已有记录不符".to_owned(),
    }
}

fn of(kind: &str) -> &'static str {
    match kind {
        "space" => "车位",
        "pool" => "车位池",
        "holder" => "用户",
        "card" => "停车卡",
        "package" => "套餐",
        "fee item" => "费用项目",
        "use" => "用途",
        "merchant" => "商户",
        "batch" => "批次",
        _ => "记录",
    }
}

/// Whether there is a record under a key.
pub(super) fn is_there<T: tollhouse_core::record::Record>(
    records: &impl Records,
    key: &str,
) -> Result<bool, ChargingFault> {
    Ok(records.stored(T::TABLE, key)?.is_some())
}
