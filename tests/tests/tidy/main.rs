//! Asserts on the sources what the house promises: which crate may see which, where `unsafe` and actix stand, that core
//! reads no clock. It must not run the box.

mod dependencies;
mod rules;
mod source;

use std::fmt::Write as _;

use source::{Source, project_files};

fn assert_kept(rule: &str, check: fn(&Source) -> Vec<String>) {
    let faults: Vec<String> = project_files().iter().flat_map(check).collect();
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

#[test]
fn the_whole_project_is_looked_at() {
    let files = project_files();
    for path in ["Cargo.toml", "core/src/lib.rs", "tests/tests/tidy/main.rs", "tests/run"] {
        assert!(files.iter().any(|source| source.path == path), "{path} was not looked at");
    }
}

#[test]
fn dependencies_run_one_way_between_the_crates() {
    assert_kept("dependencies run one way", dependencies::direction);
}

#[test]
fn every_file_keeps_the_house_rules() {
    let files = project_files();
    let mut report = String::new();
    for (rule, check) in rules::RULES {
        let faults: Vec<String> = files.iter().flat_map(check).collect();
        if !faults.is_empty() {
            let _ = writeln!(report, "\n{rule}:\n  {}", faults.join("\n  "));
        }
    }
    assert!(report.is_empty(), "{report}");
}
