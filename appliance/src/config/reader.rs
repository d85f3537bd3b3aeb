//! Reads a TOML document key by key and keeps every fault with its line, instead of stopping at the first.
//!
//! Owns lines, faults and unknown keys; knows nothing of what the keys mean.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Fault;

/// The document, as far as it is not read yet, and what was wrong so far.
pub(super) struct Document<'t> {
    text: &'t str,
    table: DeTable<'t>,
    pub(super) faults: Vec<Fault>,
}

/// One table of it.
pub(super) struct Section<'t> {
    /// As people call it: `[lot]`, `[[lanes]] in-1`.
    pub(super) name: String,
    /// Where it begins.
    pub(super) line: usize,
    table: DeTable<'t>,
}

/// A value and the line where it stands.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) line: usize,
    pub(super) value: T,
}

impl<'t> Document<'t> {
    pub(super) fn parse(text: &'t str) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut document = Self { text, table: table.into_inner(), faults: Vec::new() };
        for error in errors {
            let line = error.span().map_or(0, |span| document.line(&span));
            document.fault(line, error.message().trim());
        }
        document
    }

    /// The whole result: a configuration without any fault, or the faults.
    pub(super) fn outcome<T>(mut self, config: Option<T>) -> Result<T, Vec<Fault>> {
        for (key, _) in std::mem::take(&mut self.table) {
            let line = self.line(&key.span());
            self.fault(line, format!("there is no section {:?}", key.get_ref()));
        }
        self.faults.sort();
        self.faults.dedup();
        match config {
            Some(config) if self.faults.is_empty() => Ok(config),
            _ => Err(self.faults),
        }
    }

    pub(super) fn fault(&mut self, line: usize, message: impl Into<String>) {
        self.faults.push(Fault { line, message: message.into() });
    }

    fn line(&self, span: &Range<usize>) -> usize {
        let end = span.start.min(self.text.len());
        self.text.get(..end).unwrap_or(self.text).matches('\n').count() + 1
    }

    /// The table `[name]`. A missing one is empty: what it must hold is then told as missing.
    pub(super) fn section(&mut self, name: &str) -> Section<'t> {
        let shown = format!("[{name}]");
        let Some(found) = self.table.remove(name) else {
            return Section { name: shown, line: 0, table: DeTable::new() };
        };
        let line = self.line(&found.span());
        self.as_section(shown, line, found)
    }

    /// The tables `[[name]]`.
    pub(super) fn sections(&mut self, name: &str, at_most: usize) -> Vec<Section<'t>> {
        let Some(found) = self.table.remove(name) else { return Vec::new() };
        let line = self.line(&found.span());
        let DeValue::Array(array) = found.into_inner() else {
            self.fault(line, format!("{name} is written as [[{name}]], once for each"));
            return Vec::new();
        };
        if array.len() > at_most {
            self.fault(line, format!("there are {} [[{name}]], and {at_most} are the most", array.len()));
            return Vec::new();
        }
        let tables: Vec<Spanned<DeValue<'t>>> = array.into_iter().collect();
        tables
            .into_iter()
            .map(|table| {
                let line = self.line(&table.span());
                self.as_section(format!("[[{name}]]"), line, table)
            })
            .collect()
    }

    fn as_section(&mut self, name: String, line: usize, found: Spanned<DeValue<'t>>) -> Section<'t> {
        let table = match found.into_inner() {
            DeValue::Table(table) => table,
            other => {
                self.fault(line, format!("{name} is a table, but this is of type {}", other.type_str()));
                DeTable::new()
            }
        };
        Section { name, line, table }
    }

    /// A section is read: what is left in it is unknown. `known` are its keys, to say what may have been meant.
    pub(super) fn close(&mut self, section: Section<'t>, known: &[&str]) {
        for (key, _) in section.table {
            let line = self.line(&key.span());
            let key: &str = key.get_ref();
            let meant = known.iter().find(|known| near(key, known));
            let hint =
                meant.map_or_else(|| format!("it knows {}", known.join(", ")), |m| format!("did you mean {m:?}?"));
            self.fault(line, format!("{} has no key {key:?}; {hint}", section.name));
        }
    }
}

/// Whether one letter more, less, other or a pair swapped makes `wrong` of `right`, or only case and `-`/`_` differ.
fn near(wrong: &str, right: &str) -> bool {
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let (wrong, right) = (plain(wrong), plain(right));
    let (a, b): (Vec<char>, Vec<char>) = (wrong.chars().collect(), right.chars().collect());
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let back = a[front..].iter().rev().zip(b[front..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (left_a, left_b) = (a.len() - front - back, b.len() - front - back);
    left_a.max(left_b) <= 1 || (left_a == 2 && left_b == 2 && a[front] == b[front + 1] && a[front + 1] == b[front])
}

impl<'t> Section<'t> {
    fn take(&mut self, document: &Document<'t>, key: &str) -> Option<At<DeValue<'t>>> {
        let found = self.table.remove(key)?;
        Some(At { line: document.line(&found.span()), value: found.into_inner() })
    }

    fn missing(&self, document: &mut Document<'t>, key: &str) {
        document.fault(self.line, format!("{} lacks {key:?}", self.name));
    }

    /// A text that `read` understands, with its line; `None` when it is absent or wrong (then told).
    pub(super) fn optional<T, E: Display>(
        &mut self,
        document: &mut Document<'t>,
        key: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<At<T>> {
        let found = self.take(document, key)?;
        let DeValue::String(text) = &found.value else {
            document.fault(
                found.line,
                format!("{key} is a text in quotes, but this is of type {}", found.value.type_str()),
            );
            return None;
        };
        match read(text) {
            Ok(value) => Some(At { line: found.line, value }),
            Err(error) => {
                document.fault(found.line, format!("{key}: {error}"));
                None
            }
        }
    }

    /// The same, and its absence is a fault.
    pub(super) fn required<T, E: Display>(
        &mut self,
        document: &mut Document<'t>,
        key: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<At<T>> {
        if !self.table.contains_key(key) {
            self.missing(document, key);
        }
        self.optional(document, key, read)
    }

    /// A whole number within limits; absent, it is `default`, or a fault without one.
    pub(super) fn integer<T>(
        &mut self,
        document: &mut Document<'t>,
        key: &str,
        limits: RangeInclusive<T>,
        default: Option<T>,
    ) -> Option<T>
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        let Some(found) = self.take(document, key) else {
            if default.is_none() {
                self.missing(document, key);
            }
            return default;
        };
        let number = found.value.as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        let number = number.and_then(|number| T::try_from(number).ok()).filter(|number| limits.contains(number));
        if number.is_none() {
            let (low, high) = (limits.start(), limits.end());
            document.fault(found.line, format!("{key} is a whole number from {low} to {high}, without quotes"));
        }
        number
    }

    /// A text, or a list of at least one and at most so many; absent or wrong, it is told.
    pub(super) fn one_or_more<T, E: Display>(
        &mut self,
        document: &mut Document<'t>,
        key: &str,
        at_most: usize,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<At<T>>> {
        let Some(found) = self.table.get(key) else {
            self.missing(document, key);
            return None;
        };
        if !found.get_ref().is_array() {
            return self.optional(document, key, read).map(|one| vec![one]);
        }
        let line = document.line(&found.span());
        let all = self.list(document, key, read);
        if (1..=at_most).contains(&all.len()) {
            return Some(all);
        }
        document.fault(line, format!("{key} is one text or a list of at most {at_most}"));
        None
    }

    /// A list of texts, each with its line; absent, it is empty.
    pub(super) fn list<T, E: Display>(
        &mut self,
        document: &mut Document<'t>,
        key: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<At<T>> {
        let Some(found) = self.take(document, key) else { return Vec::new() };
        let DeValue::Array(array) = found.value else {
            document.fault(
                found.line,
                format!("{key} is a list like [\"a\", \"b\"], but this is of type {}", found.value.type_str()),
            );
            return Vec::new();
        };
        let mut all = Vec::new();
        for item in array {
            let line = document.line(&item.span());
            match item.get_ref().as_str().map(&read) {
                Some(Ok(value)) => all.push(At { line, value }),
                Some(Err(error)) => document.fault(line, format!("{key}: {error}")),
                None => document.fault(
                    line,
                    format!("{key} holds texts in quotes, but this is of type {}", item.get_ref().type_str()),
                ),
            }
        }
        all
    }

    /// A table that somebody else understands, as JSON; absent, it is empty.
    pub(super) fn free_table(&mut self, document: &mut Document<'t>, key: &str) -> serde_json::Value {
        let empty = || serde_json::Value::Object(serde_json::Map::new());
        let Some(found) = self.take(document, key) else { return empty() };
        if !found.value.is_table() {
            document.fault(found.line, format!("{key} is a table, but this is of type {}", found.value.type_str()));
            return empty();
        }
        match json_of(&found.value) {
            Ok(value) => value,
            Err(what) => {
                document.fault(found.line, format!("{key} holds {what}, which a driver cannot be told"));
                empty()
            }
        }
    }
}

fn json_of(value: &DeValue<'_>) -> Result<serde_json::Value, &'static str> {
    Ok(match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Boolean(truth) => (*truth).into(),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| "a number beyond 64 bits")?.into()
        }
        DeValue::Float(number) => {
            let number: f64 = number.as_str().parse().map_err(|_| "a number that is none")?;
            serde_json::Number::from_f64(number).ok_or("an infinite number")?.into()
        }
        DeValue::Datetime(time) => time.to_string().into(),
        DeValue::Array(array) => {
            array.iter().map(|item| json_of(item.get_ref())).collect::<Result<Vec<_>, _>>()?.into()
        }
        DeValue::Table(table) => {
            let pairs = table.iter().map(|(key, item)| Ok((key.get_ref().to_string(), json_of(item.get_ref())?)));
            serde_json::Value::Object(pairs.collect::<Result<_, &'static str>>()?)
        }
    })
}

/// A step on the way to a value: a key, or the place in a list.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'s> {
    /// Into a table.
    Key(&'s str),
    /// Into a list, from 0.
    Place(usize),
}

/// The line where a value stands, or the last one on the way to it that is there; 0 when not even the first is.
pub(crate) fn line_at(text: &str, way: &[Step<'_>]) -> usize {
    let (table, _) = DeTable::parse_recoverable(text);
    let document = Document { text, table: DeTable::new(), faults: Vec::new() };
    let root = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
    let (mut at, mut line) = (&root, 0);
    for step in way {
        let next = match step {
            Step::Key(key) => at.get_ref().as_table().and_then(|table| table.get(*key)),
            Step::Place(place) => at.get_ref().as_array().and_then(|array| array.get(*place)),
        };
        let Some(next) = next else { break };
        at = next;
        line = document.line(&at.span());
    }
    line
}
