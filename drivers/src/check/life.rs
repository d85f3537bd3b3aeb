//! Checks of an instance's life: configurations, create, start, stop, and what is left behind.

use super::bench::{Bench, WITHIN_MS, ended, measure};
use super::configuration;
use super::report::Finding;
use super::script::{Call, Phase, Record, Step};
use super::trial::Trial;

const CREATE_MS: u64 = 5000;
const STOP_MS: u64 = 2000;
const VARIED: usize = 4;
const STRANGE: usize = 10;
const STOPS: usize = 6;

fn text_of(status: i64) -> &'static str {
    tollhouse_abi::Status::from_code(i32::try_from(status).unwrap_or(-1)).words()
}

/// What create or start refused, if one did.
fn refused(trial: &Trial) -> Option<(Call, i64)> {
    [Call::Create, Call::Start]
        .into_iter()
        .find_map(|call| trial.answer_of(call).filter(|answer| *answer != 0).map(|answer| (call, answer)))
}

fn too_long(trial: &Trial) -> Vec<Finding> {
    let took = |call: Call| trial.calls().find(|(made, ..)| *made == call).map_or(0, |(.., took_us)| took_us / 1000);
    let stopping = took(Call::Stop) + took(Call::Destroy);
    let mut findings = Vec::new();
    for (name, took, most) in [
        ("create", took(Call::Create), CREATE_MS),
        ("start", took(Call::Start), CREATE_MS),
        ("stop and destroy", stopping, STOP_MS),
    ] {
        if took > most {
            let advice =
                "the box kills a driver that takes longer: begin slow work in a thread, and end it by a signal to it";
            findings.push(Finding::fail(format!("{name} took {took} ms, at most {most} ms are allowed"), advice));
        }
    }
    findings
}

pub(super) fn config(bench: &mut Bench) -> Vec<Finding> {
    if let Some(why) = &bench.no_config {
        let advice = "give \"default\" or \"examples\" in the schema, or a configuration with --config FILE";
        return vec![Finding::fail(format!("no configuration could be made from the schema: {why}"), advice)];
    }
    let mut findings = Vec::new();
    if bench.devices.is_empty() {
        findings.push(Finding::fail(
            "the configuration names no device, so the box cannot know whom the driver speaks for",
            "mark the fields with \"format\":\"tollhouse-device\", or give the names with --device NAME",
        ));
    }
    let (schema, mut chance) = (bench.schema(), bench.chance("config"));
    let mut configs = vec![bench.config.clone()];
    configs.extend((0..VARIED).filter_map(|_| configuration::varied(&schema, &mut chance)));
    configs.dedup();
    for config in configs {
        let trial = bench.hold(vec![Step::Load, Step::Create { config: config.to_string() }, Step::Destroy]);
        findings.extend(ended(&trial));
        if let Some(answer) = trial.answer_of(Call::Create).filter(|answer| *answer != 0) {
            let why = trial.last_error().unwrap_or("it does not say why");
            findings.push(Finding::fail(
                format!("create refuses {config}, which fits the schema: {} ({why})", text_of(answer)),
                "let the schema say what is needed (required, minimum, pattern), so that people are told as they type",
            ));
        }
    }
    findings
}

pub(super) fn config_strange(bench: &mut Bench) -> Vec<Finding> {
    let (schema, mut chance) = (bench.schema(), bench.chance("config-strange"));
    for _ in 0..STRANGE {
        let Some(config) = configuration::strange(&schema, &mut chance) else {
            return vec![Finding::skipped("the schema leaves no room for strange values")];
        };
        let steps = vec![
            Step::Load,
            Step::Create { config: config.to_string() },
            Step::Start,
            Step::Wait { ms: 30 },
            Step::Stop,
            Step::Destroy,
        ];
        let trial = bench.hold(steps);
        let shown: String = config.to_string().chars().take(160).collect();
        if let Some(mut finding) = ended(&trial) {
            finding.what = format!("{}, with the configuration {shown}", finding.what);
            return vec![finding];
        }
        if let Some((call, answer)) = refused(&trial).filter(|_| trial.last_error().is_none()) {
            return vec![Finding::fail(
                format!("{} refuses {shown} ({}) and does not say why", call.name(), text_of(answer)),
                "log() an error in words before refusing: people see it beside the form",
            )];
        }
    }
    Vec::new()
}

pub(super) fn create_quiet(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.hold(vec![Step::Load, bench.create(), Step::Wait { ms: 200 }, Step::Destroy]);
    if let Some(finding) = ended(&trial) {
        return vec![finding];
    }
    let touches = trial
        .system_calls(Phase::Creating)
        .chain(trial.system_calls(Phase::Created))
        .find(|(call, what)| matches!(*call, "connect" | "bind") || (*call == "open" && what.starts_with("/dev/tty")));
    let advice = "only start() touches devices: the box creates an instance to see whether it can be";
    touches.map(|(call, what)| Finding::fail(format!("create leads to: {call} {what}"), advice)).into_iter().collect()
}

pub(super) fn life(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.hold(bench.life(vec![Step::Wait { ms: 300 }]));
    if let Some(finding) = ended(&trial) {
        return vec![finding];
    }
    if let Some((call, answer)) = refused(&trial) {
        let why = trial.last_error().unwrap_or("it does not say why");
        let advice = match call {
            Call::Start => "a device that is away is no failure of start: go on, and try again from a thread",
            _ => "give a configuration that works with --config FILE",
        };
        return vec![Finding::fail(format!("{} refuses: {} ({why})", call.name(), text_of(answer)), advice)];
    }
    let mut findings = too_long(&trial);
    if let Some(answer) = trial.answer_of(Call::Stop).filter(|answer| *answer != 0) {
        findings
            .push(Finding::warn(format!("stop answers {}", text_of(answer)), "stop whatever happens, and answer OK"));
    }
    findings
}

pub(super) fn stop_at_once(bench: &mut Bench) -> Vec<Finding> {
    let mut chance = bench.chance("stop-at-once");
    for number in 0..STOPS {
        let wait_ms = if number == 0 { 0 } else { chance.u64(0..25) };
        let trial = bench.hold(bench.life(vec![Step::Wait { ms: wait_ms }]));
        let mut findings: Vec<Finding> = ended(&trial).into_iter().chain(too_long(&trial)).collect();
        if let Some(finding) = findings.first_mut() {
            finding.what = format!("{}, when stop came {wait_ms} ms after start", finding.what);
            return findings;
        }
    }
    Vec::new()
}

pub(super) fn stop_load(bench: &mut Bench) -> Vec<Finding> {
    let orders = bench.taken_orders();
    let mut middle: Vec<Step> = Vec::new();
    for (number, order) in orders.iter().cycle().take(if orders.is_empty() { 0 } else { 40 }).enumerate() {
        let cmd_id = format!("l{number}");
        middle.push(Step::Command(super::script::Order { cmd_id, within_ms: 10_000, ..order.clone() }));
    }
    let trial = bench.hold(bench.life(middle));
    if let Some(finding) = ended(&trial) {
        return vec![finding];
    }
    let mut findings = too_long(&trial);
    let completed: Vec<&str> = trial
        .of(|told| match &told.what {
            Record::Completed { cmd_id, .. } if told.phase <= Phase::Stopping => Some(cmd_id.text.as_str()),
            _ => None,
        })
        .collect();
    let open: Vec<&str> = trial
        .calls()
        .filter(|(call, id, answer, _)| *call == Call::Command && *answer == 0 && !completed.contains(id))
        .map(|(_, id, ..)| id)
        .collect();
    if !open.is_empty() {
        findings.push(Finding::fail(
            format!("{} taken command(s) were not completed when stop returned", open.len()),
            "complete what is pending, as OFFLINE or INTERNAL, before stop returns: the lane waits for it",
        ));
    }
    findings
}

pub(super) fn stop_silence(bench: &mut Bench) -> Vec<Finding> {
    let orders = bench.taken_orders();
    let mut steps = vec![Step::Load, bench.create(), Step::Start];
    steps.extend(orders.into_iter().take(4).map(Step::Command));
    steps.extend([Step::Wait { ms: 50 }, Step::Stop, Step::Wait { ms: 400 }, Step::Destroy, Step::Wait { ms: 300 }]);
    let trial = bench.hold(steps);
    if let Some(finding) = ended(&trial) {
        return vec![finding];
    }
    let late = trial.told.iter().find_map(|told| {
        let what = match &told.what {
            Record::Emit { .. } => "an event",
            Record::Completed { .. } => "a completion",
            // Parting words on the control thread hurt nobody.
            Record::Logged { .. } if !told.control => "a log line",
            _ => return None,
        };
        (told.phase >= Phase::Stopped).then(|| format!("{what} came {}", told.phase.words()))
    });
    let advice = "end every source of events in stop, and join its thread before stop returns";
    late.map(|what| Finding::fail(what, advice)).into_iter().collect()
}

pub(super) fn stop_threads(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.exercise();
    let (Some(loaded), Some(stopped)) = (trial.looks.get("loaded"), trial.looks.get("stopped")) else {
        return ended(&trial).into_iter().collect();
    };
    let left: Vec<&str> = stopped
        .threads
        .iter()
        .filter(|(number, _)| !loaded.threads.contains_key(number))
        .map(|(_, name)| name.as_str())
        .collect();
    if left.is_empty() {
        return Vec::new();
    }
    let what = format!("{} thread(s) still run after stop: {}", left.len(), left.join(", "));
    vec![Finding::fail(what, "tell every thread to end in stop, and join it")]
}

pub(super) fn stop_descriptors(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.exercise();
    let (Some(loaded), Some(destroyed)) = (trial.looks.get("loaded"), trial.looks.get("destroyed")) else {
        return ended(&trial).into_iter().collect();
    };
    let left: Vec<String> = destroyed
        .descriptors
        .iter()
        .filter(|(number, to)| loaded.descriptors.get(number) != Some(to))
        .map(|(_, to)| to.clone())
        .collect();
    if left.is_empty() {
        return Vec::new();
    }
    let what = format!("{} descriptor(s) are still open after destroy: {}", left.len(), left.join(", "));
    vec![Finding::fail(what, "close in stop what start opened")]
}

pub(super) fn process(bench: &mut Bench) -> Vec<Finding> {
    let mut steps = vec![measure("before"), Step::Load, bench.create(), Step::Start];
    steps.extend(bench.orders("p").into_iter().take(8).map(Step::Command));
    steps.extend([Step::Settle { most_ms: WITHIN_MS }, measure("running"), Step::Stop, Step::Destroy]);
    let trial = bench.hold(steps);
    let (Some(before), Some(running)) = (trial.looks.get("before"), trial.looks.get("running")) else {
        return ended(&trial).into_iter().collect();
    };
    let changed = before.manners.iter().filter(|(name, value)| running.manners.get(*name) != Some(*value));
    let advice = "a library shares its process: leave signals, folder, umask and locale to whoever owns it";
    changed.map(|(name, _)| Finding::fail(format!("it changes {name} of the whole process"), advice)).collect()
}

pub(super) fn children(bench: &mut Bench) -> Vec<Finding> {
    let (load, exercise) = (bench.load_trial(), bench.exercise());
    let tried = load.told.iter().chain(&exercise.told).find_map(|told| match &told.what {
        Record::System { call, .. } if call == "fork" || call == "exec" => {
            Some(format!("it tries to {call} {}", told.phase.words()))
        }
        _ => None,
    });
    let advice = "the box refuses child processes: use a library instead of system() and popen()";
    tried.map(|what| Finding::fail(what, advice)).into_iter().collect()
}

pub(super) fn idle(bench: &mut Bench) -> Vec<Finding> {
    let middle = vec![Step::Wait { ms: 500 }, measure("from"), Step::Wait { ms: 1000 }, measure("to")];
    let trial = bench.hold(bench.life(middle));
    let (Some(from), Some(to)) = (trial.looks.get("from"), trial.looks.get("to")) else {
        return ended(&trial).into_iter().collect();
    };
    let used = to.busy_ms.saturating_sub(from.busy_ms);
    let advice =
        "wait for something (poll, a condition, a blocking read with a time limit) instead of asking in a loop";
    match used {
        0..=100 => Vec::new(),
        101..=500 => {
            vec![Finding::warn(format!("with nothing to do it uses {used} ms of processor time a second"), advice)]
        }
        _ => vec![Finding::fail(format!("with nothing to do it uses {used} ms of processor time a second"), advice)],
    }
}
