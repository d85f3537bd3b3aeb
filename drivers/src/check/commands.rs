//! Checks of commands: quick, completed once and in time, honest about what is unknown, calm under load and nonsense.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Value, json};

use super::bench::{Bench, WITHIN_MS, ended, order};
use super::report::Finding;
use super::script::{Call, Order, Phase, Record, Step};
use super::trial::Trial;

const QUICK_US: u64 = 50_000;
const UNSUPPORTED: i64 = 2;
/// A lane's clock is no finer.
const SLACK_MS: u64 = 20;
const BURST: usize = 200;
const NONSENSE: usize = 150;

/// What became of one command.
#[derive(Debug, Default, Clone)]
struct Fate {
    /// What `command` answered.
    answer: Option<i64>,
    /// Status, and how late it was.
    completions: Vec<(i32, u64)>,
}

impl Fate {
    /// The status that the lane would hear.
    fn status(&self) -> Option<i64> {
        match self.answer {
            Some(0) => self.completions.first().map(|(status, _)| i64::from(*status)),
            other => other,
        }
    }
}

/// Every command that was handed over, by its id.
fn fates(trial: &Trial) -> BTreeMap<String, Fate> {
    let mut fates: BTreeMap<String, Fate> = BTreeMap::new();
    for told in &trial.told {
        match &told.what {
            Record::Enter { call: Call::Command | Call::Replace, cmd_id } => {
                fates.entry(cmd_id.clone()).or_default();
            }
            Record::Leave { call: Call::Command | Call::Replace, cmd_id, answer, .. } => {
                fates.entry(cmd_id.clone()).or_default().answer = Some(*answer);
            }
            Record::Completed { cmd_id, status, deadline_passed_ms, .. } => {
                if let Some(fate) = fates.get_mut(&cmd_id.text) {
                    fate.completions.push((*status, deadline_passed_ms.unwrap_or(0)));
                }
            }
            _ => {}
        }
    }
    fates
}

/// Whether commands were completed once each, and only those that were taken.
fn once(trial: &Trial) -> Vec<Finding> {
    let fates = fates(trial);
    let mut findings = Vec::new();
    if let Some((id, fate)) = fates.iter().find(|(_, fate)| fate.completions.len() > 1) {
        findings.push(Finding::fail(
            format!("the command {id} was completed {} times", fate.completions.len()),
            "keep one owner for each pending command; completing takes it away",
        ));
    }
    if let Some((id, fate)) =
        fates.iter().find(|(_, fate)| fate.answer.is_some_and(|answer| answer != 0) && !fate.completions.is_empty())
    {
        findings.push(Finding::fail(
            format!(
                "command() refused {id} (status {}) and completed it all the same",
                fate.answer.unwrap_or_default()
            ),
            "either answer the status, or answer OK and complete",
        ));
    }
    let stranger = trial.told.iter().find_map(|told| match &told.what {
        Record::Completed { cmd_id, .. } if !fates.contains_key(&cmd_id.text) => Some(cmd_id.text.clone()),
        _ => None,
    });
    if let Some(id) = stranger {
        let shown: String = id.chars().take(64).collect();
        findings.push(Finding::fail(
            format!("it completes {shown:?}, which it was never given"),
            "copy the id of the command: the text is borrowed for the call",
        ));
    }
    let odd = trial.told.iter().find_map(|told| match &told.what {
        Record::Completed { status, .. } if !(0..=7).contains(status) => {
            Some(format!("a completion has the status {status}"))
        }
        Record::Completed { json, .. }
            if !json.text.is_empty() && serde_json::from_str::<Value>(&json.text).is_err() =>
        {
            Some("a completion's text is no JSON".to_owned())
        }
        _ => None,
    });
    findings.extend(odd.map(|what| Finding::fail(what, "see complete() in tollhouse_driver.h")));
    findings
}

/// Whether every taken command was completed by its deadline.
fn in_time(trial: &Trial) -> Vec<Finding> {
    let fates = fates(trial);
    let missing: Vec<&String> = fates
        .iter()
        .filter(|(_, fate)| fate.answer == Some(0) && fate.completions.is_empty())
        .map(|(id, _)| id)
        .collect();
    let mut findings = Vec::new();
    if let Some(id) = missing.first() {
        findings.push(Finding::fail(
            format!("{} taken command(s) were never completed, {id} for one", missing.len()),
            "complete as TIMEOUT or OFFLINE before the deadline when the device does not answer",
        ));
    }
    let late = fates.iter().find_map(|(id, fate)| {
        fate.completions.first().filter(|(_, late)| *late > SLACK_MS).map(|(_, late)| (id, late))
    });
    if let Some((id, late)) = late {
        findings.push(Finding::fail(
            format!("the command {id} was completed {late} ms after its deadline"),
            "by then the lane has given it up: set your own time limit below deadline_ms, and do not carry it out later",
        ));
    }
    findings
}

pub(super) fn declared(bench: &mut Bench) -> Vec<Finding> {
    if bench.orders("e").is_empty() {
        return vec![Finding::skipped("the descriptor lists no commands")];
    }
    let trial = bench.exercise();
    if let Some(finding) = ended(&trial) {
        return vec![finding];
    }
    let fates = fates(&trial);
    let mut known: BTreeMap<String, (bool, bool)> = BTreeMap::new();
    for order in bench.orders("e") {
        let status = fates.get(&order.cmd_id).and_then(Fate::status);
        let (supported, done) = known.entry(order.name).or_default();
        *supported |= status.is_some_and(|status| status != UNSUPPORTED);
        *done |= status == Some(0);
    }
    let mut findings: Vec<Finding> = known
        .iter()
        .filter(|(_, (supported, _))| !supported)
        .map(|(name, _)| {
            let what = format!("the descriptor lists {name:?}, and every device answers UNSUPPORTED");
            Finding::fail(what, "list only what command() takes, or take it")
        })
        .collect();
    if findings.is_empty() && known.values().all(|(_, done)| !done) {
        findings.push(Finding::warn(
            "no command was done: the device does not seem to be there",
            "check once more with a device, real or emulated, and its configuration (--config FILE)",
        ));
    }
    findings
}

pub(super) fn quick(bench: &mut Bench) -> Vec<Finding> {
    let mut middle = Vec::new();
    for round in 0..5 {
        for (number, one) in bench.orders("q").into_iter().enumerate() {
            middle.extend([Step::Command(Order { cmd_id: format!("q{round}-{number}"), ..one }), Step::Wait { ms: 5 }]);
        }
    }
    middle.push(Step::Settle { most_ms: WITHIN_MS });
    let trial = bench.hold(bench.life(middle));
    if let Some(finding) = ended(&trial) {
        return vec![finding];
    }
    let mut took: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (call, id, _, us) in trial.calls().filter(|(call, ..)| *call == Call::Command) {
        let _ = call;
        took.entry(id.split_once('-').map_or("", |(_, number)| number).to_owned()).or_default().push(us);
    }
    let orders = bench.orders("q");
    let advice = "hand the command to a thread, and complete it from there: the host's ping waits behind every call";
    // One slow call of five may be this machine's doing; three are the driver's.
    took.into_iter()
        .filter_map(|(number, mut all)| {
            all.sort_unstable();
            let (middle, worst) = (all[all.len() / 2], all[all.len() - 1]);
            let name = number
                .parse::<usize>()
                .ok()
                .and_then(|number| orders.get(number))
                .map_or("", |order| order.name.as_str());
            if middle > QUICK_US {
                Some(Finding::fail(
                    format!("command({name:?}) takes {} ms, at most 50 ms are allowed", middle / 1000),
                    advice,
                ))
            } else {
                (worst > QUICK_US).then(|| {
                    Finding::warn(
                        format!("command({name:?}) once took {} ms, at most 50 ms are allowed", worst / 1000),
                        advice,
                    )
                })
            }
        })
        .take(4)
        .collect()
}

/// One of each, with time to answer twice.
fn one_of_each(bench: &mut Bench, within_ms: impl Fn(usize) -> u64) -> Trial {
    let mut middle = Vec::new();
    for (number, one) in bench.taken_orders().into_iter().enumerate() {
        let within_ms = within_ms(number);
        let one = Order { cmd_id: format!("o{number}"), within_ms, ..one };
        middle.extend([Step::Command(one), Step::Settle { most_ms: within_ms + 50 }]);
    }
    middle.push(Step::Wait { ms: 800 });
    bench.hold(bench.life(middle))
}

pub(super) fn completed_once(bench: &mut Bench) -> Vec<Finding> {
    let trial = one_of_each(bench, |_| WITHIN_MS);
    ended(&trial).map_or_else(|| once(&trial), |finding| vec![finding])
}

pub(super) fn deadline(bench: &mut Bench) -> Vec<Finding> {
    let mut chance = bench.chance("command-deadline");
    let within: Vec<u64> = (0..64).map(|_| chance.u64(700..2500)).collect();
    let trial = one_of_each(bench, |number| within[number % within.len()]);
    let mut findings: Vec<Finding> = ended(&trial).into_iter().collect();
    if findings.is_empty() {
        findings = in_time(&trial);
    }
    findings
}

pub(super) fn unknown(bench: &mut Bench) -> Vec<Finding> {
    let device = bench.devices.first().cloned().unwrap_or_else(|| "device-in-1".to_owned());
    let known =
        bench.described.commands.iter().find(|name| *name != "reply").cloned().unwrap_or_else(|| "open".to_owned());
    let nobody = "nobody-in-99";
    let orders = [
        order("u-name", "x-nobody-knows-this", &device, 1500),
        order("u-device", &known, nobody, 1500),
        order("u-empty", "", &device, 1500),
    ];
    let mut middle = Vec::new();
    for one in &orders {
        middle.extend([Step::Command(one.clone()), Step::Settle { most_ms: 1500 }]);
    }
    let trial = bench.hold(bench.life(middle));
    if let Some(finding) = ended(&trial) {
        return vec![finding];
    }
    let fates = fates(&trial);
    let done = |id: &str| fates.get(id).and_then(Fate::status) == Some(0);
    let mut findings = Vec::new();
    if done("u-name") || done("u-empty") {
        findings.push(Finding::fail(
            "a command that nobody knows is answered OK",
            "answer UNSUPPORTED for a name that is not yours: the lane would believe that it was done",
        ));
    }
    if done("u-device") {
        findings.push(Finding::fail(
            format!("{known:?} for the device {nobody:?}, which is not configured, is answered OK"),
            "read `device` out of args, and answer INVALID when it is none of yours",
        ));
    }
    findings
}

pub(super) fn nonsense(bench: &mut Bench) -> Vec<Finding> {
    let mut chance = bench.chance("command-nonsense");
    let device = bench.devices.first().cloned().unwrap_or_else(|| "device-in-1".to_owned());
    let mut names: Vec<String> = bench.described.commands.clone();
    names.push("x-unknown".to_owned());
    let mut middle = Vec::new();
    for number in 0..NONSENSE {
        let name = names[chance.usize(..names.len())].clone();
        let args = json!({"device": device, "args": strange_args(number, &mut chance)}).to_string();
        let within_ms = chance.u64(1..400);
        middle.push(Step::Command(Order { cmd_id: format!("n{number}"), name, args, within_ms }));
        if chance.u8(..4) == 0 {
            middle.push(Step::Wait { ms: chance.u64(..20) });
        }
    }
    middle.push(Step::Settle { most_ms: 1000 });
    let trial = bench.hold(bench.life(middle));
    let Some(mut finding) = ended(&trial) else { return Vec::new() };
    let last = trial.told.iter().rev().find_map(|told| match &told.what {
        Record::Enter { call: Call::Command, cmd_id } => Some(cmd_id.clone()),
        _ => None,
    });
    let given = trial_args(bench, last.as_deref());
    finding.what = format!("{}, after a command with the args {given}", finding.what);
    vec![finding]
}

/// The args of a command of [`nonsense`], made again from the seed.
fn trial_args(bench: &Bench, cmd_id: Option<&str>) -> String {
    let mut chance = bench.chance("command-nonsense");
    let wanted = cmd_id.and_then(|id| id.strip_prefix('n')).and_then(|number| number.parse::<usize>().ok());
    let names = bench.described.commands.len() + 1;
    for number in 0..NONSENSE {
        let _ = chance.usize(..names);
        let args = strange_args(number, &mut chance);
        if Some(number) == wanted {
            return args.to_string().chars().take(160).collect();
        }
        let _ = chance.u64(1..400);
        if chance.u8(..4) == 0 {
            let _ = chance.u64(..20);
        }
    }
    "that were not kept".to_owned()
}

/// Args that fit no command, and are JSON: every form in turn, of a size by chance.
fn strange_args(number: usize, chance: &mut Rng) -> Value {
    let long: String = "欢".repeat(chance.usize(1..10_000));
    let deep = (0..chance.usize(1..60)).fold(json!({}), |inner, _| json!({"lines": [inner]}));
    let choices = [
        Value::Null,
        json!(-1),
        json!("text"),
        json!([]),
        json!([[], {}, null]),
        json!({"lines": 7, "text": {"a": []}}),
        json!({"lines": [1, null, {}], "text": null}),
        json!({"lines": vec!["x"; 2000]}),
        json!({"text": long.clone(), "lines": [long]}),
        json!({"text": "\u{0}\"\\%s%n\u{202e}", "lines": ["\u{0}%n", "🚗"]}),
        json!({"reply_token": 5, "open": "perhaps"}),
        json!({"reply_token": "never-given", "open": true}),
        deep,
        json!({"": ""}),
    ];
    let place = number % choices.len();
    choices.into_iter().nth(place).unwrap_or(Value::Null)
}

pub(super) fn burst(bench: &mut Bench) -> Vec<Finding> {
    let orders = bench.taken_orders();
    if orders.is_empty() {
        return vec![Finding::skipped("there are no commands")];
    }
    let mut middle: Vec<Step> = orders
        .iter()
        .cycle()
        .take(BURST)
        .enumerate()
        .map(|(number, one)| Step::Command(Order { cmd_id: format!("b{number}"), within_ms: WITHIN_MS, ..one.clone() }))
        .collect();
    middle.push(Step::Settle { most_ms: WITHIN_MS + 500 });
    let trial = bench.hold(bench.life(middle));
    if let Some(finding) = ended(&trial) {
        return vec![finding];
    }
    let mut findings: Vec<Finding> = once(&trial).into_iter().chain(in_time(&trial)).collect();
    for finding in &mut findings {
        finding.what = format!("of {BURST} commands at once: {}", finding.what);
    }
    findings
}

pub(super) fn slow_host(bench: &mut Bench) -> Vec<Finding> {
    let orders = bench.taken_orders();
    let numbered = |from: usize| -> Vec<Step> {
        let numbers = from..from + if orders.is_empty() { 0 } else { 6 };
        let order = |number: usize| Order { cmd_id: format!("s{number}"), ..orders[number % orders.len()].clone() };
        numbers.map(|number| Step::Command(order(number))).collect()
    };
    // Some in peace, some with stop on their heels.
    let mut middle = numbered(0);
    middle.push(Step::Settle { most_ms: 3000 });
    middle.extend(numbered(6));
    let mut steps = bench.life(middle);
    steps.push(Step::Wait { ms: 400 });
    let trial = bench.hold_with(steps, 40);
    let mut findings: Vec<Finding> = ended(&trial).into_iter().collect();
    if findings.is_empty() {
        findings = once(&trial);
    }
    let late = trial.told.iter().any(|told| {
        // What the host's own thread says in destroy is another check's.
        told.phase >= Phase::Stopped
            && !told.control
            && matches!(told.what, Record::Emit { .. } | Record::Completed { .. })
    });
    if late && findings.is_empty() {
        findings.push(Finding::fail(
            "a thread of it goes on after stop",
            "wait in stop until the thread has really ended, however long its emit takes",
        ));
    }
    for finding in &mut findings {
        finding.what = format!("with a host that takes 40 ms for each emit, complete and log: {}", finding.what);
    }
    findings
}

pub(super) fn whitelist(bench: &mut Bench) -> Vec<Finding> {
    if !bench.described.options.iter().any(|id| id == tollhouse_abi::WHITELIST) {
        return vec![Finding::skipped("the driver does not offer tollhouse.whitelist/1")];
    }
    let part = |cmd_id: &str, device: &str, part: u32, plates: Value| {
        let args = json!({"device": device, "revision": "7f3a", "part": part, "parts": 2, "plates": plates});
        Step::Replace(Order {
            cmd_id: cmd_id.to_owned(),
            name: String::new(),
            args: args.to_string(),
            within_ms: WITHIN_MS,
        })
    };
    let full: Value = (0..tollhouse_abi::WHITELIST_MAX_PLATES)
        .map(|number| json!({"plate": format!("粤C{number:05}"), "until": "2030-01-01T00:00:00+08:00"}))
        .collect();
    let settle = || Step::Settle { most_ms: WITHIN_MS + 100 };
    let mut middle = Vec::new();
    for (number, device) in bench.devices.iter().enumerate() {
        middle.push(Step::Capacity { device: device.clone() });
        middle.extend([part(&format!("w{number}-1"), device, 1, full.clone()), settle()]);
        middle.extend([part(&format!("w{number}-2"), device, 2, json!([{"plate": "粤C99999"}])), settle()]);
    }
    middle.extend([part("w-stranger", "nobody-in-99", 1, json!([])), settle()]);
    let broken = Order {
        cmd_id: "w-broken".to_owned(),
        name: String::new(),
        args: r#"{"part":"one"}"#.to_owned(),
        within_ms: 1000,
    };
    middle.extend([Step::Replace(broken), settle()]);
    let trial = bench.hold(bench.life(middle));
    if let Some(finding) = ended(&trial) {
        return vec![finding];
    }
    let mut findings: Vec<Finding> = once(&trial).into_iter().chain(in_time(&trial)).collect();
    let fates = fates(&trial);
    for (id, what) in
        [("w-stranger", "a list for a device that is not configured"), ("w-broken", "a part without device and plates")]
    {
        if fates.get(id).and_then(Fate::status) == Some(0) {
            findings.push(Finding::fail(format!("{what} is answered OK"), "answer INVALID"));
        }
    }
    findings
}
