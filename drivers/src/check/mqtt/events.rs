//! Events: their form, their numbers, their times, and what must not be said at all.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use rumqttc::QoS;
use serde_json::{Value, json};

use super::super::report::Finding;
use super::bench::{Bench, Heard, word};
use crate::wire::{EventKind, MAX_PICTURE_BYTES, parse_event};

/// A device's clock that is further off is shown on the box.
const CLOCK_OFF: TimeDelta = TimeDelta::seconds(5);
/// So many reads are asked of a camera that takes `snapshot`.
const READS: usize = 3;

/// The events so far. A device that has sent none is asked for some, or its maker is given the time to provoke one.
fn told(bench: &mut Bench) -> Vec<Heard> {
    let is_event = |heard: &&Heard| heard.below.starts_with("event/");
    bench.mark();
    let expects = bench.meta().is_some_and(|meta| !meta.events.is_empty());
    if bench.log.iter().filter(is_event).count() < READS && expects {
        if bench.takes("snapshot") {
            for _ in 0..READS {
                let (_, since) = bench.command("snapshot", &json!({}), TimeDelta::seconds(10));
                bench.wait_for(bench.settle(), since, |heard| heard.below.starts_with("event/").then_some(()));
            }
        } else {
            bench.wait(0, |heard| heard.below.starts_with("event/").then_some(()));
        }
        bench.listen_for(bench.settle());
    }
    bench.log.iter().filter(is_event).cloned().collect()
}

fn no_events() -> Vec<Finding> {
    vec![Finding::skipped("it sent no event: let it read a plate while this runs, or let it take `snapshot`")]
}

/// A field of every event that is read as what it should be.
fn field<T>(heard: &Heard, name: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    serde_json::from_slice::<Value>(&heard.body).ok()?.get(name).and_then(read)
}

fn time(heard: &Heard, name: &str) -> Option<DateTime<Utc>> {
    field(heard, name, |value| value.as_str()?.parse::<DateTime<Utc>>().ok())
}

pub(super) fn form(bench: &mut Bench) -> Vec<Finding> {
    let events = told(bench);
    if events.is_empty() {
        return no_events();
    }
    let mut findings = Vec::new();
    for heard in &events {
        let kind = heard.below.trim_start_matches("event/");
        let read = EventKind::from_word(kind).map(|kind| parse_event(kind, &heard.body, heard.at));
        match read {
            None => findings
                .push(Finding::fail(format!("no event is called {kind:?}"), "plate, passed, button, code, alarm")),
            Some(Err((reason, why))) => {
                let what = format!("{} would be refused as {}: {why}", heard.below, reason.as_str());
                findings.push(Finding::fail(what, "see the event's schema in the contract"));
            }
            Some(Ok(_)) if field(heard, "boot_id", |value| value.as_str().map(str::to_owned)).is_none() => {
                findings.push(Finding::fail(format!("{} names no boot_id", heard.below), "the run that made it"));
            }
            Some(Ok(_)) => {}
        }
    }
    findings.dedup();
    findings
}

pub(super) fn declared(bench: &mut Bench) -> Vec<Finding> {
    let events = told(bench);
    let listed = bench.meta().map(|meta| meta.events).unwrap_or_default();
    let kinds: BTreeSet<&str> = events.iter().map(|heard| heard.below.trim_start_matches("event/")).collect();
    let missing =
        kinds.into_iter().filter(|kind| !listed.iter().any(|name| name.trim_start_matches("event/") == *kind));
    let findings: Vec<Finding> = missing
        .map(|kind| Finding::fail(format!("{kind} is sent, and not listed in meta"), "events: [\"plate\", ...]"))
        .collect();
    if events.is_empty() { no_events() } else { findings }
}

pub(super) fn ids(bench: &mut Bench) -> Vec<Finding> {
    let events = told(bench);
    let mut bodies: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for heard in &events {
        let id = word(&heard.body, "event_id");
        match bodies.get(&id) {
            Some(before) if *before != heard.body => {
                let advice = "a repetition is the same bytes; another event has another id, also after a restart";
                return vec![Finding::fail(format!("two different events are called {id:?}"), advice)];
            }
            _ => drop(bodies.insert(id, heard.body.clone())),
        }
    }
    if events.is_empty() { no_events() } else { vec![] }
}

pub(super) fn numbers(bench: &mut Bench) -> Vec<Finding> {
    let events = told(bench);
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for heard in events.iter().filter(|heard| seen.insert(word(&heard.body, "event_id"))) {
        let Some(seq) = field(heard, "seq", Value::as_u64) else {
            return vec![Finding::fail(format!("{} has no seq", heard.below), "count every event of a run, by one")];
        };
        let run = word(&heard.body, "boot_id");
        if let Some(before) = last.insert(run, seq).filter(|before| before + 1 != seq) {
            let what = format!("seq {seq} follows on {before}");
            return vec![Finding::fail(
                what,
                "a gap counts as an event that was lost: one count for all kinds of event",
            )];
        }
    }
    if events.is_empty() { no_events() } else { vec![] }
}

pub(super) fn times(bench: &mut Bench) -> Vec<Finding> {
    let events = told(bench);
    let mut findings = Vec::new();
    for heard in &events {
        let (Some(at), Some(sent_at)) = (time(heard, "at"), time(heard, "sent_at")) else {
            let what = format!("{} does not say both `at` and `sent_at` with an offset", heard.below);
            let advice =
                "RFC 3339 with milliseconds, as 2026-03-01T10:00:00.120+08:00: an event's age is the difference";
            findings.push(Finding::fail(what, advice));
            continue;
        };
        if at > sent_at {
            let what = format!("{} happened {} ms after it was sent", heard.below, (at - sent_at).num_milliseconds());
            findings.push(Finding::fail(what, "both by one clock, `at` first"));
        }
        if (sent_at - heard.at).abs() > CLOCK_OFF {
            let off = (sent_at - heard.at).num_seconds();
            findings
                .push(Finding::warn(format!("its clock is {off} s off"), "the box corrects for it; set a time server"));
        }
    }
    findings.dedup();
    if events.is_empty() { no_events() } else { findings }
}

pub(super) fn delivery(bench: &mut Bench) -> Vec<Finding> {
    told(bench);
    let wants_one = |heard: &&Heard| {
        !heard.below.starts_with("cmd/") && !heard.below.starts_with("blob/") && heard.qos == QoS::AtMostOnce
    };
    let topics: BTreeSet<String> = bench.log.iter().filter(wants_one).map(|heard| kind_of(&heard.below)).collect();
    topics
        .into_iter()
        .map(|topic| Finding::fail(format!("{topic} is sent with QoS 0, and may be lost"), "publish it with QoS 1"))
        .collect()
}

/// A topic without the ids in it.
fn kind_of(below: &str) -> String {
    match below.split_once('/') {
        Some((first @ ("ack" | "blob" | "cmd"), _)) => format!("{first}/..."),
        _ => below.to_owned(),
    }
}

pub(super) fn pictures(bench: &mut Bench) -> Vec<Finding> {
    let events: BTreeSet<String> = told(bench).iter().map(|heard| word(&heard.body, "event_id")).collect();
    let blobs: Vec<&Heard> = bench.log.iter().filter(|heard| heard.below.starts_with("blob/")).collect();
    if blobs.is_empty() {
        return vec![Finding::skipped("it sent no picture")];
    }
    let mut findings = Vec::new();
    for heard in blobs {
        let id = heard.below.trim_start_matches("blob/");
        if !heard.body.starts_with(&[0xff, 0xd8]) {
            findings.push(Finding::fail("a picture is no JPEG", "raw JPEG, no base64 and no JSON around it"));
        }
        if heard.body.len() > MAX_PICTURE_BYTES {
            findings.push(Finding::fail(format!("a picture of {} bytes", heard.body.len()), "at most 2 MiB"));
        }
        if !events.contains(id) {
            findings
                .push(Finding::fail(format!("a picture of {id:?}, which is no event"), "blob/{event_id} of its event"));
        }
    }
    findings.dedup();
    findings
}

pub(super) fn topics(bench: &mut Bench) -> Vec<Finding> {
    bench.mark();
    let known = |below: &str| match below.split_once('/') {
        None => matches!(below, "meta" | "availability"),
        Some((first, rest)) => matches!(first, "state" | "event" | "ack" | "cmd" | "blob") && !rest.contains('/'),
    };
    let strange: BTreeSet<&str> =
        bench.log.iter().map(|heard| heard.below.as_str()).filter(|below| !known(below)).collect();
    strange
        .into_iter()
        .map(|below| {
            Finding::fail(format!("{below} is no topic of the contract"), "what is not in it is counted and refused")
        })
        .collect()
}

pub(super) fn kept(bench: &mut Bench) -> Vec<Finding> {
    let kept = bench.kept();
    let wrong = |heard: &&Heard| ["event/", "ack/", "cmd/", "blob/"].iter().any(|first| heard.below.starts_with(first));
    let topics: BTreeSet<String> = kept.iter().filter(wrong).map(|heard| kind_of(&heard.below)).collect();
    topics
        .into_iter()
        .map(|topic| {
            let advice =
                "the retain flag is for meta, availability and state alone: a kept event comes again and again";
            Finding::fail(format!("{topic} is kept by the broker"), advice)
        })
        .collect()
}
