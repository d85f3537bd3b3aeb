//! Tables as files: .xlsx, .csv and .json in, the same out. Every size is bounded before it costs memory.
//! It must not know what a column means.

mod csv;
mod json;
mod xlsx;

use std::path::Path;

use tollhouse_core::charging::tables::Rows;

use super::fault::ChargingFault;

/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 64 << 20;
/// The most rows of a table, the header included.
const MAX_ROWS: usize = tollhouse_core::charging::table::MAX_ROWS + 1;
/// The most columns of a table.
const MAX_COLUMNS: usize = 64;
/// The most tables of one file.
const MAX_SHEETS: usize = 32;

/// The forms of a file, by its ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A workbook.
    Xlsx,
    /// One table, values parted by commas.
    Csv,
    /// One table as a list of objects, or several under their names.
    Json,
}

impl Format {
    /// By the ending of a name.
    pub fn of(name: &Path) -> Result<Self, ChargingFault> {
        let ending = name.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_ascii_lowercase();
        match ending.as_str() {
            "xlsx" => Ok(Self::Xlsx),
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            _ => {
                Err(ChargingFault::wrong("", "文件应为 .xlsx、.csv 或 .json", "the file ends in .xlsx, .csv or .json"))
            }
        }
    }
}

/// A table under its name; a file with one table may leave it without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// Its rows, the first the header.
    pub rows: Rows,
}

/// Reads the tables of a file.
pub fn read(bytes: &[u8], format: Format) -> Result<Vec<Sheet>, ChargingFault> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(large("文件超过 64 MiB", "the file is larger than 64 MiB"));
    }
    match format {
        Format::Xlsx => xlsx::read(bytes),
        Format::Csv => csv::read(bytes).map(|rows| vec![Sheet { name: String::new(), rows }]),
        Format::Json => json::read(bytes),
    }
}

/// The only table of a file, or the one of that name.
pub fn one(sheets: Vec<Sheet>, name: &str) -> Result<Rows, ChargingFault> {
    let named = |sheet: &Sheet| sheet.name.trim().eq_ignore_ascii_case(name);
    let at = match sheets.iter().position(named) {
        Some(at) => at,
        None if sheets.len() == 1 => 0,
        None => {
            let (zh, en) = (format!("文件中没有名为 {name} 的工作表"), format!("the file has no sheet called {name}"));
            return Err(ChargingFault::wrong("", zh, en));
        }
    };
    let mut sheets = sheets;
    Ok(sheets.swap_remove(at).rows)
}

/// Writes tables as a file. A .csv file holds one.
pub fn write(sheets: &[Sheet], format: Format) -> Result<Vec<u8>, ChargingFault> {
    match (format, sheets) {
        (Format::Xlsx, _) => xlsx::write(sheets),
        (Format::Json, _) => Ok(json::write(sheets)),
        (Format::Csv, [only]) => Ok(csv::write(&only.rows)),
        (Format::Csv, _) => Err(ChargingFault::wrong(
            "",
            "一个 .csv 文件只能有一张表：请用 .xlsx、.json 或文件夹",
            "a .csv file holds one table: write .xlsx, .json or a folder",
        )),
    }
}

fn large(zh: &str, en: &str) -> ChargingFault {
    ChargingFault::wrong("", zh, format!("{en}: import it in parts"))
}

fn unreadable(zh: &str, why: impl std::fmt::Display) -> ChargingFault {
    ChargingFault::wrong("", zh, format!("the file cannot be read: {why}"))
}

/// Adds a row within the bounds.
fn push(rows: &mut Rows, row: Vec<String>) -> Result<(), ChargingFault> {
    if rows.len() >= MAX_ROWS {
        return Err(large("行数过多", "the table has too many rows"));
    }
    if row.len() > MAX_COLUMNS {
        return Err(large("列数过多", "the table has more than 64 columns"));
    }
    rows.push(row);
    Ok(())
}

#[cfg(test)]
mod tests;
