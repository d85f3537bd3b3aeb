//! A .csv file: UTF-8, or GB 18030 as spreadsheets write it in China. A cell that a spreadsheet would take for a formula is
//! written with an apostrophe before it, and read without.

use tollhouse_core::charging::tables::Rows;

use super::{ChargingFault, push, unreadable};

/// What a spreadsheet takes a cell that begins so for.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Reads the rows of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Rows, ChargingFault> {
    let text = decoded(bytes)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = Rows::new();
    for record in reader.records() {
        let record = record.map_err(|fault| unreadable("CSV 文件无法读取", fault))?;
        push(&mut rows, record.iter().map(plain).collect())?;
    }
    Ok(rows)
}

fn decoded(bytes: &[u8]) -> Result<String, ChargingFault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    let (text, _, faulty) = encoding_rs::GB18030.decode(bytes);
    if faulty {
        return Err(unreadable("文件既不是 UTF-8 也不是 GB 18030", "it is neither UTF-8 nor GB 18030"));
    }
    Ok(text.into_owned())
}

fn plain(cell: &str) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA) => rest.to_owned(),
        _ => cell.to_owned(),
    }
}

/// Writes rows: UTF-8 with a mark, so that a spreadsheet shows Chinese.
pub(super) fn write(rows: &Rows) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(b"\xef\xbb\xbf".to_vec());
    for row in rows {
        let cells = row.iter().map(|cell| if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell.clone() });
        writer.write_record(cells.collect::<Vec<_>>()).expect("a vector takes every byte");
    }
    writer.into_inner().expect("a vector takes every byte")
}
