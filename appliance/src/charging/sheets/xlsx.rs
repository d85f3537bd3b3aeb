//! A workbook. What is packed in it is unpacked once with a bound before anything looks at it, and its cells are read as a
//! stream: a sheet that says it has a billion cells costs what it holds.

use std::io::{self, Cursor, Read};

use calamine::{DataRef, Reader, Xlsx};
use rust_xlsxwriter::{Workbook, XlsxError};
use tollhouse_core::charging::tables::Rows;

use super::{ChargingFault, MAX_COLUMNS, MAX_ROWS, MAX_SHEETS, Sheet, large, unreadable};

/// All that is packed in a workbook, unpacked, in bytes.
const MAX_UNPACKED_BYTES: u64 = 256 << 20;
/// Files in a workbook.
const MAX_PARTS: usize = 512;
/// All texts of a sheet together, in bytes.
const MAX_TEXT_BYTES: usize = 256 << 20;
/// The longest cell that a workbook holds, in characters.
const MAX_CELL_CHARS: usize = 32_767;

/// Reads the sheets of a workbook.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Sheet>, ChargingFault> {
    weigh(bytes)?;
    let broken = |fault: calamine::XlsxError| unreadable("Excel 文件无法读取", fault);
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let names = book.sheet_names();
    if names.len() > MAX_SHEETS {
        return Err(large("工作表过多", "the workbook has more than 32 sheets"));
    }
    let mut sheets = Vec::with_capacity(names.len());
    for name in names {
        let rows = sheet(&mut book, &name)?;
        sheets.push(Sheet { name, rows });
    }
    Ok(sheets)
}

/// Unpacks every part into nothing, and refuses what is larger than a workbook ever is, whatever it says of itself.
fn weigh(bytes: &[u8]) -> Result<(), ChargingFault> {
    let broken = |fault: zip::result::ZipError| unreadable("不是 Excel 文件", fault);
    let mut packed = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if packed.len() > MAX_PARTS {
        return Err(large("Excel 文件过大", "the workbook has too many parts"));
    }
    let mut left = MAX_UNPACKED_BYTES;
    for number in 0..packed.len() {
        let part = packed.by_index(number).map_err(broken)?;
        let read = io::copy(&mut part.take(left + 1), &mut io::sink());
        let read = read.map_err(|fault| unreadable("Excel 文件已损坏", fault))?;
        left = left.checked_sub(read).ok_or_else(|| {
            large("Excel 文件解压后超过 256 MiB", "the workbook is larger than 256 MiB when it is unpacked")
        })?;
    }
    Ok(())
}

fn sheet<R: io::Read + io::Seek>(book: &mut Xlsx<R>, name: &str) -> Result<Rows, ChargingFault> {
    let broken = |fault: calamine::XlsxError| unreadable("工作表无法读取", format!("{name}: {fault}"));
    let mut cells = book.worksheet_cells_reader(name).map_err(broken)?;
    let mut rows = Rows::new();
    let mut bytes = 0;
    while let Some(cell) = cells.next_cell().map_err(broken)? {
        let (row, column) = cell.get_position();
        let text = text(cell.get_value());
        if text.is_empty() {
            continue;
        }
        let (row, column) = (row as usize, column as usize);
        if row >= MAX_ROWS {
            return Err(large("行数过多", "the sheet has too many rows"));
        }
        if column >= MAX_COLUMNS {
            return Err(large("列数过多", "the sheet has more than 64 columns"));
        }
        bytes += text.len();
        if bytes > MAX_TEXT_BYTES {
            return Err(large("工作表过大", "the sheet has too much text"));
        }
        if rows.len() <= row {
            rows.resize(row + 1, vec![]);
        }
        let there = &mut rows[row];
        if there.len() <= column {
            there.resize(column + 1, String::new());
        }
        there[column] = text;
    }
    Ok(rows)
}

fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        // The shortest text that is this number again: 12.5, not 12.50000001.
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::DateTime(at) => match at.to_ymd_hms_milli() {
            (year, month, day, 0, 0, 0, _) => format!("{year:04}-{month:02}-{day:02}"),
            (year, month, day, hour, minute, second, _) => {
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
            }
        },
        DataRef::Error(_) => "#ERROR".to_owned(),
        DataRef::Empty => String::new(),
    }
}

/// Writes sheets as a workbook, every cell a text.
pub(super) fn write(sheets: &[Sheet]) -> Result<Vec<u8>, ChargingFault> {
    let failed = |fault: XlsxError| unreadable("Excel 文件无法写入", fault);
    let mut book = Workbook::new();
    for sheet in sheets {
        let page = book.add_worksheet();
        page.set_name(if sheet.name.is_empty() { "sheet" } else { &sheet.name }).map_err(failed)?;
        page.set_freeze_panes(1, 0).map_err(failed)?;
        for (row, cells) in (0u32..).zip(&sheet.rows) {
            for (column, cell) in (0u16..).zip(cells) {
                if cell.chars().count() > MAX_CELL_CHARS {
                    let en = "a record is too long for a workbook: export it as .csv or .json";
                    return Err(ChargingFault::wrong("", "记录过长，请导出为 .csv 或 .json", en));
                }
                if !cell.is_empty() {
                    page.write_string(row, column, cell).map_err(failed)?;
                }
            }
        }
    }
    book.save_to_buffer().map_err(failed)
}
