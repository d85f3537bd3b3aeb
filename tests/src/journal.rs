//! Owns what a test asks of a stopped box's journal: which events, commands and stays are in it. It reads through the
//! store's own reader, which checks the chain as it goes, and trusts nothing else of the box.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde_json::Value;
use tollhouse::store::journal;

/// What a journal holds, in the words of the outer contracts.
#[derive(Debug, Default)]
pub struct Journal {
    /// Entries in it.
    pub entries: usize,
    /// Ids of events that led to something.
    pub events: BTreeSet<String>,
    /// Ids of commands that were decided.
    pub commands: BTreeSet<String>,
    /// The stays of each plate, by their ids.
    pub stays: BTreeMap<String, BTreeSet<String>>,
    /// Events that were decided on more than once.
    pub decided_twice: Vec<String>,
    /// Changes of drivers, in order.
    pub drivers: Vec<DriverChange>,
    decided: BTreeSet<String>,
}

/// What a journal says of a change of the box's drivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverChange {
    /// What it was, as `driver.upgraded`.
    pub kind: String,
    /// Who wanted it; of the box itself, nobody.
    pub by: Option<String>,
    /// Why.
    pub reason: String,
}

impl fmt::Display for DriverChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}: {}", self.kind, self.by.as_deref().unwrap_or("the box"), self.reason)
    }
}

impl Journal {
    /// Reads the journal of a box that does not run.
    ///
    /// # Panics
    /// When an entry cannot be read: that is what the tests are about.
    pub fn read(data: &Path) -> Self {
        let mut found = Self::default();
        for entry in journal::read(data).expect("the journal can be opened") {
            let entry = entry.unwrap_or_else(|fault| panic!("the journal is broken: {fault}"));
            found.take(&serde_json::to_value(&entry.change).expect("a change serialises"));
        }
        found
    }

    /// Every record that was written to this table, in order.
    ///
    /// # Panics
    /// When an entry cannot be read.
    pub fn records(data: &Path, table: &str) -> Vec<Value> {
        let mut found = Vec::new();
        for entry in journal::read(data).expect("the journal can be opened") {
            let entry = entry.unwrap_or_else(|fault| panic!("the journal is broken: {fault}"));
            let change = serde_json::to_value(&entry.change).expect("a change serialises");
            let puts = change["ops"].as_array().into_iter().flatten().filter_map(|op| op.get("put"));
            found.extend(puts.filter(|put| put["table"] == table).map(|put| put["record"].clone()));
        }
        found
    }

    /// Every posting, in order: account, and amount in smallest units, positive for a debit.
    ///
    /// # Panics
    /// When an entry cannot be read.
    pub fn postings(data: &Path) -> Vec<(String, i64)> {
        let mut found = Vec::new();
        for entry in journal::read(data).expect("the journal can be opened") {
            let change = entry.unwrap_or_else(|fault| panic!("the journal is broken: {fault}")).change;
            found.extend(change.postings.iter().map(|line| (line.account.to_string(), line.amount.minor())));
        }
        found
    }

    /// Refunds that are not done: their state and what they are about, in smallest units.
    ///
    /// # Panics
    /// When an entry cannot be read.
    pub fn open_refunds(data: &Path) -> Vec<(String, i64)> {
        let mut last = BTreeMap::new();
        for refund in Self::records(data, "refunds") {
            let refund: tollhouse_core::pay::Refund = serde_json::from_value(refund).expect("a refund");
            last.insert(refund.id, refund);
        }
        let open = last.into_values().filter(|refund| refund.state != tollhouse_core::pay::RefundState::Done);
        let word = |state| serde_json::to_value(state).ok().and_then(|word| word.as_str().map(str::to_owned));
        open.map(|refund| (word(refund.state).unwrap_or_default(), refund.amount.minor())).collect()
    }

    fn take(&mut self, change: &Value) {
        self.entries += 1;
        if let Some(kind) = change["kind"].as_str().filter(|kind| kind.starts_with("driver.")) {
            let (person, own) = (&change["cause"]["person"], &change["cause"]["box"]);
            let reason = person["reason"].as_str().or(own.as_str()).unwrap_or_default().to_owned();
            let by = person["name"].as_str().map(str::to_owned);
            self.drivers.push(DriverChange { kind: kind.to_owned(), by, reason });
        }
        if let Some(event) = change["cause"]["event"]["event_id"].as_str() {
            self.events.insert(event.to_owned());
            if change["kind"] == "passage.decided" && !self.decided.insert(event.to_owned()) {
                self.decided_twice.push(event.to_owned());
            }
        }
        for put in change["ops"].as_array().into_iter().flatten().filter_map(|op| op.get("put")) {
            gather(&put["record"], "cmd_id", &mut self.commands);
            gather(&put["record"], "event_id", &mut self.events);
            if put["table"] == "events" {
                // The key is the device and the event's id; a test's ids are told apart by their end.
                let key = put["key"].as_str().unwrap_or_default();
                self.events.insert(key.rsplit('/').next().unwrap_or(key).to_owned());
            }
            if put["table"] == "stays" {
                let plate = put["record"]["plate"].as_str().unwrap_or_default().to_owned();
                let id = put["record"]["id"].as_str().unwrap_or_default().to_owned();
                self.stays.entry(plate).or_default().insert(id);
            }
        }
    }
}

/// All texts under this name, at any depth.
fn gather(value: &Value, name: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                match inner.as_str() {
                    Some(text) if key == name => drop(into.insert(text.to_owned())),
                    _ => gather(inner, name, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, name, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decision(event: &str, stay: &str) -> Value {
        json!({"kind": "passage.decided", "cause": {"event": {"device": "cam-in-1", "event_id": event}}, "ops": [
            {"put": {"table": "stays", "key": stay, "record": {"id": stay, "plate": "粤A00001"}}},
            {"put": {"table": "passages", "key": "p", "record": {"id": "p", "grant": {"command": {"cmd_id": "c1"}}}}}]})
    }

    #[test]
    fn events_commands_and_stays_are_found_wherever_they_stand() {
        let mut journal = Journal::default();
        journal.take(&decision("e1", "s1"));
        journal.take(&json!({"kind": "event.noted", "cause": "time", "ops": [
            {"put": {"table": "events", "key": "cam-in-1/e2", "record": {}}}, {"count": {"counter": "x", "by": 1}}]}));
        assert_eq!(journal.entries, 2);
        assert!(journal.events.contains("e1") && journal.events.contains("e2"));
        assert!(journal.commands.contains("c1"));
        assert_eq!(journal.stays["粤A00001"].len(), 1);
        assert!(journal.decided_twice.is_empty());
    }

    #[test]
    fn a_stay_that_was_made_twice_shows() {
        let mut journal = Journal::default();
        journal.take(&decision("e1", "s1"));
        journal.take(&decision("e1", "s2"));
        assert_eq!(journal.decided_twice, ["e1"]);
        assert_eq!(journal.stays["粤A00001"].len(), 2);
    }
}
