//! Who the device is, whether it is there, and where its arm or loop stands.

use super::super::report::Finding;
use super::bench::{Bench, Heard, word};
use crate::event::{ChannelState, Position, Presence};
use crate::wire::{parse_availability, parse_meta, parse_state};

const KINDS: [&str; 7] = ["camera", "barrier", "display", "voice", "loop", "reader", "light"];
/// The words of the contract; another one begins with `x-`.
const COMMANDS: [&str; 9] =
    ["open", "close", "hold", "release", "display", "speak", "snapshot", "restart", "whitelist"];

pub(super) fn meta(bench: &mut Bench) -> Vec<Finding> {
    let kept = bench.kept();
    let Some(meta) = kept.iter().find(|heard| heard.below == "meta") else {
        let advice = "publish it once after signing in, with QoS 1 and the retain flag";
        let told = bench.log.iter().any(|heard| heard.below == "meta");
        let what = if told { "meta was published, but the broker does not keep it" } else { "there is no meta" };
        return vec![Finding::fail(what, advice)];
    };
    let meta = match parse_meta(&meta.body) {
        Ok(meta) => meta,
        Err((_, why)) => {
            return vec![Finding::fail(format!("meta cannot be read: {why}"), "see `meta` in the contract")];
        }
    };
    let mut findings = Vec::new();
    if meta.kinds.is_empty() {
        findings.push(Finding::fail("it says of no kind that it is one", format!("kinds: {}", KINDS.join(", "))));
    }
    for kind in meta.kinds.iter().filter(|kind| !KINDS.contains(&kind.as_str())) {
        findings.push(Finding::fail(format!("{kind:?} is no kind"), format!("kinds: {}", KINDS.join(", "))));
    }
    let strange = |name: &&String| !COMMANDS.contains(&name.as_str()) && !name.starts_with("x-");
    for name in meta.commands.iter().filter(strange) {
        let advice = format!("commands: {}; your own begin with x-", COMMANDS.join(", "));
        findings.push(Finding::fail(format!("{name:?} is no command of the contract"), advice));
    }
    if meta.boot_id.is_none() {
        findings.push(Finding::fail("meta names no boot_id", "draw a new one at each start of the device"));
    }
    if meta.kinds.iter().any(|kind| kind == "barrier") && !meta.commands.iter().any(|name| name == "open") {
        findings.push(Finding::fail("a barrier that does not list `open`", "list the commands that it takes"));
    }
    findings
}

pub(super) fn availability(bench: &mut Bench) -> Vec<Finding> {
    let kept = bench.kept();
    let Some(heard) = kept.iter().find(|heard| heard.below == "availability") else {
        return vec![Finding::fail("the broker keeps no availability", "publish it with QoS 1 and the retain flag")];
    };
    let said = match parse_availability(&heard.body) {
        Ok(said) => said,
        Err((_, why)) => return vec![Finding::fail(format!("it cannot be read: {why}"), "see `availability`")],
    };
    let mut findings = Vec::new();
    if said.presence == Presence::Offline {
        findings.push(Finding::fail("it is kept as offline, while the device talks", "say online after each sign-in"));
    }
    let meta = kept.iter().find(|heard| heard.below == "meta").and_then(|meta| parse_meta(&meta.body).ok());
    match (said.boot_id, meta.and_then(|meta| meta.boot_id)) {
        (None, _) => findings.push(Finding::fail("it names no boot_id", "the one of this start, in every message")),
        (Some(one), Some(other)) if one != other => {
            findings.push(Finding::fail(format!("its run is {one}, and meta's is {other}"), "one boot_id for a start"));
        }
        _ => {}
    }
    findings
}

/// An availability of this word, with its run.
fn said(heard: &Heard, presence: &str) -> Option<String> {
    (heard.below == "availability" && word(&heard.body, "state") == presence).then(|| word(&heard.body, "boot_id"))
}

pub(super) fn last_will(bench: &mut Bench) -> Vec<Finding> {
    let run = bench.meta().and_then(|meta| meta.boot_id).map(|boot| boot.to_string()).unwrap_or_default();
    let since = bench.mark();
    if let Err(why) = bench.cut() {
        let advice = "give --device-password-file, so that its connection can be cut";
        return vec![Finding::warn(format!("it could not be cut off: {why}"), advice)];
    }
    let Some(will) = bench.wait(since, |heard| said(heard, "offline")) else {
        let advice = "set a last will when connecting: availability, {\"state\":\"offline\",\"boot_id\":...}, QoS 1, retained; \
                      and sign in with the device id as client id";
        return vec![Finding::fail("its connection was cut, and nobody was told", advice)];
    };
    if will == run {
        return vec![];
    }
    let advice = "an offline of another run is ignored: the will carries the boot_id of the connection's own run";
    vec![Finding::fail(format!("its last will names the run {will:?}, and it runs as {run:?}"), advice)]
}

pub(super) fn sign_in_again(bench: &mut Bench) -> Vec<Finding> {
    let since = bench.mark();
    if let Err(why) = bench.cut() {
        return vec![Finding::skipped(format!("it could not be cut off: {why}"))];
    }
    if bench.wait(since, |heard| said(heard, "online")).is_none() {
        let advice = "connect again for ever, and say online after each sign-in";
        return vec![Finding::fail("cut off, it did not come back in time", advice)];
    }
    bench.listen_for(bench.settle());
    let kept = bench.kept();
    let last = kept.iter().find(|heard| heard.below == "availability").map(|heard| word(&heard.body, "state"));
    if last.as_deref() == Some("online") {
        return vec![];
    }
    let advice = "publish online with the retain flag, after the connection stands";
    vec![Finding::fail("it is back, and the broker keeps that it is offline", advice)]
}

pub(super) fn states(bench: &mut Bench) -> Vec<Finding> {
    bench.mark();
    let told: Vec<Heard> = bench.log.iter().filter(|heard| heard.below.starts_with("state/")).cloned().collect();
    let meta = bench.meta().unwrap_or_default();
    let is_kind = |kind: &str| meta.kinds.iter().any(|listed| listed == kind);
    if told.is_empty() {
        return vec![if is_kind("barrier") || is_kind("loop") {
            let advice =
                "publish state/barrier or state/loop whenever it changes, retained: openings are confirmed by it";
            Finding::warn("it is a barrier or a loop, and tells no state", advice)
        } else {
            Finding::skipped("it has no state")
        }];
    }
    let kept = bench.kept();
    let mut findings = Vec::new();
    for heard in &told {
        match parse_state(&heard.body) {
            Err((_, why)) => {
                findings.push(Finding::fail(format!("{}: {why}", heard.below), "see `state` in the contract"));
            }
            Ok(ChannelState::Barrier(Position::Unknown)) if word(&heard.body, "position") != "unknown" => {
                let what = format!("{}: {:?} is no position", heard.below, word(&heard.body, "position"));
                findings.push(Finding::fail(what, "position: up, down, moving, unknown"));
            }
            Ok(_) if !kept.iter().any(|kept| kept.below == heard.below) => {
                let what = format!("{} is not kept by the broker", heard.below);
                findings.push(Finding::fail(what, "publish states with the retain flag"));
            }
            Ok(_) => {}
        }
    }
    findings.dedup();
    findings
}

pub(super) fn alive(bench: &mut Bench) -> Vec<Finding> {
    let kept = bench.kept();
    let state = kept.iter().find(|heard| heard.below == "availability").map(|heard| word(&heard.body, "state"));
    if state.as_deref() == Some("online") {
        return vec![];
    }
    vec![Finding::fail("it is not online any more", "something above has ended it: look at its own log")]
}
