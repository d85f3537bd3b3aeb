//! The camera's own list of plates (白名单): what it lets in by itself while the box is away.
//!
//! It owns what is written to the camera for a part, and with the last part what is asked and taken off. It runs on a thread
//! of its own, so that no barrier waits for it. It must not know how plates come.

use std::collections::BTreeSet;
use std::sync::mpsc::Receiver;

use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};
use tollhouse_field::StopSignal;
use tollhouse_sdk::{Completion, Pending, Refusal, Status, WhitelistPart, WhitelistPlate};

use crate::device::{AskError, Device};
use crate::gate::Gate;
use crate::xml::Texts;

/// So many plates go in one request, and are taken off by one.
const PLATES_AT_ONCE: usize = 20;
/// So many records come in one answer.
const RECORDS_AT_ONCE: usize = 40;
/// A camera that says that it holds more is not believed.
const MOST_HELD: usize = 50_000;
/// The box waits for 30 s.
const WITHIN_MS: u64 = 28_000;

/// A part on its way to the camera.
pub(crate) struct Job {
    pub(crate) part: WhitelistPart,
    pub(crate) pending: Pending,
}

/// Writes parts until their sender is gone.
pub(crate) fn run(gate: &Gate, device: &Device, jobs: &Receiver<Job>, stop: &StopSignal) {
    let mut list = List { gate, device, stop, revision: String::new(), next: 1, plates: BTreeSet::new(), until_ms: 0 };
    while let Ok(Job { part, pending }) = jobs.recv() {
        match list.take(&part) {
            Ok(()) => pending.complete(Completion::Confirmed),
            Err(refusal) => pending.refuse(&refusal),
        }
    }
}

/// The list under way, part by part.
struct List<'a> {
    gate: &'a Gate,
    device: &'a Device,
    stop: &'a StopSignal,
    revision: String,
    next: u32,
    plates: BTreeSet<String>,
    until_ms: u64,
}

impl List<'_> {
    fn take(&mut self, part: &WhitelistPart) -> Result<(), Refusal> {
        if part.part == 1 {
            self.revision.clone_from(&part.revision);
            (self.next, self.plates) = (1, BTreeSet::new());
        }
        if part.revision != self.revision || part.part != self.next || part.part > part.parts {
            return Err(Refusal::new(Status::Invalid, "a part out of order"));
        }
        self.until_ms = self.gate.host.now_ms() + WITHIN_MS;
        for some in part.plates.chunks(PLATES_AT_ONCE) {
            let records: Vec<Value> = some.iter().map(|listed| record(listed, self.gate.config.zone())).collect();
            self.ask(
                "PUT",
                "licensePlateAuditData/record?format=json",
                &json!({"LicensePlateInfoList": records}).to_string(),
            )?;
        }
        self.next += 1;
        self.plates.extend(part.plates.iter().map(|listed| listed.plate.clone()));
        if part.part == part.parts { self.take_off() } else { Ok(()) }
    }

    /// What the camera holds and the list does not.
    fn take_off(&self) -> Result<(), Refusal> {
        let gone: Vec<Record> =
            self.held()?.into_iter().filter(|record| !self.plates.contains(&record.plate)).collect();
        for some in gone.chunks(PLATES_AT_ONCE) {
            let ids: Vec<&str> = some.iter().map(|record| record.id.as_str()).collect();
            let body = json!({"deleteAllEnabled": false, "id": ids}).to_string();
            self.ask("PUT", "DelLicensePlateAuditData?format=json", &body)?;
        }
        Ok(())
    }

    fn held(&self) -> Result<Vec<Record>, Refusal> {
        let mut held: Vec<Record> = Vec::new();
        loop {
            let question = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><LPListAuditSearchDescription><searchID>tollhouse</searchID>\
                 <maxResults>{RECORDS_AT_ONCE}</maxResults><searchResultPosition>{}</searchResultPosition>\
                 </LPListAuditSearchDescription>",
                held.len()
            );
            let answer = self.ask("POST", "searchLPListAudit", &question)?;
            let page = records(&Texts::read(&answer).unwrap_or_default());
            let more = page.len() >= RECORDS_AT_ONCE && held.len() < MOST_HELD;
            held.extend(page);
            if !more {
                // Its other list, of those who are kept out, is the estate's own.
                return Ok(held.into_iter().filter(|record| record.lets_in == LetsIn::Yes).collect());
            }
        }
    }

    fn ask(&self, method: &str, what: &str, body: &str) -> Result<Vec<u8>, Refusal> {
        if self.stop.is_stopped() || self.gate.host.now_ms() >= self.until_ms {
            return Err(Refusal::new(Status::Timeout, "the camera did not take its list in time"));
        }
        let target = format!("/ISAPI/Traffic/channels/{}/{what}", self.gate.config.channel);
        match self.device.ask_whole(method, &target, body) {
            Ok((200, answer)) if is_good(&answer) => Ok(answer),
            Ok((status, _)) => Err(Refusal::new(Status::Rejected, format!("the camera refuses its list: {status}"))),
            Err(fault) => {
                if matches!(fault, AskError::LockedOut) {
                    self.gate.is_locked_out();
                }
                Err(Refusal::new(Status::Offline, format!("the camera does not answer: {fault}")))
            }
        }
    }
}

/// Whether a camera lets in by a record, or keeps out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LetsIn {
    Yes,
    No,
}

/// A plate that the camera holds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    id: String,
    plate: String,
    lets_in: LetsIn,
}

/// An answer in JSON that says no is one with another status code than 1.
fn is_good(answer: &[u8]) -> bool {
    let code =
        serde_json::from_slice::<Value>(answer).ok().and_then(|said| said.get("statusCode").and_then(Value::as_i64));
    code.is_none_or(|code| code == 1)
}

/// The records of an answer: each begins with its id.
fn records(texts: &Texts) -> Vec<Record> {
    let mut found: Vec<Record> = Vec::new();
    for (name, text) in texts.all() {
        match (name, found.last_mut()) {
            ("id", _) => found.push(Record { id: text.to_owned(), plate: String::new(), lets_in: LetsIn::No }),
            ("licenseplate", Some(record)) => text.clone_into(&mut record.plate),
            // Written as whiteList or allowList, by the firmware.
            ("type" | "listtype", Some(record)) if text.starts_with("white") || text.starts_with("allow") => {
                record.lets_in = LetsIn::Yes;
            }
            _ => {}
        }
    }
    found
}

/// The camera counts by days: a pass is good to the end of its last one.
fn record(listed: &WhitelistPlate, zone: FixedOffset) -> Value {
    let day = |text: &Option<String>, none: &str| {
        let at = text.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        at.map_or_else(|| none.to_owned(), |at| at.with_timezone(&zone).format("%Y-%m-%d").to_string())
    };
    let from = day(&listed.from, "2000-01-01");
    json!({"LicensePlate": listed.plate, "listType": "whiteList", "createTime": format!("{from}T00:00:00"),
        "effectiveStartDate": from, "effectiveTime": day(&listed.until, "2099-12-31"), "id": ""})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_of_an_answer_are_read_whatever_the_firmware_calls_its_list() {
        let info = |id: &str, plate: &str, kind: &str| {
            format!(
                "<LicensePlateInfo><id>{id}</id><LicensePlate>{plate}</LicensePlate><type>{kind}</type></LicensePlateInfo>"
            )
        };
        let xml = format!(
            "<LPListAuditSearchResult xmlns=\"http://www.isapi.org/ver20/XMLSchema\"><LicensePlateInfoList>{}{}{}\
             </LicensePlateInfoList></LPListAuditSearchResult>",
            info("1", "粤B1", "whiteList"),
            info("2", "粤B2", "blackList"),
            info("3", "粤B3", "allowList"),
        );
        let found = records(&Texts::read(xml.as_bytes()).expect("XML"));
        let kinds: Vec<(&str, &str, LetsIn)> =
            found.iter().map(|record| (record.id.as_str(), record.plate.as_str(), record.lets_in)).collect();
        assert_eq!(kinds, [("1", "粤B1", LetsIn::Yes), ("2", "粤B2", LetsIn::No), ("3", "粤B3", LetsIn::Yes)]);
    }

    #[test]
    fn dates_are_the_cameras_own_days() {
        let zone = FixedOffset::east_opt(8 * 3600).expect("an offset");
        let until = Some("2027-02-28T20:00:00Z".to_owned());
        let record = record(&WhitelistPlate { plate: "粤B1".into(), from: None, until }, zone);
        assert_eq!(
            (&record["effectiveTime"], &record["effectiveStartDate"]),
            (&json!("2027-03-01"), &json!("2000-01-01"))
        );
    }
}
