//! A file as a tree of values with their places, whether it was TOML or JSON.
//! It must not know the keys of the language.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Faults;
use super::json;

/// The longest file that is read: the largest tariff that we know of is a hundredth of it.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// The most values in one file.
const MOST_VALUES: usize = 100_000;

/// A value and where it begins.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) at: usize,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    /// A number without quotes, as it was written.
    Number(String),
    Truth(bool),
    Nothing,
    List(Vec<Node>),
    Table(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: usize,
    pub(super) node: Node,
}

impl Value {
    /// What to call it in a sentence.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number without quotes",
            Self::Truth(_) => "true or false",
            Self::Nothing => "null",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Reads the text as JSON when it begins with a brace, else as TOML. `None` when a fault was told.
pub(super) fn read(text: &str, faults: &Faults<'_>) -> Option<Node> {
    if text.len() > MOST_BYTES {
        faults.tell_at(0, String::new(), format!("the file has {} bytes, and {MOST_BYTES} are the most", text.len()));
        return None;
    }
    let root = if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        json::read(text, faults)?
    } else {
        from_toml(text, faults)?
    };
    let values = count(&root);
    if values > MOST_VALUES {
        faults.tell_at(0, String::new(), format!("the file has {values} values, and {MOST_VALUES} are the most"));
        return None;
    }
    Some(root)
}

fn count(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Table(entries) => 1 + entries.iter().map(|entry| count(&entry.node)).sum::<usize>(),
        _ => 1,
    }
}

fn from_toml(text: &str, faults: &Faults<'_>) -> Option<Node> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        faults.tell_at(at, String::new(), format!("this is not TOML: {}", error.message().trim()));
    }
    errors.is_empty().then(|| Node { at: 0, value: Value::Table(entries(table.into_inner())) })
}

fn entries(table: DeTable<'_>) -> Vec<Entry> {
    let mut found: Vec<Entry> = table
        .into_iter()
        .map(|(key, value)| Entry { at: key.span().start, key: key.into_inner().into_owned(), node: node(value) })
        .collect();
    found.sort_by_key(|entry| entry.at);
    found
}

fn node(spanned: Spanned<DeValue<'_>>) -> Node {
    let at = spanned.span().start;
    let value = match spanned.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        // TOML has dates and times of its own; they are texts to us.
        DeValue::Datetime(moment) => Value::Text(moment.to_string()),
        DeValue::Integer(number) => Value::Number(number.to_string()),
        DeValue::Float(number) => Value::Number(number.to_string()),
        DeValue::Boolean(truth) => Value::Truth(truth),
        DeValue::Array(items) => Value::List(items.into_iter().map(node).collect()),
        DeValue::Table(table) => Value::Table(entries(table)),
    };
    Node { at, value }
}
