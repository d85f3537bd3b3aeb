//! Checks of the file and of what happens while it is loaded: the table, the descriptor, the manners of constructors.

use serde_json::Value;

use super::bench::{Bench, ended};
use super::report::Finding;
use super::script::{Call, Encoding, Phase, Record};
use crate::plugin;

const KINDS: [&str; 7] = ["camera", "barrier", "display", "voice", "loop", "reader", "light"];
const COMMANDS: [&str; 9] = ["open", "close", "hold", "release", "display", "speak", "snapshot", "restart", "reply"];
const TOPICS: [&str; 5] = ["event/plate", "event/passed", "event/button", "event/code", "event/alarm"];

/// A list of the descriptor.
struct List {
    key: &'static str,
    least: usize,
    known: fn(&str) -> bool,
}

const LISTS: [List; 4] = [
    List { key: "kinds", least: 1, known: |kind| KINDS.contains(&kind) },
    List {
        key: "commands",
        least: 0,
        known: |name| COMMANDS.contains(&name) || name.strip_prefix("x-").is_some_and(|own| !own.is_empty()),
    },
    List {
        key: "events",
        least: 0,
        known: |topic| TOPICS.contains(&topic) || topic.strip_prefix("state/").is_some_and(|own| !own.is_empty()),
    },
    List { key: "options", least: 0, known: |id| id.contains('/') },
];

pub(super) fn table(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.load_trial();
    let read_the_header = "see the table at the end of tollhouse_driver.h, and build with -shared -fPIC";
    if let Some(reason) = trial.refusal() {
        return vec![Finding::fail(reason, read_the_header)];
    }
    ended(&trial).into_iter().collect()
}

pub(super) fn descriptor(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.load_trial();
    let said = trial.of(|told| match &told.what {
        Record::Descriptor(said) => Some(said.clone()),
        _ => None,
    });
    let Some(said) = said.last() else { return vec![Finding::skipped("there is no descriptor to read")] };
    let see = "see descriptor_json in tollhouse_driver.h";
    if said.encoding != Encoding::Utf8 {
        return vec![Finding::fail("it is not UTF-8", see)];
    }
    let whole = match serde_json::from_str::<Value>(&said.text) {
        Ok(whole) if whole.is_object() => whole,
        Ok(_) => return vec![Finding::fail("it is JSON, yet no object", see)],
        Err(fault) => return vec![Finding::fail(format!("it is no JSON: {fault}"), see)],
    };
    let mut findings: Vec<Finding> = faults_of(&whole).into_iter().map(|fault| Finding::fail(fault, see)).collect();
    match whole.get("config") {
        None => findings.push(Finding::fail(
            "it has no `config`: the console cannot draw a form, and the box cannot check what is typed",
            "give a JSON Schema, {\"type\":\"object\",\"properties\":{}} if there is nothing to configure",
        )),
        Some(schema) => {
            if let Err(fault) = plugin::schema::compile(schema) {
                findings.push(Finding::fail(fault, "the schema is draft 2020-12 and refers to itself alone"));
            }
        }
    }
    findings
}

fn faults_of(whole: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let id = whole["id"].as_str().unwrap_or_default();
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if id.len() > 64 || id.split('.').count() < 2 || !id.split('.').all(word) {
        faults.push(format!(
            "`id` is {:?}: two or more words of [a-z0-9-] joined by dots are wanted, as acme.barrier",
            whole["id"]
        ));
    }
    let version = whole["version"].as_str().unwrap_or_default();
    let core = version.split(['-', '+']).next().unwrap_or_default();
    if core.split('.').count() != 3 || !core.split('.').all(|part| part.parse::<u32>().is_ok()) {
        faults.push(format!("`version` is {:?}: three numbers are wanted, as 1.4.0", whole["version"]));
    }
    for List { key, least, known } in &LISTS {
        match &whole[*key] {
            Value::Array(items) => {
                let unknown = items.iter().find(|item| !item.as_str().is_some_and(known));
                faults.extend(unknown.map(|item| format!("`{key}` has {item}, which the contract does not know")));
                if items.len() < *least {
                    faults.push(format!("`{key}` is empty"));
                }
            }
            Value::Null if *key == "options" => {}
            _ => faults.push(format!("`{key}` is not a list of texts")),
        }
    }
    faults
}

pub(super) fn options(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.load_trial();
    if let Some(finding) = ended(&trial) {
        return vec![finding];
    }
    let answers: Vec<(String, i64)> = trial
        .calls()
        .filter(|(call, ..)| *call == Call::Extension)
        .map(|(_, id, answer, _)| (id.to_owned(), answer))
        .collect();
    if answers.is_empty() {
        return vec![Finding::fail(
            "its function extension is missing",
            "answer null for an id that the driver does not know",
        )];
    }
    let mut findings = Vec::new();
    if answers.iter().any(|(id, answer)| id != tollhouse_abi::WHITELIST && *answer == 1) {
        findings.push(Finding::fail(
            "extension() answers an id that nobody knows with something other than null",
            "compare the id, by its length too, before answering",
        ));
    }
    let whitelist: Vec<i64> =
        answers.iter().filter(|(id, _)| id == tollhouse_abi::WHITELIST).map(|(_, answer)| *answer).collect();
    if whitelist.iter().any(|answer| *answer != whitelist[0]) {
        findings
            .push(Finding::fail("extension() does not answer the same each time", "the table of an option is static"));
    }
    let (declared, offered) =
        (bench.described.options.iter().any(|id| id == tollhouse_abi::WHITELIST), whitelist.contains(&1));
    if declared != offered {
        let what = if declared {
            "the descriptor lists tollhouse.whitelist/1, and extension() does not find it"
        } else {
            "extension() finds tollhouse.whitelist/1, and the descriptor does not list it"
        };
        findings.push(Finding::fail(what, "let `options` of the descriptor and extension() say the same"));
    }
    let short = trial.of(|told| match &told.what {
        Record::Option { functions, .. } if *functions < 2 => Some(()),
        _ => None,
    });
    if offered && short.count() > 0 {
        findings.push(Finding::fail(
            "its table of tollhouse.whitelist/1 is too short, or lacks a function",
            "begin it with sizeof(tollhouse_whitelist), and fill in replace and capacity",
        ));
    }
    findings
}

pub(super) fn load_files(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.load_trial();
    let library = bench.library.to_string_lossy().into_owned();
    let mut seen: Vec<String> = trial
        .system_calls(Phase::Loading)
        .filter(|(call, what)| match *call {
            "open" => !(of_the_loader(what) || *what == library),
            // Child processes have their own check.
            "exec" | "fork" => false,
            _ => true,
        })
        .map(|(call, what)| format!("{call} {what}"))
        .collect();
    seen.sort();
    seen.dedup();
    let tell = |what| {
        let advice = "constructors only set up memory: files are for create, devices for start";
        Finding::fail(format!("while it was loaded: {what}"), advice)
    };
    seen.into_iter().take(5).map(tell).collect()
}

/// What loading a library opens by itself, the C library's start of its allocator and threads included.
fn of_the_loader(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split('.').skip(1).any(|part| part == "so")
        || path.starts_with("/proc/self/")
        || path.starts_with("/sys/devices/system/cpu")
        || path.starts_with("/sys/kernel/mm")
        || path.starts_with("/sys/fs/cgroup")
        || matches!(
            path,
            "/etc/ld.so.cache" | "/etc/ld.so.preload" | "/proc/sys/vm/overcommit_memory" | "/proc/cgroups"
        )
}

pub(super) fn load_threads(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.load_trial();
    let (Some(before), Some(loaded)) = (trial.looks.get("before"), trial.looks.get("loaded")) else {
        return vec![Finding::skipped("the library does not load")];
    };
    let new: Vec<&str> = loaded
        .threads
        .iter()
        .filter(|(number, _)| !before.threads.contains_key(number))
        .map(|(_, name)| name.as_str())
        .collect();
    if new.is_empty() {
        return Vec::new();
    }
    let what = format!("loading it started {} thread(s): {}", new.len(), new.join(", "));
    vec![Finding::fail(what, "start threads in create or start: a library that is only read must not run")]
}

pub(super) fn output(bench: &mut Bench) -> Vec<Finding> {
    let (load, exercise) = (bench.load_trial().output, bench.exercise().output);
    let said = if load.is_empty() { &exercise } else { &load };
    if said.is_empty() {
        return Vec::new();
    }
    let shown: String = said.trim().chars().take(120).collect();
    let when = if load.is_empty() { "" } else { " while it was loaded" };
    vec![Finding::fail(
        format!("it wrote to standard output{when}: {shown:?}"),
        "use the host's log(); printf is for programs",
    )]
}
