//! Checks of what a driver says by itself: events, pictures, questions for a reply, log lines.

use std::collections::BTreeSet;

use serde_json::Value;
use tollhouse_core::id::DeviceId;

use super::bench::{Bench, ended};
use super::report::Finding;
use super::script::{Encoding, Record, Step};
use super::trial::Trial;
use crate::plugin;

const JPEG: [u8; 3] = [0xff, 0xd8, 0xff];
const MOST_A_SECOND: usize = 1000;
const MANY_A_SECOND: usize = 20;
const LONGEST_REPLY_MS: u64 = 10_000;
const SECOND_US: u64 = 1_000_000;

pub(super) fn text(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.exercise();
    let mut findings = BTreeSet::new();
    for (_, event, ..) in trial.emitted() {
        match event.encoding {
            Encoding::Null => findings.insert("an event is a null pointer with a length".to_owned()),
            Encoding::Broken => findings.insert(format!("an event is not UTF-8: {}", shown(&event.text))),
            Encoding::Utf8 if event.length > tollhouse_abi::MAX_JSON_BYTES as u64 => findings.insert(format!(
                "an event has {} bytes, at most {} are allowed",
                event.length,
                tollhouse_abi::MAX_JSON_BYTES
            )),
            Encoding::Utf8 => match serde_json::from_str::<Value>(&event.text) {
                Ok(_) => false,
                Err(fault) => findings.insert(format!("an event is no JSON ({fault}): {}", shown(&event.text))),
            },
        };
    }
    let advice = "make JSON with a library, or escape quotes, backslashes and control characters; GBK is not UTF-8";
    findings.into_iter().take(4).map(|what| Finding::fail(what, advice)).collect()
}

fn shown(text: &str) -> String {
    text.chars().take(120).collect()
}

/// The events that are JSON at all.
fn events(trial: &Trial) -> impl Iterator<Item = (u64, &str, Value)> {
    trial
        .emitted()
        .filter(|(_, event, ..)| event.encoding == Encoding::Utf8)
        .filter_map(|(told, event, ..)| Some((told.us, event.text.as_str(), serde_json::from_str(&event.text).ok()?)))
}

pub(super) fn form(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.exercise();
    let devices: Vec<DeviceId> = bench.devices.iter().filter_map(|name| DeviceId::new(name).ok()).collect();
    let mut faults = BTreeSet::new();
    for (_, text, _) in events(&trial) {
        if let Err((reason, detail)) = plugin::read_event(text, &devices) {
            faults.insert(format!("the box refuses {} ({reason:?}: {detail})", shown(text)));
        }
    }
    let advice = "topics and bodies are those of docs/asyncapi.yaml; the device is one of the configuration's";
    faults.into_iter().take(4).map(|what| Finding::fail(what, advice)).collect()
}

pub(super) fn declared(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.exercise();
    let emitted: BTreeSet<String> = events(&trial)
        .filter_map(|(_, _, event)| Some(event["topic"].as_str()?.to_owned()))
        .filter(|topic| topic.starts_with("event/") || topic.starts_with("state/"))
        .collect();
    let undeclared = emitted.iter().filter(|topic| !bench.described.events.contains(topic));
    let advice = "list every topic in `events` of the descriptor: the console shows people what a driver can tell";
    undeclared
        .map(|topic| Finding::fail(format!("it emits {topic:?}, which its descriptor does not list"), advice))
        .collect()
}

pub(super) fn pictures(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.exercise();
    let mut findings = Vec::new();
    let sizes = trial.emitted().map(|(_, _, bytes, ..)| bytes).max().unwrap_or(0);
    if sizes > tollhouse_abi::MAX_PICTURE_BYTES as u64 {
        findings.push(Finding::fail(
            format!("a picture has {sizes} bytes, at most {} are taken", tollhouse_abi::MAX_PICTURE_BYTES),
            "have the camera send a smaller one, or leave it out: emit takes nothing of an event whose picture is too large",
        ));
    }
    if trial.emitted().any(|(_, _, bytes, head, _)| {
        bytes > 0 && bytes <= tollhouse_abi::MAX_PICTURE_BYTES as u64 && !head.starts_with(&JPEG)
    }) {
        findings.push(Finding::fail(
            "a picture is no JPEG: it does not begin with FF D8 FF",
            "pictures are raw JPEG, not base64 and no other format",
        ));
    }
    findings
}

/// The most records of a kind within any second.
fn busiest_second(times: &[u64]) -> usize {
    let mut from = 0;
    let mut most = 0;
    for (to, time) in times.iter().enumerate() {
        while times[from] + SECOND_US <= *time {
            from += 1;
        }
        most = most.max(to + 1 - from);
    }
    most
}

pub(super) fn rate(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.hold(bench.life(vec![Step::Wait { ms: 2500 }]));
    let times: Vec<u64> = trial.emitted().map(|(told, ..)| told.us).collect();
    let most = busiest_second(&times);
    let advice =
        "emit what changes when it changes: the box hears at most 1000 frames a second, and emit blocks meanwhile";
    if most > MOST_A_SECOND {
        return vec![Finding::fail(format!("with nothing happening it emits {most} events a second"), advice)];
    }
    if let Some(finding) = ended(&trial) {
        return vec![finding];
    }
    if most > MANY_A_SECOND {
        return vec![Finding::warn(format!("with nothing happening it emits {most} events a second"), advice)];
    }
    Vec::new()
}

pub(super) fn log(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.exercise();
    let logged: Vec<_> = trial
        .of(|told| match &told.what {
            Record::Logged { level, message } => Some((told.us, *level, message)),
            _ => None,
        })
        .collect();
    let mut findings = Vec::new();
    if logged.iter().any(|(_, _, message)| message.encoding != Encoding::Utf8) {
        findings.push(Finding::fail("a log line is not UTF-8", "what devices say in GBK is turned into UTF-8 first"));
    }
    if let Some((_, level, _)) = logged.iter().find(|(_, level, _)| !(1..=4).contains(level)) {
        findings.push(Finding::fail(
            format!("a log line has the level {level}"),
            "levels are TOLLHOUSE_LOG_ERROR (1) to TOLLHOUSE_LOG_DEBUG (4)",
        ));
    }
    if logged.iter().any(|(_, _, message)| message.length > tollhouse_abi::MAX_LOG_BYTES as u64) {
        findings.push(Finding::warn(
            "a log line has more than 2 KiB; the rest is cut off",
            "log what helps, not whole messages of the device",
        ));
    }
    let times: Vec<u64> = logged.iter().map(|(us, ..)| *us).collect();
    let most = busiest_second(&times);
    if most > 200 {
        findings.push(Finding::warn(format!("it logs {most} lines a second"), "log at a change, not at every poll"));
    }
    findings
}

pub(super) fn replies(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.exercise();
    let mut tokens = BTreeSet::new();
    let mut faults = BTreeSet::new();
    for (us, _, event) in events(&trial) {
        let (token, by_ms) = (&event["reply_token"], &event["reply_by_ms"]);
        if token.is_null() && by_ms.is_null() {
            continue;
        }
        let now_ms = us / 1000;
        match token.as_str() {
            Some(token) if (1..=64).contains(&token.len()) => {
                if !tokens.insert(token.to_owned()) {
                    faults.insert("it uses a reply_token twice".to_owned());
                }
            }
            _ => drop(faults.insert("a reply_token is no text of 1 to 64 characters".to_owned())),
        }
        match by_ms.as_u64() {
            Some(by_ms) if by_ms > now_ms && by_ms <= now_ms + LONGEST_REPLY_MS => {}
            _ => drop(
                faults.insert(format!("reply_by_ms is {by_ms} at {now_ms}: at most 10 s from now_ms() are wanted")),
            ),
        }
        if event["topic"] != "event/plate" {
            faults.insert("only event/plate may ask for a reply".to_owned());
        }
    }
    if !tokens.is_empty() && !bench.described.commands.iter().any(|name| name == "reply") {
        faults.insert("it asks for replies, and its descriptor does not list the command \"reply\"".to_owned());
    }
    faults.into_iter().map(|what| Finding::fail(what, "see emit() and command() in tollhouse_driver.h")).collect()
}

#[cfg(test)]
mod tests {
    use super::busiest_second;

    #[test]
    fn the_busiest_second_is_found_wherever_it_lies() {
        assert_eq!(busiest_second(&[]), 0);
        assert_eq!(busiest_second(&[0, 400_000, 999_999, 1_000_000, 1_100_000, 5_000_000]), 4);
        assert_eq!(busiest_second(&[0, 1_000_000, 2_000_000]), 1);
    }
}
