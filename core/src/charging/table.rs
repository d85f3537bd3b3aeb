//! Reading a table of texts (a spreadsheet's sheet, a CSV file): columns by name in either language, faults by row.
//! It must not know what the columns mean.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::words::Words;

/// The most rows of one table.
pub const MAX_ROWS: usize = 200_000;
/// The longest cell that is looked at, in characters.
const MAX_CELL: usize = 10_000;
/// The longest cell that holds a record as an export wrote it, in characters.
const MAX_RECORD_CELL: usize = 400_000;

/// A fault of a table, where the clerk finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The row as the spreadsheet counts: 1 is the header.
    pub row: usize,
    /// The column's name.
    pub column: String,
    /// What is wrong.
    pub text: Words,
}

impl RowFault {
    pub(in crate::charging) fn new(row: usize, column: &str, zh: &str, en: &str) -> Self {
        Self { row, column: column.to_owned(), text: Words::new(zh, en) }
    }
}

/// The column in which an export writes the whole record, so that nothing of it is lost.
pub(in crate::charging) const RECORD: &str = "record";

/// The record of a row, as an export wrote it. What the other cells say has to be what the record says: whoever changes a
/// cell and leaves the record would otherwise be passed over in silence.
pub(in crate::charging) fn recorded<T: DeserializeOwned>(
    line: &mut Line<'_>,
    columns: &[String],
    cells: impl Fn(&T) -> Vec<String>,
) -> Option<T> {
    let text = line.cell(RECORD)?;
    let record: T = match serde_json::from_str(text) {
        Ok(record) => record,
        Err(fault) => {
            line.fault(RECORD, &Words::new("完整记录无法读取", format!("the record cannot be read: {fault}")));
            return None;
        }
    };
    let shown = cells(&record);
    for (column, shown) in columns.iter().zip(&shown) {
        let said = line.text(column);
        if said.as_deref().is_some_and(|said| said != shown.trim()) {
            line.fault(
                column,
                &Words::new(
                    "与完整记录不一致：请改回，或清空“完整记录”一格",
                    format!("the record says {shown:?}: change it back, or empty the cell {RECORD:?}"),
                ),
            );
        }
    }
    Some(record)
}

/// The most faults that are told of one table: who has more has the wrong file.
pub const MAX_FAULTS: usize = 1_000;

/// Reads all rows under the header that are not empty, each by `read`; what it makes, or everything that is wrong.
pub(in crate::charging) fn read_rows(
    table: &[Vec<String>],
    columns: &[Column],
    mut read: impl FnMut(&mut Line<'_>),
) -> Result<(), Vec<RowFault>> {
    let Some((first, rows)) = table.split_first() else {
        return Err(vec![RowFault::new(1, "", "表格为空", "the table is empty")]);
    };
    if rows.len() > MAX_ROWS {
        return Err(vec![RowFault::new(1, "", "行数过多，请分批导入", "too many rows; import them in parts")]);
    }
    let header = Header::read(first, columns)?;
    let mut faults = Vec::new();
    let filled = |cells: &[String]| cells.iter().any(|cell| !cell.trim().is_empty());
    for (place, cells) in rows.iter().enumerate().filter(|(_, cells)| filled(cells)) {
        let mut line = Line::new(&header, cells, place + 2);
        read(&mut line);
        faults.append(&mut line.faults);
        if faults.len() >= MAX_FAULTS {
            break;
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// A column: its name in records, and in Chinese.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::charging) struct Column {
    pub(in crate::charging) name: &'static str,
    pub(in crate::charging) chinese: &'static str,
    pub(in crate::charging) need: Need,
}

/// Whether a column has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::charging) enum Need {
    Must,
    May,
}

/// Where each column stands.
pub(in crate::charging) struct Header(BTreeMap<&'static str, usize>);

impl Header {
    /// Reads the first row; every fault of it at once.
    pub(in crate::charging) fn read(row: &[String], columns: &[Column]) -> Result<Self, Vec<RowFault>> {
        let mut places = BTreeMap::new();
        let mut faults = Vec::new();
        for (place, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty()) {
            let cell = cell.trim();
            let known = columns.iter().find(|column| column.name.eq_ignore_ascii_case(cell) || column.chinese == cell);
            let shown: String = cell.chars().take(40).collect();
            match known {
                None => faults.push(RowFault::new(1, &shown, "没有这一列", "there is no such column")),
                Some(column) if places.insert(column.name, place).is_some() => {
                    faults.push(RowFault::new(1, &shown, "此列出现两次", "this column is there twice"));
                }
                Some(_) => {}
            }
        }
        let missing = columns.iter().filter(|column| column.need == Need::Must && !places.contains_key(column.name));
        faults.extend(missing.map(|column| RowFault::new(1, column.name, "缺少此列", "this column is missing")));
        if faults.is_empty() { Ok(Self(places)) } else { Err(faults) }
    }
}

/// One row under its header; collects what is wrong with it.
pub(in crate::charging) struct Line<'t> {
    header: &'t Header,
    cells: &'t [String],
    /// Its number as the spreadsheet counts.
    pub(in crate::charging) row: usize,
    pub(in crate::charging) faults: Vec<RowFault>,
}

impl<'t> Line<'t> {
    pub(in crate::charging) fn new(header: &'t Header, cells: &'t [String], row: usize) -> Self {
        Self { header, cells, row, faults: vec![] }
    }

    /// The cell of a column; `None` when it is empty or the column is not there.
    pub(in crate::charging) fn cell(&mut self, column: &'static str) -> Option<&'t str> {
        let cell = self.header.0.get(column).and_then(|place| self.cells.get(*place))?.trim();
        let most = if column == RECORD { MAX_RECORD_CELL } else { MAX_CELL };
        if cell.chars().nth(most).is_some() {
            self.fault(column, &Words::new("内容过长", "the cell is too long"));
            return None;
        }
        (!cell.is_empty()).then_some(cell)
    }

    /// What stands in a column of the header, without looking at its length; `None` where it is empty.
    fn text(&self, column: &str) -> Option<String> {
        let place = self.header.0.iter().find(|(name, _)| **name == column).map(|(_, place)| *place)?;
        self.cells.get(place).map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty())
    }

    /// The cell, read; what cannot be read or is empty is a fault.
    pub(in crate::charging) fn must<T>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(&str) -> Result<T, Words>,
    ) -> Option<T> {
        let before = self.faults.len();
        let Some(cell) = self.cell(column) else {
            if self.faults.len() == before {
                self.fault(column, &Words::new("不能为空", "must not be empty"));
            }
            return None;
        };
        self.read(column, cell, read)
    }

    /// The cell, read if it is not empty.
    pub(in crate::charging) fn may<T>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(&str) -> Result<T, Words>,
    ) -> Option<T> {
        let cell = self.cell(column)?;
        self.read(column, cell, read)
    }

    fn read<T>(&mut self, column: &'static str, cell: &str, read: impl FnOnce(&str) -> Result<T, Words>) -> Option<T> {
        match read(cell) {
            Ok(value) => Some(value),
            Err(words) => {
                self.fault(column, &words);
                None
            }
        }
    }

    pub(in crate::charging) fn fault(&mut self, column: &str, words: &Words) {
        self.faults.push(RowFault::new(self.row, column, &words.zh, &words.en));
    }
}
