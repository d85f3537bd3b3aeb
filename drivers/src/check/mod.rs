//! The checker: tries a vendor's driver against every rule of the header, and tells what it found.
//!
//! Each trial is a process of its own ([`trial`]) that carries out a script ([`script`]) on the driver and tells
//! everything that happened; a check makes a script and judges what came of it. It owns the catalogue of checks and
//! their order. It must not touch a driver in this process.

mod bench;
mod commands;
mod configuration;
mod events;
mod file;
mod leaks;
mod life;
mod mqtt;
mod report;
pub(crate) mod script;
mod trial;
mod whole;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub use mqtt::{MQTT_CATALOGUE, MqttCheck, MqttExamination, MqttReport, Says, examine_mqtt};
pub use report::{Audience, Finding, Outcome, Report, Verdict};

use bench::Bench;

/// What is to be examined, and how.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The driver.
    pub library: PathBuf,
    /// The executable whose `main` calls [`crate::plugin::child_main`] and [`crate::plugin::probe_main`] first.
    pub host_executable: PathBuf,
    /// What every chance is drawn from.
    pub seed: u64,
    /// The configuration to begin with, and what `--config` was given; made from the schema when there is none.
    pub config: Option<(Value, PathBuf)>,
    /// The devices to speak to; found in the configuration when there are none.
    pub devices: Vec<String>,
    /// Only these checks; all of them when it is empty.
    pub only: Vec<String>,
}

/// A check as the catalogue has it.
pub struct Check {
    /// Its name, as `--only` takes it.
    pub id: &'static str,
    /// What it belongs to.
    pub group: &'static str,
    /// The rule that it tries.
    pub rule: &'static str,
    run: fn(&mut Bench) -> Vec<Finding>,
}

const fn check(
    group: &'static str,
    id: &'static str,
    rule: &'static str,
    run: fn(&mut Bench) -> Vec<Finding>,
) -> Check {
    Check { id, group, rule, run }
}

/// Without these there is nothing to examine: where one fails, what follows its group is not tried.
const GATES: [&str; 3] = ["table", "config", "life"];

/// Every check, in the order in which they are made.
pub const CATALOGUE: &[Check] = &[
    check("the file", "table", "a library for this box that exports the table, complete", file::table),
    check("the file", "descriptor", "the descriptor is whole and in the words of the contract", file::descriptor),
    check("the file", "options", "extension() and the descriptor agree, and unknown ids get null", file::options),
    check("the file", "load-files", "loading it opens nothing and connects to nothing", file::load_files),
    check("the file", "load-threads", "loading it starts no thread", file::load_threads),
    check("the configuration", "config", "what fits the schema is taken", life::config),
    check(
        "the configuration",
        "config-strange",
        "strange values that fit are taken or refused in words",
        life::config_strange,
    ),
    check("the configuration", "create-quiet", "create touches no device", life::create_quiet),
    check("the life", "life", "create, start, stop and destroy do their work in time", life::life),
    check("the life", "output", "nothing is written to standard output", file::output),
    check("the life", "process", "signals, folder, umask and locale are left alone", life::process),
    check("the life", "children", "no child processes", life::children),
    check("the life", "idle", "with nothing to do it does nothing", life::idle),
    check("commands", "command-declared", "what the descriptor lists is taken", commands::declared),
    check("commands", "command-quick", "command() returns within 50 ms", commands::quick),
    check("commands", "command-once", "what is taken is completed exactly once", commands::completed_once),
    check("commands", "command-deadline", "what is taken is completed before its deadline", commands::deadline),
    check("commands", "command-unknown", "unknown names and devices are refused", commands::unknown),
    check("commands", "command-nonsense", "args of any form do no harm", commands::nonsense),
    check("commands", "command-burst", "200 commands at once are each answered", commands::burst),
    check("commands", "slow-host", "a busy host confuses nothing", commands::slow_host),
    check("commands", "whitelist", "tollhouse.whitelist/1 keeps its rules", commands::whitelist),
    check("events", "event-text", "events are UTF-8 and JSON within the limits", events::text),
    check("events", "event-form", "events are those of the contract, of configured devices", events::form),
    check("events", "event-declared", "events are listed in the descriptor", events::declared),
    check("events", "event-picture", "pictures are JPEG of at most 2 MiB", events::pictures),
    check("events", "event-rate", "with nothing happening little is said", events::rate),
    check("events", "event-reply", "questions for a reply keep their rules", events::replies),
    check("events", "log", "log lines are text, short and few", events::log),
    check("the end", "stop-at-once", "stop may come right after start", life::stop_at_once),
    check("the end", "stop-load", "stop in the middle of work leaves no command open", life::stop_load),
    check("the end", "stop-silence", "after stop nothing is said", life::stop_silence),
    check("the end", "stop-threads", "after stop no thread runs", life::stop_threads),
    check("the end", "stop-descriptors", "after destroy no descriptor is open", life::stop_descriptors),
    check("leaks", "leak-memory", "memory does not grow with commands", leaks::memory),
    check("leaks", "leak-descriptors", "descriptors do not grow with commands", leaks::descriptors),
    check("leaks", "leak-threads", "threads do not grow with commands", leaks::threads),
    check("the whole", "in-the-box", "the box's own plugin host runs it, without a restart", whole::in_the_box),
];

/// What a driver says of itself, read in a process of its own; why it does not.
pub fn describe(library: &Path, host_executable: &Path) -> Result<Value, String> {
    let bench = Bench::new(host_executable.to_owned(), library.to_owned(), 0, None, Vec::new());
    let refusal = bench.refusal();
    if let Some(refusal) = refusal {
        return Err(format!("{}: {refusal}", library.display()));
    }
    Ok(bench.described.whole)
}

/// Examines a driver. A name in `only` that no check has is the error.
pub fn examine(examination: &Examination, audience: &mut dyn Audience) -> Result<Report, String> {
    if let Some(unknown) = examination.only.iter().find(|id| !CATALOGUE.iter().any(|check| check.id == *id)) {
        let known: Vec<&str> = CATALOGUE.iter().map(|check| check.id).collect();
        return Err(format!("no check is called {unknown:?}; there are {}", known.join(", ")));
    }
    let bytes = std::fs::read(&examination.library)
        .map_err(|fault| format!("{} cannot be read: {fault}", examination.library.display()))?;
    let mut bench = Bench::new(
        examination.host_executable.clone(),
        examination.library.clone(),
        examination.seed,
        examination.config.as_ref().map(|(config, _)| config.clone()),
        examination.devices.clone(),
    );
    let (mut checks, mut gate) = (Vec::new(), None);
    let wanted = |check: &&Check| examination.only.is_empty() || examination.only.iter().any(|id| *id == check.id);
    for check in CATALOGUE.iter().filter(wanted) {
        let verdict = one(check, &mut bench, examination, gate, audience);
        if verdict.outcome == Outcome::Fail && GATES.contains(&check.id) && gate.is_none() {
            gate = Some((check.id, check.group));
        }
        checks.push(verdict);
    }
    let described = &bench.described;
    Ok(Report {
        ok: checks.iter().all(|verdict| verdict.outcome != Outcome::Fail),
        library: examination.library.display().to_string(),
        sha256: Sha256::digest(&bytes).iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
        driver: (!described.id.is_empty()).then(|| (described.id.clone(), described.version.clone())),
        seed: examination.seed,
        config: bench.config.clone(),
        devices: bench.devices.clone(),
        checks,
    })
}

fn one(
    check: &Check,
    bench: &mut Bench,
    examination: &Examination,
    gate: Option<(&str, &str)>,
    audience: &mut dyn Audience,
) -> Verdict {
    audience.begins(check.id, check.rule);
    let begun = Instant::now();
    let findings = match gate {
        // The descriptor can be read where nothing else can.
        Some((gate, group)) if group != check.group || gate == "table" || gate == "life" => {
            vec![Finding::skipped(format!("not tried, since {gate:?} failed"))]
        }
        _ => (check.run)(bench),
    };
    let verdict = Verdict {
        id: check.id,
        group: check.group,
        rule: check.rule,
        outcome: findings.iter().map(|finding| finding.weight).max().unwrap_or(Outcome::Pass),
        findings,
        millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        again: again(check.id, examination),
    };
    audience.ended(&verdict);
    verdict
}

fn again(id: &str, examination: &Examination) -> String {
    let mut command = format!("tollhouse driver check {}", quoted(&examination.library));
    if let Some((_, file)) = &examination.config {
        let _ = write!(command, " --config {}", quoted(file));
    }
    for device in &examination.devices {
        let _ = write!(command, " --device {device}");
    }
    let _ = write!(command, " --only {id} --seed {}", examination.seed);
    command
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'+');
    if text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
