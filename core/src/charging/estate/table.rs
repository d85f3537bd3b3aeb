//! Reading a table of texts (a spreadsheet's sheet, a CSV file): columns by name in either language, faults by row.
//! It must not know what the columns mean.

use std::collections::BTreeMap;

use super::import::RowFault;
use crate::words::Words;

/// The most rows of one import; more come in parts.
pub(super) const MAX_ROWS: usize = 20_000;
/// The longest cell that is looked at, in characters.
const MAX_CELL: usize = 200;

/// A column: its name in records, and in Chinese.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) chinese: &'static str,
    pub(super) need: Need,
}

/// Whether a column has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Must,
    May,
}

/// Where each column stands.
pub(super) struct Header(BTreeMap<&'static str, usize>);

impl Header {
    /// Reads the first row; every fault of it at once.
    pub(super) fn read(row: &[String], columns: &[Column]) -> Result<Self, Vec<RowFault>> {
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
pub(super) struct Line<'t> {
    header: &'t Header,
    cells: &'t [String],
    /// Its number as the spreadsheet counts.
    row: usize,
    pub(super) faults: Vec<RowFault>,
}

impl<'t> Line<'t> {
    pub(super) fn new(header: &'t Header, cells: &'t [String], row: usize) -> Self {
        Self { header, cells, row, faults: vec![] }
    }

    /// The cell of a column; `None` when it is empty or the column is not there.
    pub(super) fn cell(&mut self, column: &'static str) -> Option<&'t str> {
        let cell = self.header.0.get(column).and_then(|place| self.cells.get(*place))?.trim();
        if cell.chars().nth(MAX_CELL).is_some() {
            self.fault(column, &Words::new("内容过长", "the cell is too long"));
            return None;
        }
        (!cell.is_empty()).then_some(cell)
    }

    /// The cell, read; what cannot be read or is empty is a fault.
    pub(super) fn must<T>(&mut self, column: &'static str, read: impl FnOnce(&str) -> Result<T, Words>) -> Option<T> {
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
    pub(super) fn may<T>(&mut self, column: &'static str, read: impl FnOnce(&str) -> Result<T, Words>) -> Option<T> {
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

    pub(super) fn fault(&mut self, column: &str, words: &Words) {
        self.faults.push(RowFault::new(self.row, column, &words.zh, &words.en));
    }
}
