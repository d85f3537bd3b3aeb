//! The camera's own list of plates (白名单), over MQTT: what it lets in by itself while the box is away.
//!
//! It owns the messages of one part and their order: plates are added, and with the last part the camera is asked what it
//! holds and what is not on the list is taken off. Each message waits for the reply of the one before. Pure.

use std::collections::{BTreeSet, VecDeque};

use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};
use tollhouse_sdk::{Pending, WhitelistPart, WhitelistPlate};

/// So many plates go in one message, and come in one answer.
const PLATES_IN_A_MESSAGE: usize = 50;
/// A camera that says that it holds more is not believed.
const MOST_HELD: usize = 50_000;
/// What is written where a pass has no end.
const NEVER: &str = "2099-12-31 23:59:59";
const ALWAYS: &str = "2000-01-01 00:00:00";

/// The plates of the list under way, part by part.
#[derive(Debug, Default)]
pub(crate) struct Coming {
    revision: String,
    next: u32,
    plates: BTreeSet<String>,
}

/// Why a part does not fit to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfOrder;

/// Whether the camera's list is whole with this part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whole {
    /// These plates and no others.
    With(BTreeSet<String>),
    NotYet,
}

impl Coming {
    /// Takes a part in; a part 1 begins anew.
    pub(crate) fn take(&mut self, part: &WhitelistPart) -> Result<Whole, OutOfOrder> {
        if part.part == 1 {
            *self = Self { revision: part.revision.clone(), next: 1, plates: BTreeSet::new() };
        }
        if part.revision != self.revision || part.part != self.next || part.part > part.parts {
            return Err(OutOfOrder);
        }
        self.next += 1;
        self.plates.extend(part.plates.iter().map(|listed| listed.plate.clone()));
        Ok(if part.part == part.parts { Whole::With(std::mem::take(&mut self.plates)) } else { Whole::NotYet })
    }
}

/// A part on its way to the camera.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) pending: Pending,
    pub(crate) until_ms: u64,
    messages: VecDeque<Value>,
    whole: Whole,
    held: Vec<String>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Adding,
    Asking,
    Removing,
}

impl Job {
    pub(crate) fn new(pending: Pending, until_ms: u64, part: &WhitelistPart, whole: Whole, zone: FixedOffset) -> Self {
        let messages = part.plates.chunks(PLATES_IN_A_MESSAGE).map(|some| {
            let records: Vec<Value> = some.iter().map(|listed| record(listed, zone)).collect();
            json!({"operator_type": "update_or_add", "dldb_rec": records})
        });
        Self { pending, until_ms, messages: messages.collect(), whole, held: Vec::new(), stage: Stage::Adding }
    }

    /// The next message; none when the camera has taken them all.
    pub(crate) fn next(&mut self) -> Option<Value> {
        if let Some(message) = self.messages.pop_front() {
            return Some(message);
        }
        match (self.stage, &self.whole) {
            (Stage::Adding, Whole::With(_)) => {
                self.stage = Stage::Asking;
                Some(self.question())
            }
            _ => None,
        }
    }

    fn question(&self) -> Value {
        json!({"operator_type": "select_fuzzy", "plate": "", "start_pos": self.held.len(),
            "select_count": PLATES_IN_A_MESSAGE})
    }

    /// The camera has replied: to a question with what it holds.
    pub(crate) fn replied(&mut self, reply: &Value) {
        let (Stage::Asking, Whole::With(plates)) = (self.stage, &self.whole) else { return };
        let page: Vec<String> = records(reply)
            .iter()
            .filter_map(|record| record.get("plate").and_then(Value::as_str))
            .map(str::to_owned)
            .collect();
        let more = page.len() >= PLATES_IN_A_MESSAGE && self.held.len() < MOST_HELD;
        self.held.extend(page);
        if more {
            let question = self.question();
            return self.messages.push_back(question);
        }
        self.stage = Stage::Removing;
        let gone = self.held.iter().filter(|plate| !plates.contains(*plate));
        self.messages.extend(gone.map(|plate| json!({"operator_type": "delete", "plate": plate})));
    }
}

fn record(listed: &WhitelistPlate, zone: FixedOffset) -> Value {
    let time = |text: &Option<String>, none: &str| {
        let at = text.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        at.map_or_else(|| none.to_owned(), |at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string())
    };
    json!({"plate": listed.plate, "enable": 1, "need_alarm": 0, "enable_time": time(&listed.from, ALWAYS),
        "overdue_time": time(&listed.until, NEVER), "time_seg_enable": 0, "seg_time_start": "00:00:00",
        "seg_time_end": "00:00:00", "context": "tollhouse"})
}

/// The records of an answer, however they are wrapped.
fn records(reply: &Value) -> Vec<Value> {
    fn find(value: &Value, depth: usize) -> Option<&Vec<Value>> {
        let object = value.as_object()?;
        if let Some(found) = object.get("dldb_rec") {
            return found.as_array();
        }
        object.values().find_map(|inner| find(inner, depth.checked_sub(1)?))
    }
    find(reply, 4).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(revision: &str, part: u32, parts: u32, plates: &[&str]) -> WhitelistPart {
        let listed = |plate: &&str| WhitelistPlate { plate: (*plate).to_owned(), from: None, until: None };
        let plates = plates.iter().map(listed).collect();
        WhitelistPart { device: "c".into(), revision: revision.into(), part, parts, plates }
    }

    #[test]
    fn parts_come_in_order_and_the_last_makes_the_list_whole() {
        let mut coming = Coming::default();
        assert_eq!(coming.take(&part("a", 2, 2, &[])), Err(OutOfOrder));
        assert_eq!(coming.take(&part("a", 1, 2, &["1"])), Ok(Whole::NotYet));
        assert_eq!(coming.take(&part("b", 2, 2, &["2"])), Err(OutOfOrder));
        assert_eq!(coming.take(&part("a", 2, 2, &["2"])), Ok(Whole::With(["1".to_owned(), "2".to_owned()].into())));
        assert_eq!(coming.take(&part("c", 1, 1, &[])), Ok(Whole::With(BTreeSet::new())), "a part 1 begins anew");
    }

    #[test]
    fn a_record_has_the_cameras_own_time() {
        let zone = FixedOffset::east_opt(8 * 3600).expect("an offset");
        let listed = WhitelistPlate { plate: "粤B1".into(), from: None, until: Some("2027-03-01T00:00:00Z".into()) };
        let record = record(&listed, zone);
        assert_eq!((&record["enable_time"], &record["overdue_time"]), (&json!(ALWAYS), &json!("2027-03-01 08:00:00")));
    }

    #[test]
    fn the_records_of_an_answer_are_found_however_they_are_wrapped() {
        let reply = json!({"code": 200, "payload": {"type": "x", "body": {"dldb_rec": [{"plate": "粤B1"}]}}});
        assert_eq!(records(&reply).len(), 1);
        assert_eq!(records(&json!({"code": 200, "payload": null})).len(), 0);
    }
}
