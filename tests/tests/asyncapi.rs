//! Owns the judgement of docs/asyncapi.yaml by the AsyncAPI initiative's own parser (a package of npm, which `tests/run`
//! installs), and that of its examples by the box's own readers' rules. It needs no box.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use tollhouse_tests::program_of_the_box;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What the parser says of a document, line by line, and whether it takes it.
fn judged(document: &Path) -> (Vec<Value>, bool) {
    let program = program_of_the_box();
    let target = program.ancestors().nth(2).expect("the executable lies in target/PROFILE");
    let packages = target.join("asyncapi");
    assert!(packages.join("node_modules").exists(), "no {}: run `tests/run setup` first", packages.display());
    let judge = root().join("tests/asyncapi/judge.mjs");
    let output = Command::new("node").arg(judge).arg(document).arg(packages).output().expect("node is installed");
    let said = String::from_utf8(output.stdout).expect("text");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines = said.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?} {complaint}")));
    (lines.collect(), output.status.success())
}

#[test]
fn the_initiatives_own_parser_takes_the_contract() {
    let (said, taken) = judged(&root().join("docs/asyncapi.yaml"));
    // 0 is an error and 1 a warning; that a newer version of the language is out is neither.
    let faults: Vec<&Value> = said.iter().filter(|line| line["severity"].as_u64().is_some_and(|s| s < 2)).collect();
    assert!(taken && faults.is_empty(), "{faults:?}");
    let read = said.last().expect("it says what it has read");
    assert_eq!(read["version"], "3.0.0");
    assert!(read["channels"].as_u64() >= Some(11), "{read}");
}

#[test]
fn it_finds_what_is_broken_in_a_broken_one() {
    let folder = TempDir::new().expect("a temporary folder");
    let contract = std::fs::read_to_string(root().join("docs/asyncapi.yaml")).expect("the contract is there");
    for (whole, broken, why) in [
        ("action: receive", "action: hear", "an action that there is not"),
        ("$ref: '#/channels/eventPlate'", "$ref: '#/channels/nowhere'", "a channel that there is not"),
        ("occupied: {type: boolean}", "occupied: {type: bool}", "a type that there is not"),
        ("asyncapi: 3.0.0", "asyncapi: 3", "a version that there is not"),
    ] {
        assert!(contract.contains(whole), "the contract has changed: {whole}");
        let path = folder.path().join("broken.yaml");
        std::fs::write(&path, contract.replacen(whole, broken, 1)).expect("written");
        let (said, taken) = judged(&path);
        let found = said.iter().any(|line| line["severity"].as_u64().is_some_and(|severity| severity < 2));
        assert!(!taken || found, "{why} is not found");
    }
}
