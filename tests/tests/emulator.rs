//! Holds the emulator of the payment providers to its judges: the independent npm clients must be content with it, and must
//! find every defect that is planted in it. It must not know what the judges look at; tests/emulator/check runs them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/emulator/check");
/// The issue asks for ten defects; each provider has that many for itself.
const FEWEST_DEFECTS: usize = 10;

/// The folder into which `tests/run` installs the packages of Python and Node.
fn target() -> PathBuf {
    let here = std::env::current_exe().expect("a program knows its own place");
    let target = here.ancestors().find(|folder| folder.join("venv/bin/python").is_file());
    target.expect("no venv beside the build: run `tests/run setup` first").to_owned()
}

fn check_with(packages: &Path, only: &[&str]) -> Output {
    let mut check = Command::new(target().join("venv/bin/python"));
    check.arg(CHECK).arg("--packages").arg(packages).arg("--only").args(only);
    check.output().expect("Python runs")
}

/// The lines of the check about what it was asked for. All of it must have passed.
fn passed(only: &[&str]) -> Vec<String> {
    let output = check_with(&target().join("judges"), only);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{said}");
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    said.lines().filter_map(|line| line.strip_prefix("pass ")).map(str::to_owned).collect()
}

fn assert_defects_found(group: &str) {
    let found = passed(&[group]);
    assert!(found.len() >= FEWEST_DEFECTS, "only {} defects are planted", found.len());
    assert!(found.iter().all(|line| line.starts_with("defect ") && line.contains(" is found by ")), "{found:?}");
}

#[test]
fn the_emulator_agrees_with_the_published_samples() {
    assert_eq!(passed(&["selftest"]).len(), 1);
}

#[test]
fn the_independent_clients_are_content_with_the_emulator() {
    let verdicts = passed(&["wechat", "alipay"]);
    assert_eq!(verdicts.len(), 2, "{verdicts:?}");
}

#[test]
fn every_defect_planted_at_wechat_is_found() {
    assert_defects_found("defects-of-wechat");
}

#[test]
fn every_defect_planted_at_alipay_is_found() {
    assert_defects_found("defects-of-alipay");
}

#[test]
fn a_check_that_cannot_look_does_not_pass() {
    let nowhere = tempfile::tempdir().expect("a folder of our own");
    assert!(!check_with(nowhere.path(), &["wechat"]).status.success(), "it passes without its judges");
    assert!(!check_with(&target().join("judges"), &["nothing"]).status.success(), "it passes with nothing to look at");
}
