//! Owns the house rules that can be read off a file: each is a function from a path and a text to its faults.
//! It must not read files itself, so that every rule can be shown a file that breaks it.

use std::path::Path;

use crate::source::{Source, code_only, names};

/// A house rule: what is wrong with one file.
pub(crate) type Rule = fn(&Source) -> Vec<String>;

/// The house rules under the names that the report gives them.
pub(crate) const RULES: &[(&str, Rule)] = &[
    ("actix stands in the appliance alone", actix_in_the_appliance_alone),
    ("unsafe stands in the plugin host and in plugins alone", unsafe_in_its_places),
    ("core reads no clock, no randomness and nothing outside", core_is_pure),
    ("a module opens with what it owns", module_opens_with_its_purpose),
    ("a file has at most 500 lines", file_is_short),
    ("a file has a telling name", file_name_tells),
    ("no test sleeps", no_test_sleeps),
    ("nothing is left undone or ignored", nothing_left_undone),
    ("no machine path and no registry host", no_place_of_ours),
    ("all tables are declared in one module", tables_in_one_module),
];

const MOST_LINES: usize = 500;

fn is_rust(source: &Source) -> bool {
    Path::new(&source.path).extension().is_some_and(|extension| extension == "rs")
}

fn fault_if(condition: bool, source: &Source, what: &str) -> Option<String> {
    condition.then(|| format!("{}: {what}", source.path))
}

fn faults_for_words(source: &Source, code: &str, words: &[&str]) -> Vec<String> {
    words.iter().filter_map(|word| fault_if(names(code, word), source, &format!("names `{word}`"))).collect()
}

fn actix_in_the_appliance_alone(source: &Source) -> Vec<String> {
    if !is_rust(source) || source.path.starts_with("appliance/") {
        return Vec::new();
    }
    faults_for_words(source, &code_only(&source.text), &["actix", "actix_web", "actix_rt"])
}

/// Where `unsafe` may stand it also has to be allowed in sight, at the head of the module that uses it.
fn unsafe_in_its_places(source: &Source) -> Vec<String> {
    if !is_rust(source) {
        return Vec::new();
    }
    let code = code_only(&source.text);
    let its_place = source.path.starts_with("plugins/")
        || source.path.starts_with("drivers/src/plugin/")
        || source.path == "drivers/src/plugin.rs";
    let used = names(&code, "unsafe");
    let allowed = code.contains("allow(unsafe_code)");
    let mut faults = Vec::new();
    faults.extend(fault_if(used && !its_place, source, "uses `unsafe`"));
    faults.extend(fault_if(allowed && !its_place, source, "allows `unsafe`"));
    faults.extend(fault_if(used && its_place && !allowed, source, "uses `unsafe` without allowing it in sight"));
    faults
}

fn core_is_pure(source: &Source) -> Vec<String> {
    if !is_rust(source) || !source.path.starts_with("core/src/") {
        return Vec::new();
    }
    let outside = [
        "Utc::now",
        "Local::now",
        "Local",
        "SystemTime",
        "Instant",
        "getrandom",
        "rand",
        "tokio",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "std::io",
        "async",
    ];
    faults_for_words(source, &code_only(&source.text), &outside)
}

fn module_opens_with_its_purpose(source: &Source) -> Vec<String> {
    fault_if(is_rust(source) && !source.text.starts_with("//!"), source, "does not open with `//!`")
        .into_iter()
        .collect()
}

fn file_is_short(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let long = is_rust(source) && lines > MOST_LINES;
    fault_if(long, source, &format!("has {lines} lines, more than {MOST_LINES}")).into_iter().collect()
}

fn file_name_tells(source: &Source) -> Vec<String> {
    let stem = source.path.strip_suffix("/mod.rs").or_else(|| source.path.strip_suffix(".rs")).unwrap_or_default();
    let name = stem.rsplit('/').next().unwrap_or_default();
    let empty = ["manager", "helper", "helpers", "util", "utils", "common", "data", "misc"];
    fault_if(empty.contains(&name), source, "has a name that says nothing").into_iter().collect()
}

/// The part of a Rust file that is test code: all of it in a tests folder, else what follows the first `cfg(test)`.
fn test_code(source: &Source) -> String {
    let code = code_only(&source.text);
    let whole =
        source.path.starts_with("tests/") || source.path.contains("/tests/") || source.path.ends_with("/tests.rs");
    if whole { code } else { code.find("cfg(test)").map(|at| code[at..].to_owned()).unwrap_or_default() }
}

fn no_test_sleeps(source: &Source) -> Vec<String> {
    if !is_rust(source) {
        return Vec::new();
    }
    faults_for_words(source, &test_code(source), &["sleep(", "sleep_until(", "sleep_ms("])
}

fn nothing_left_undone(source: &Source) -> Vec<String> {
    if !is_rust(source) {
        return Vec::new();
    }
    let code = code_only(&source.text);
    let mut faults = faults_for_words(source, &code, &["todo!", "unimplemented!", "dbg!"]);
    faults.extend(fault_if(code.contains("#[ignore"), source, "ignores a test"));
    faults
}

/// Paths of a developer's machine and hosts of registries mean nothing to the reader and break elsewhere.
fn no_place_of_ours(source: &Source) -> Vec<String> {
    if source.path == "Cargo.lock" {
        return Vec::new();
    }
    // Put together here, so that this file does not name them.
    let places = [
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/wo", "rk/"),
        concat!("/tm", "p/wt"),
        concat!("arti", "factory"),
        concat!("index.crates", ".io"),
        concat!("static.crates", ".io"),
        concat!("deb.debian", ".org"),
        concat!("registry.npm", "js"),
        concat!("pypi", ".org"),
    ];
    places.iter().filter_map(|place| fault_if(source.text.contains(place), source, &format!("names {place}"))).collect()
}

fn tables_in_one_module(source: &Source) -> Vec<String> {
    // A benchmark holds the form of the store that was not chosen against the one that was.
    let is_bench = source.path.starts_with("appliance/benches/");
    if !is_rust(source) || is_bench || source.path == "appliance/src/store/tables.rs" {
        return Vec::new();
    }
    faults_for_words(source, &code_only(&source.text), &["TableDefinition", "MultimapTableDefinition"])
}

/// Paths and texts.
#[cfg(test)]
type Files = &'static [(&'static str, &'static str)];

/// For every rule: files that it must refuse, and files beside them that it must let pass.
#[cfg(test)]
const CASES: &[(Rule, Files, Files)] = &[
    (
        actix_in_the_appliance_alone,
        &[("drivers/src/lib.rs", "use actix::Actor;"), ("core/src/lib.rs", "actix_web::get")],
        &[("appliance/src/lib.rs", "use actix::Actor;"), ("core/src/lib.rs", "//! no actix here")],
    ),
    (
        unsafe_in_its_places,
        &[
            ("core/src/lib.rs", "unsafe { f() }"),
            ("appliance/src/main.rs", "#![allow(unsafe_code)]"),
            ("drivers/src/link.rs", "#![allow(unsafe_code)]\nunsafe fn f() {}"),
            ("plugins/abi/src/lib.rs", "unsafe fn f() {}"),
        ],
        &[
            ("plugins/abi/src/lib.rs", "#![allow(unsafe_code)]\nunsafe fn f() {}"),
            ("drivers/src/plugin/child.rs", "#![allow(unsafe_code)]\nunsafe fn f() {}"),
            ("core/src/lib.rs", "// unsafe is for others"),
        ],
    ),
    (
        core_is_pure,
        &[
            ("core/src/a.rs", "let now = Utc::now();"),
            ("core/src/a.rs", "use chrono::Local;"),
            ("core/src/a.rs", "std::time::SystemTime::now()"),
            ("core/src/a.rs", "Instant::now()"),
            ("core/src/a.rs", "getrandom::fill(&mut id)"),
            ("core/src/a.rs", "rand::random()"),
            ("core/src/a.rs", "std::fs::read(path)"),
            ("core/src/a.rs", "std::net::TcpStream::connect(a)"),
            ("core/src/a.rs", "std::env::var(name)"),
            ("core/src/a.rs", "tokio::spawn(task)"),
            ("core/src/a.rs", "async fn step() {}"),
        ],
        &[("core/src/a.rs", "fn step(now: DateTime<Utc>) {}"), ("drivers/src/a.rs", "Instant::now()")],
    ),
    (
        module_opens_with_its_purpose,
        &[("core/src/a.rs", "use x;\n//! late"), ("tests/tests/a.rs", "")],
        &[("core/src/a.rs", "//! Owns.\n"), ("README.md", "# no Rust")],
    ),
    (
        file_name_tells,
        &[("core/src/util.rs", ""), ("appliance/src/common/mod.rs", ""), ("drivers/src/helper.rs", "")],
        &[("core/src/plate.rs", ""), ("core/src/database.rs", "")],
    ),
    (
        no_test_sleeps,
        &[
            ("tests/src/a.rs", "std::thread::sleep(d);"),
            ("core/src/a.rs", "#[cfg(test)]\nmod tests { fn f() { sleep(d) } }"),
            ("drivers/src/link/tests.rs", "tokio::time::sleep(d).await"),
            ("drivers/tests/link.rs", "sleep_until(d).await"),
        ],
        &[("drivers/src/link.rs", "tokio::time::sleep(d).await"), ("tests/src/a.rs", "// never sleep(here)")],
    ),
    (
        nothing_left_undone,
        &[
            ("core/src/a.rs", "todo!()"),
            ("core/src/a.rs", "unimplemented!()"),
            ("core/src/a.rs", "#[ignore]\nfn t() {}"),
        ],
        &[("core/src/a.rs", "// todo!() is refused")],
    ),
    (
        no_place_of_ours,
        &[
            ("README.md", concat!("see /wo", "rk/x")),
            ("tests/run", concat!("/ho", "me/me")),
            ("a.toml", concat!("pypi", ".org")),
        ],
        &[("README.md", "see tests/run"), ("Cargo.lock", concat!("index.crates", ".io"))],
    ),
    (
        tables_in_one_module,
        &[("appliance/src/store/writer.rs", "const T: TableDefinition<u64, u64> = x;")],
        &[("appliance/src/store/tables.rs", "const T: TableDefinition<u64, u64> = x;")],
    ),
];

#[cfg(test)]
fn found(rule: Rule, path: &str, text: &str) -> Vec<String> {
    rule(&Source { path: path.to_owned(), text: text.to_owned() })
}

#[test]
fn every_rule_refuses_a_file_that_breaks_it() {
    for (rule, refused, _) in CASES {
        for (path, text) in *refused {
            assert!(!found(*rule, path, text).is_empty(), "nothing found in {path}: {text}");
        }
    }
}

#[test]
fn no_rule_refuses_a_file_that_keeps_it() {
    for (rule, _, kept) in CASES {
        for (path, text) in *kept {
            assert_eq!(found(*rule, path, text), Vec::<String>::new(), "{path}: {text}");
        }
    }
}

#[test]
fn a_file_of_501_lines_is_found_and_one_of_500_is_not() {
    assert_eq!(found(file_is_short, "core/src/a.rs", &"x\n".repeat(501)).len(), 1);
    assert_eq!(found(file_is_short, "core/src/a.rs", &"x\n".repeat(500)).len(), 0);
}

#[test]
fn no_rule_goes_without_a_file_that_it_refuses() {
    // The length of a file has a test of its own, above.
    assert_eq!(RULES.len(), CASES.len() + 1);
}
