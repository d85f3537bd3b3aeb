//! One bug at a time, planted with a define in `planted.c`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use tollhouse_drivers::check::{Audience, CATALOGUE, Examination, Outcome, Report, Verdict, examine};

/// The define, the check that must fail, and words of the reason.
const BUGS: &[(&str, &str, &str)] = &[
    ("BUG_TABLE", "table", "function command is missing"),
    ("BUG_TABLE_SYMBOL", "table", "tollhouse_driver_v1"),
    ("BUG_DESCRIPTOR", "descriptor", "joined by dots"),
    ("BUG_DESCRIPTOR_SCHEMA", "descriptor", "schema of the configuration is wrong"),
    ("BUG_OPTIONS", "options", "does not find it"),
    ("BUG_LOAD_FILES", "load-files", "/etc/passwd"),
    ("BUG_LOAD_THREADS", "load-threads", "1 thread"),
    ("BUG_CONFIG", "config", "I want a serial number"),
    ("BUG_CONFIG_STRANGE", "config-strange", "SIGABRT"),
    ("BUG_CREATE_QUIET", "create-quiet", "connect 127.0.0.1:9"),
    ("BUG_LIFE", "life", "start refuses: the device does not answer"),
    ("BUG_STOP_SLOW", "life", "stop and destroy took 25"),
    ("BUG_OUTPUT", "output", "barrier opened"),
    ("BUG_LOAD_OUTPUT", "output", "while it was loaded"),
    ("BUG_PROCESS", "process", "ignored signals"),
    ("BUG_CHILDREN", "children", "tries to fork"),
    ("BUG_IDLE", "idle", "processor time"),
    ("BUG_COMMAND_DECLARED", "command-declared", "\"close\""),
    ("BUG_COMMAND_QUICK", "command-quick", "at most 50 ms"),
    ("BUG_COMMAND_ONCE", "command-once", "completed 2 times"),
    ("BUG_COMMAND_ONCE_REFUSED", "command-once", "completed it all the same"),
    ("BUG_COMMAND_DEADLINE", "command-deadline", "after its deadline"),
    ("BUG_COMMAND_UNKNOWN", "command-unknown", "nobody knows is answered OK"),
    ("BUG_COMMAND_DEVICE", "command-unknown", "not configured"),
    ("BUG_COMMAND_NONSENSE", "command-nonsense", "SIGABRT"),
    ("BUG_COMMAND_BURST", "command-burst", "never completed"),
    ("BUG_SLOW_HOST", "slow-host", "completed 2 times"),
    ("BUG_WHITELIST", "whitelist", "not configured is answered OK"),
    ("BUG_EVENT_TEXT", "event-text", "not UTF-8"),
    ("BUG_EVENT_JSON", "event-text", "no JSON"),
    ("BUG_EVENT_FORM", "event-form", "outside 0 to 1"),
    ("BUG_EVENT_STRANGER", "event-form", "gate-in-77"),
    ("BUG_EVENT_DECLARED", "event-declared", "event/button"),
    ("BUG_EVENT_PICTURE", "event-picture", "3145728 bytes"),
    ("BUG_EVENT_PICTURE_BASE64", "event-picture", "no JPEG"),
    ("BUG_EVENT_RATE", "event-rate", "events a second"),
    ("BUG_EVENT_REPLY", "event-reply", "twice"),
    ("BUG_LOG", "log", "not UTF-8"),
    ("BUG_STOP_AT_ONCE", "stop-at-once", "0 ms after start"),
    ("BUG_STOP_LOAD", "stop-load", "not completed when stop returned"),
    ("BUG_STOP_SILENCE", "stop-silence", "in destroy"),
    ("BUG_STOP_THREADS", "stop-threads", "still run after stop"),
    ("BUG_STOP_DESCRIPTORS", "stop-descriptors", "/dev/null"),
    ("BUG_LEAK_MEMORY", "leak-memory", "bytes with each command"),
    ("BUG_LEAK_DESCRIPTORS", "leak-descriptors", "open descriptors grow"),
    ("BUG_LEAK_THREADS", "leak-threads", "threads grow"),
    ("BUG_IN_THE_BOX", "in-the-box", "nobody reads my output"),
];

struct Silent;

impl Audience for Silent {
    fn begins(&mut self, _id: &'static str, _rule: &'static str) {}
    fn ended(&mut self, _verdict: &Verdict) {}
}

fn library(folder: &Path, define: Option<&str>) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = folder.join(format!("lib{}.so", define.unwrap_or("sound")));
    let compiled = Command::new("cc")
        .args(["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden", "-pthread"])
        .arg("-I")
        .arg(root.join("../plugins/abi"))
        .args(define.map(|name| format!("-D{name}")))
        .arg("-o")
        .args([&library, &root.join("tests/checker/planted.c")])
        .status()
        .expect("a C compiler named cc");
    assert!(compiled.success(), "planted.c does not compile with {define:?}");
    library
}

fn examined(library: PathBuf, only: &[&str]) -> Report {
    let examination = Examination {
        library,
        host_executable: PathBuf::from(env!("CARGO_BIN_EXE_tollhouse-plugin-host")),
        seed: 1,
        config: None,
        devices: Vec::new(),
        only: only.iter().map(|id| (*id).to_owned()).collect(),
    };
    examine(&examination, &mut Silent).expect("an examination")
}

fn told(report: &Report) -> String {
    report.checks.iter().map(Verdict::words).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_driver_that_keeps_every_rule_passes_every_check() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = examined(library(folder.path(), None), &[]);
    assert!(report.ok, "{}", told(&report));
    assert_eq!(report.count(Outcome::Warn), 0, "{}", told(&report));
    assert_eq!(report.checks.len(), CATALOGUE.len());
    let skipped: Vec<&str> =
        report.checks.iter().filter(|verdict| verdict.outcome == Outcome::Skipped).map(|verdict| verdict.id).collect();
    assert_eq!(skipped, ["whitelist"], "nothing else is left out");
    assert_eq!(report.devices, ["cam-in-1", "gate-in-1"]);
    assert_eq!(report.driver, Some(("test.planted".to_owned(), "1.0.0".to_owned())));
}

/// So many drivers are examined at once: an examination mostly waits.
const AT_ONCE: usize = 3;

#[test]
fn every_planted_bug_is_found_by_the_check_that_is_made_for_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let missed: Vec<String> = std::thread::scope(|scope| {
        let shares: Vec<_> = (0..AT_ONCE)
            .map(|first| {
                let share = BUGS.iter().skip(first).step_by(AT_ONCE);
                let folder = folder.path();
                scope.spawn(move || share.filter_map(|bug| missed(folder, bug)).collect::<Vec<_>>())
            })
            .collect();
        shares.into_iter().flat_map(|share| share.join().expect("no panic")).collect()
    });
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// What the check says instead of finding the bug.
fn missed(folder: &Path, (define, check, words): &(&str, &str, &str)) -> Option<String> {
    let report = examined(library(folder, Some(define)), &[check]);
    let verdict = &report.checks[0];
    assert!(verdict.again.contains(&format!("--only {check} --seed 1")), "{}", verdict.again);
    let found = verdict.outcome == Outcome::Fail && verdict.findings.iter().any(|finding| finding.what.contains(words));
    (!found).then(|| format!("{define}: {words:?} is wanted, and there is\n{}", verdict.words()))
}

#[test]
fn every_check_has_a_bug_that_it_finds() {
    let found: BTreeSet<&str> = BUGS.iter().map(|(_, check, _)| *check).collect();
    let without: Vec<&str> = CATALOGUE.iter().map(|check| check.id).filter(|id| !found.contains(id)).collect();
    assert!(without.is_empty(), "no bug is planted for {without:?}");
}

#[test]
fn a_bug_of_one_kind_is_blamed_on_nothing_else() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for define in ["BUG_EVENT_TEXT", "BUG_LEAK_MEMORY", "BUG_STOP_SILENCE"] {
        let report = examined(library(folder.path(), Some(define)), &[]);
        let own = BUGS.iter().find(|(name, ..)| *name == define).map(|(_, check, _)| *check);
        for verdict in report.checks.iter().filter(|verdict| verdict.outcome == Outcome::Fail) {
            assert_eq!(Some(verdict.id), own, "{define}: {}", verdict.words());
        }
        assert!(!report.ok, "{define}");
    }
}

#[test]
fn the_same_seed_gives_the_same_verdicts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let library = library(folder.path(), Some("BUG_COMMAND_NONSENSE"));
    let found = || examined(library.clone(), &["command-nonsense"]).checks[0].findings.clone();
    let first = found();
    assert_eq!(first, found());
    assert!(first[0].what.contains("args"), "the args that did it are told: {first:?}");
}

#[test]
fn a_name_that_no_check_has_is_told_with_those_that_there_are() {
    let examination = Examination {
        library: PathBuf::from("/dev/null"),
        host_executable: PathBuf::from("/dev/null"),
        seed: 1,
        config: None,
        devices: Vec::new(),
        only: vec!["manners".to_owned()],
    };
    let refusal = examine(&examination, &mut Silent).expect_err("unknown");
    assert!(refusal.contains("\"manners\"") && refusal.contains("command-once"), "{refusal}");
}
