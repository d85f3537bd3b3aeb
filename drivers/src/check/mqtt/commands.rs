//! Commands: answered, once, in time, and nothing but those.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::super::report::Finding;
use super::bench::{Bench, Heard, Keep, word};
use crate::wire::parse_ack;

/// As long as the box gives a command.
const WITHIN: TimeDelta = TimeDelta::seconds(10);
/// A list is longer on its way.
const LIST_WITHIN: TimeDelta = TimeDelta::seconds(30);
const PLATES_IN_A_PART: u32 = 200;

/// Arguments that a device may get.
fn args(name: &str) -> Value {
    match name {
        "display" => json!({"lines": ["粤B12345", "欢迎光临"]}),
        "speak" => json!({"text": "欢迎光临"}),
        _ => json!({}),
    }
}

/// The command that the others are tried with: `open` where there is one. None that moves or ends more than it has to.
fn chosen(bench: &Bench) -> Option<String> {
    let listed = bench.meta()?.commands;
    ["open", "snapshot", "display", "speak", "close"]
        .into_iter()
        .find(|name| listed.iter().any(|l| l == name))
        .map(str::to_owned)
}

fn nothing_to_try() -> Vec<Finding> {
    vec![Finding::skipped("it lists no command to try it with")]
}

/// Whether a message shows that a command was carried out: an arm or a light that changes, a plate that was read.
fn is_deed(heard: &Heard) -> bool {
    let moves = heard.below.starts_with("state/") && matches!(word(&heard.body, "position").as_str(), "up" | "moving");
    moves || heard.below.starts_with("event/")
}

fn took(word: &str) -> bool {
    matches!(word, "accepted" | "confirmed")
}

pub(super) fn answered(bench: &mut Bench) -> Vec<Finding> {
    let listed = bench.meta().map(|meta| meta.commands).unwrap_or_default();
    let mut findings = Vec::new();
    for name in listed.iter().filter(|name| !matches!(name.as_str(), "restart" | "whitelist")) {
        let (cmd_id, since) = bench.command(name, &args(name), WITHIN);
        let Some(first) = bench.ack(&cmd_id, since) else {
            let advice = "publish ack/{cmd_id} with accepted or rejected at once, then confirmed or failed";
            let what = format!("{name} was not answered");
            findings.push(match name.as_str() {
                // The contract lets them pass: the device counts as degraded.
                "display" | "close" | "speak" => Finding::warn(what, advice),
                _ => Finding::fail(what, advice),
            });
            continue;
        };
        bench.listen_for(bench.settle());
        let told = bench.acks(&cmd_id, since);
        if first != "rejected"
            && !told.iter().any(|word| matches!(word.as_str(), "confirmed" | "failed"))
            && name == "open"
        {
            let what = "open is accepted, and neither confirmed nor failed".to_owned();
            findings.push(Finding::warn(what, "confirmed when a position signal shows it: the lane awaits it"));
        }
        let told_up = bench.log.iter().any(|heard| word(&heard.body, "position") == "up");
        if name == "open" && told.iter().any(|word| word == "confirmed") && !told_up {
            let what = "open is confirmed, and no state says that the arm is up".to_owned();
            findings.push(Finding::warn(what, "confirmed comes from a position signal: tell it as state/barrier too"));
        }
    }
    if listed.is_empty() { vec![Finding::skipped("it lists no command")] } else { findings }
}

pub(super) fn twice(bench: &mut Bench) -> Vec<Finding> {
    let Some(name) = chosen(bench) else { return nothing_to_try() };
    let (cmd_id, since) = (bench.command_id(), bench.mark());
    let body = Bench::body(&cmd_id, &args(&name), WITHIN);
    bench.publish(&format!("cmd/{name}"), &body, Keep::No);
    if bench.ack(&cmd_id, since).is_none() {
        return vec![Finding::skipped("the command was not answered even once")];
    }
    bench.listen_for(bench.settle());
    let again = bench.mark();
    bench.publish(&format!("cmd/{name}"), &body, Keep::No);
    bench.listen_for(bench.settle());
    let (first, second) = (bench.acks(&cmd_id, since).len(), bench.acks(&cmd_id, again).len());
    let deed = bench.log.get(again..).into_iter().flatten().any(is_deed);
    let anew = bench.acks(&cmd_id, again).iter().any(|word| word == "accepted") && first > second;
    if deed || anew {
        let what = format!("{name} came twice under one cmd_id, and was carried out twice");
        return vec![Finding::fail(what, "remember the ids of the last commands, and drop one that comes again")];
    }
    vec![]
}

pub(super) fn expired(bench: &mut Bench) -> Vec<Finding> {
    let Some(name) = chosen(bench) else { return nothing_to_try() };
    bench.listen_for(bench.settle());
    let (cmd_id, since) = bench.command(&name, &args(&name), TimeDelta::seconds(-5));
    bench.listen_for(bench.settle());
    let deed = bench.log.get(since..).into_iter().flatten().any(is_deed);
    if deed || bench.acks(&cmd_id, since).iter().any(|word| took(word)) {
        let advice = "compare expires_at with your clock, and answer rejected: whoever it was meant for has gone";
        return vec![Finding::fail(format!("{name} ran out five seconds ago, and was carried out"), advice)];
    }
    vec![]
}

pub(super) fn unknown(bench: &mut Bench) -> Vec<Finding> {
    let (cmd_id, since) = bench.command("x-tollhouse-check", &json!({}), WITHIN);
    bench.listen_for(bench.settle());
    if bench.acks(&cmd_id, since).iter().any(|word| took(word)) {
        let what = "x-tollhouse-check, which nobody knows, is accepted".to_owned();
        return vec![Finding::fail(what, "answer rejected to what you do not carry out")];
    }
    vec![]
}

/// What should harm nobody.
fn nonsense(name: &str, cmd_id: &str) -> Vec<Vec<u8>> {
    let texts = [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[1,2,3]".to_owned(),
        format!("{{\"cmd_id\":{{}},\"expires_at\":7,\"args\":\"{name}\"}}"),
        format!("{{\"cmd_id\":\"{cmd_id}\"}}"),
        format!("{{\"cmd_id\":\"{cmd_id}\",\"expires_at\":\"tomorrow\",\"args\":{{}}}}"),
        format!(
            "{{\"cmd_id\":\"{cmd_id}\",\"expires_at\":\"2020-01-01T00:00:00Z\",\"args\":[{}]}}",
            "9,".repeat(9000) + "9"
        ),
    ];
    texts.into_iter().map(String::into_bytes).chain([vec![0xff, 0xfe, 0x00, 0x7b]]).collect()
}

pub(super) fn broken(bench: &mut Bench) -> Vec<Finding> {
    let Some(name) = chosen(bench) else { return nothing_to_try() };
    let (cmd_id, since) = (bench.command_id(), bench.mark());
    for body in nonsense(&name, &cmd_id) {
        bench.publish(&format!("cmd/{name}"), &body, Keep::No);
    }
    bench.listen_for(bench.settle());
    let mut findings = Vec::new();
    if bench.acks(&cmd_id, since).iter().any(|word| took(word)) {
        let what = "a command without a time at which it runs out is carried out".to_owned();
        findings.push(Finding::fail(what, "a command needs cmd_id, expires_at and args: drop it otherwise"));
    }
    let (cmd_id, since) = bench.command(&name, &args(&name), WITHIN);
    if bench.ack(&cmd_id, since).is_none() {
        let what = format!("after broken commands {name} is not answered any more");
        findings.push(Finding::fail(what, "catch what your JSON reader throws, and go on"));
    }
    findings
}

/// Published while the device is away, so that it comes with its next sign-in; a whole minute is left of its time.
pub(super) fn kept(bench: &mut Bench) -> Vec<Finding> {
    let Some(name) = chosen(bench) else { return nothing_to_try() };
    let (since, cmd_id, topic) = (bench.mark(), bench.command_id(), format!("cmd/{name}"));
    let body = Bench::body(&cmd_id, &args(&name), TimeDelta::seconds(60));
    if let Err(why) = bench.cut() {
        return vec![Finding::skipped(format!("it could not be cut off: {why}"))];
    }
    bench.publish(&topic, &body, Keep::Yes);
    let is_online = |heard: &Heard| heard.below == "availability" && word(&heard.body, "state") == "online";
    let back = bench.wait(since, |heard| is_online(heard).then_some(()));
    bench.listen_for(bench.settle());
    bench.publish(&topic, b"", Keep::Yes);
    bench.listen_for(bench.settle());
    let place = |wanted: &dyn Fn(&Heard) -> bool| bench.log.get(since..).into_iter().flatten().position(wanted);
    let (published, online) = (place(&|heard| heard.below == topic), place(&is_online));
    if back.is_none() || published > online {
        return vec![Finding::skipped("it was not away for long enough to find what the broker keeps")];
    }
    if bench.acks(&cmd_id, since).iter().any(|word| took(word)) {
        let advice = "look at the retain flag of what you receive, and drop a command that has it";
        return vec![Finding::fail(format!("{name} lay at the broker, and was carried out at the sign-in"), advice)];
    }
    vec![]
}

pub(super) fn whitelist(bench: &mut Bench) -> Vec<Finding> {
    if !bench.takes("whitelist") {
        return vec![Finding::skipped("it does not list `whitelist`: it opens for nobody by itself")];
    }
    let full: Vec<Value> = (0..PLATES_IN_A_PART)
        .map(|number| json!({"plate": format!("粤C{number:05}"), "until": "2030-01-01T00:00:00+08:00"}))
        .collect();
    let lists = [("check-1", vec![json!(full), json!([{"plate": "粤C99999"}])]), ("check-2", vec![json!([])])];
    for (revision, parts) in lists {
        let count = parts.len();
        for (place, plates) in parts.into_iter().enumerate() {
            let part = place + 1;
            let args = json!({"revision": revision, "part": part, "parts": count, "plates": plates});
            let (cmd_id, since) = bench.command("whitelist", &args, LIST_WITHIN);
            let topic = format!("ack/{cmd_id}");
            let end = bench.wait(since, |heard| {
                let told = word(&heard.body, "state");
                (heard.below == topic && told != "accepted").then_some(told)
            });
            if end.as_deref() != Some("confirmed") {
                let what = format!("part {part} of {count} was answered {}", end.as_deref().unwrap_or("by nothing"));
                return vec![Finding::fail(what, "confirmed when the device holds it; the next part comes after that")];
            }
        }
    }
    vec![]
}

pub(super) fn answers(bench: &mut Bench) -> Vec<Finding> {
    bench.mark();
    let mut findings = Vec::new();
    let mut ends: Vec<(String, String)> = Vec::new();
    for heard in bench.log.iter().filter(|heard| heard.below.starts_with("ack/")) {
        let cmd_id = heard.below.trim_start_matches("ack/").to_owned();
        let state = match parse_ack(&cmd_id, &heard.body) {
            Ok(_) => word(&heard.body, "state"),
            Err((_, why)) => {
                let what = format!("{}: {why}", heard.below);
                findings
                    .push(Finding::fail(what, "{\"state\":\"accepted|confirmed|rejected|failed\",\"reason\":\"...\"}"));
                continue;
            }
        };
        if !bench.sent.contains(&cmd_id) {
            findings.push(Finding::fail(
                format!("{cmd_id} was answered, and never sent"),
                "answer under the command's own id",
            ));
        }
        let before = ends.iter().find(|(id, _)| *id == cmd_id).map(|(_, end)| end.clone());
        match before {
            Some(end) if end != state => {
                let what = format!("a command was answered {state} after it was {end}");
                findings.push(Finding::fail(what, "confirmed, rejected and failed are the last word on a command"));
            }
            None if state != "accepted" => ends.push((cmd_id, state)),
            _ => {}
        }
    }
    if bench.sent.is_empty() && findings.is_empty() {
        return vec![Finding::skipped("no command was sent")];
    }
    findings.dedup();
    findings
}
