//! Owns reading cells by the names of their columns, for both providers' statements. It must not know how cells are separated.

use tollhouse_core::money::{Currency, Money};

use crate::limits::{STATEMENT_BYTES, STATEMENT_COLUMNS, STATEMENT_ROW_BYTES};
use crate::malformed::StatementError;

/// A line of a statement, its number in the file, from 1, and its text without its end.
pub(crate) type Line<'a> = (usize, &'a str);

/// The lines of a statement, without their ends and without empty ones.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line)).filter(|(_, line)| !line.trim().is_empty())
}

/// That a statement is not larger than we take.
pub(crate) fn check_size(bytes: &[u8]) -> Result<(), StatementError> {
    if bytes.len() > STATEMENT_BYTES {
        Err(StatementError::TooLarge { what: "bytes", limit: STATEMENT_BYTES })
    } else {
        Ok(())
    }
}

/// That a line is not longer than we take.
pub(crate) fn check_line((number, text): Line<'_>) -> Result<(), StatementError> {
    if text.len() > STATEMENT_ROW_BYTES {
        Err(StatementError::line(number, format!("longer than {STATEMENT_ROW_BYTES} bytes")))
    } else {
        Ok(())
    }
}

/// The names of a table's columns.
pub(crate) struct Columns(Vec<String>);

impl Columns {
    /// Takes the names; each may stand once.
    pub(crate) fn new(line: usize, names: Vec<String>) -> Result<Self, StatementError> {
        if names.len() > STATEMENT_COLUMNS {
            return Err(StatementError::line(line, format!("more than {STATEMENT_COLUMNS} columns")));
        }
        let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
        match twice {
            Some((_, name)) => Err(StatementError::line(line, format!("the column {name:?} stands twice"))),
            None => Ok(Self(names)),
        }
    }

    /// One row under these names.
    pub(crate) fn row(&self, line: usize, cells: Vec<String>) -> Result<Cells<'_>, StatementError> {
        if cells.len() == self.0.len() {
            Ok(Cells { names: &self.0, line, values: cells })
        } else {
            Err(StatementError::line(line, format!("{} cells under {} columns", cells.len(), self.0.len())))
        }
    }
}

/// A row, cells by name.
pub(crate) struct Cells<'a> {
    names: &'a [String],
    pub(crate) line: usize,
    values: Vec<String>,
}

impl Cells<'_> {
    /// A cell that has to have a column.
    pub(crate) fn text(&self, name: &str) -> Result<&str, StatementError> {
        let at = self.names.iter().position(|known| known == name);
        let at = at.ok_or_else(|| StatementError::line(self.line, format!("there is no column {name}")))?;
        Ok(&self.values[at])
    }

    /// A cell that has to say something.
    pub(crate) fn word(&self, name: &str) -> Result<String, StatementError> {
        match self.text(name)? {
            "" => Err(StatementError::line(self.line, format!("{name} is empty"))),
            text => Ok(text.to_owned()),
        }
    }

    /// A cell that may be empty; a lone `0` stands for nothing too.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<String>, StatementError> {
        Ok(Some(self.text(name)?).filter(|text| !matches!(*text, "" | "0")).map(str::to_owned))
    }

    /// An amount in yuan, exact to the fen; a third decimal that is not zero is an error, an empty cell is not an amount.
    pub(crate) fn yuan(&self, name: &str) -> Result<Money, StatementError> {
        yuan(self.line, name, self.text(name)?)
    }
}

/// An amount in yuan, exact, of a sane size.
pub(crate) fn yuan(line: usize, name: &str, text: &str) -> Result<Money, StatementError> {
    let money = Money::parse(text, Currency::Cny).map_err(|fault| StatementError::money(line, name, &fault))?;
    if money.minor().unsigned_abs() > crate::limits::AMOUNT_MINOR.unsigned_abs() {
        return Err(StatementError::line(line, format!("{name}: an amount beyond all measure")));
    }
    Ok(money)
}

/// That a total which a statement announces is the one that its rows give.
pub(crate) fn check_total(what: &'static str, announced: Money, found: Money) -> Result<(), StatementError> {
    if announced == found {
        Ok(())
    } else {
        Err(StatementError::Totals { what, announced: announced.amount(), found: found.amount() })
    }
}

/// The same for a number of rows.
pub(crate) fn check_count(what: &'static str, announced: u64, found: usize) -> Result<(), StatementError> {
    if usize::try_from(announced) == Ok(found) {
        Ok(())
    } else {
        Err(StatementError::Totals { what, announced: announced.to_string(), found: found.to_string() })
    }
}
