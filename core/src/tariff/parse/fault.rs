//! What is wrong with a file, and where.
//! It must not know what the file is about.

use std::cell::RefCell;
use std::fmt;

/// One thing that is wrong with a file, its place, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The key, from the top: `scheme[2].rate[1].price`; empty when the whole file is meant.
    pub path: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// A place in a file: a byte offset and the key's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tariff) struct Place {
    pub(in crate::tariff) at: usize,
    pub(in crate::tariff) path: String,
}

/// The faults of one text, as they are found.
pub(in crate::tariff) struct Faults<'t> {
    text: &'t str,
    found: RefCell<Vec<Fault>>,
}

/// More are not told: who has this many has another problem.
const MOST_FAULTS: usize = 50;

impl<'t> Faults<'t> {
    pub(in crate::tariff) fn of(text: &'t str) -> Self {
        Self { text, found: RefCell::new(Vec::new()) }
    }

    pub(in crate::tariff) fn tell(&self, place: &Place, message: impl Into<String>) {
        self.tell_at(place.at, place.path.clone(), message);
    }

    pub(in crate::tariff) fn tell_at(&self, at: usize, path: String, message: impl Into<String>) {
        // Finding the line costs time, and a file can be all faults.
        if !self.is_full() {
            let (line, column) = self.position(at);
            self.push(Fault { line, column, path, message: message.into() });
        }
    }

    /// Whether more would not be told.
    pub(in crate::tariff) fn is_full(&self) -> bool {
        self.found.borrow().len() >= MOST_FAULTS
    }

    /// For checks that know the line alone: the column is that of its first word.
    pub(in crate::tariff) fn tell_line(&self, line: u32, path: String, message: impl Into<String>) {
        let text = self.text.lines().nth(line.saturating_sub(1) as usize).unwrap_or("");
        let column = text.chars().take_while(|c| c.is_whitespace()).count() + 1;
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        self.push(Fault { line: line.max(1), column, path, message: message.into() });
    }

    fn push(&self, fault: Fault) {
        let mut found = self.found.borrow_mut();
        if found.len() < MOST_FAULTS && !found.contains(&fault) {
            found.push(fault);
        }
    }

    pub(in crate::tariff) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// In the order of the file.
    pub(in crate::tariff) fn into_sorted(self) -> Vec<Fault> {
        let mut found = self.found.into_inner();
        found.sort();
        found
    }

    /// The line of a byte offset, from 1.
    pub(in crate::tariff) fn line(&self, at: usize) -> u32 {
        self.position(at).0
    }

    fn position(&self, at: usize) -> (u32, u32) {
        let mut end = at.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }
}
