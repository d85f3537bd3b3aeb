//! `tollhouse driver ...` as a vendor types it: a new project of each language builds and passes the check as it is.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tollhouse::commands::driver::{Language, Project, write};

const TOLLHOUSE: &str = env!("CARGO_BIN_EXE_tollhouse");

fn tollhouse(args: &[&str], folder: &Path) -> Output {
    Command::new(TOLLHOUSE).args(args).current_dir(folder).output().expect("tollhouse runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Builds a new project with `make`, and returns its folder and library.
fn built(language: Language, place: &Path) -> (PathBuf, PathBuf) {
    let project = Project::named("acme.gate-7", language).expect("a name");
    let folder = write(&project, place).expect("a project");
    let output = Command::new("make")
        .current_dir(&folder)
        // The crates are there already, since this test was built with them.
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .expect("make runs");
    assert!(output.status.success(), "{language:?}: {}", said(&output));
    let library = folder.join(project.library());
    assert!(library.is_file(), "{language:?} leaves {}", library.display());
    (folder, library)
}

fn passes(language: Language) {
    let place = tempfile::tempdir().expect("a temporary folder");
    let (folder, library) = built(language, place.path());
    let file = library.to_string_lossy();
    let output = tollhouse(&["driver", "check", &file, "--json"], &folder);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|fault| panic!("{fault}: {}", said(&output)));
    let wrong: Vec<&Value> = report["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .filter(|check| check["outcome"] == "fail" || check["outcome"] == "warn")
        .collect();
    assert!(output.status.success() && report["ok"] == true && wrong.is_empty(), "{language:?}: {wrong:?}");
    let info = tollhouse(&["driver", "info", &file, "--json"], &folder);
    let descriptor: Value = serde_json::from_slice(&info.stdout).expect("JSON");
    assert_eq!(descriptor["id"], "acme.gate-7");
}

#[test]
fn a_new_c_project_builds_and_passes_the_check() {
    passes(Language::C);
}

#[test]
fn a_new_cpp_project_builds_and_passes_the_check() {
    passes(Language::Cpp);
}

#[test]
fn a_new_rust_project_builds_outside_our_workspace_and_passes_the_check() {
    passes(Language::Rust);
}

#[test]
fn new_writes_a_folder_once_and_says_what_is_next() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let new = |name| tollhouse(&["driver", "new", "--lang", "c", name], place.path());
    let first = new("acme.barrier");
    assert!(first.status.success() && said(&first).contains("cd acme-barrier"), "{}", said(&first));
    let again = new("acme.barrier");
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));
    assert!(said(&again).contains("is there already"), "{}", said(&again));
    assert_eq!(new("Acme Barrier").status.code(), Some(2));
}

#[test]
fn a_failure_is_told_with_its_reason_its_remedy_and_a_command_that_repeats_it() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let project = Project::named("acme.gate", Language::C).expect("a name");
    let folder = write(&project, place.path()).expect("a project");
    let source = folder.join("acme-gate.c");
    let text = std::fs::read_to_string(&source).expect("the source");
    let broken = text.replace(
        "return self->host->complete(",
        "self->host->complete(self->host, cmd_id, TOLLHOUSE_OK, text(\"\"));\n    return self->host->complete(",
    );
    assert_ne!(text, broken);
    std::fs::write(&source, broken).expect("the source");
    assert!(Command::new("make").current_dir(&folder).output().expect("make runs").status.success());
    let output = tollhouse(&["driver", "check", "libacme-gate.so", "--only", "command-once", "--seed", "42"], &folder);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for words in ["FAIL  command-once", "completed 2 times", "-> keep one owner", "1 failed"] {
        assert!(told.contains(words), "{words} in {told}");
    }
    let again = told.lines().find_map(|line| line.trim().strip_prefix("again: tollhouse ")).expect("the command");
    assert_eq!(again, "driver check libacme-gate.so --only command-once --seed 42");
    let repeated = tollhouse(&again.split(' ').collect::<Vec<_>>(), &folder);
    assert!(said(&repeated).contains("completed 2 times"), "{}", said(&repeated));
}

#[test]
fn list_tells_each_driver_of_a_folder_and_a_file_that_is_none() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let (folder, _) = built(Language::C, place.path());
    let listed = tollhouse(&["driver", "list", "."], &folder);
    assert!(listed.status.success() && said(&listed).contains("acme.gate-7 1.0.0"), "{}", said(&listed));
    std::fs::write(folder.join("notes.so"), "no driver").expect("a file");
    let listed = tollhouse(&["driver", "list", ".", "--json"], &folder);
    assert_eq!(listed.status.code(), Some(1));
    let drivers: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!(drivers[0]["id"], "acme.gate-7");
    assert!(drivers[1]["fault"].as_str().expect("a fault").contains("notes.so"), "{drivers}");
}

#[test]
fn a_signed_library_is_trusted_under_its_key_and_an_altered_one_is_not() {
    use tollhouse_drivers::plugin::signature::VerifyingKey;
    use tollhouse_drivers::plugin::{SealedLibrary, Trust, VendorKey};

    let place = tempfile::tempdir().expect("a temporary folder");
    let (folder, library) = built(Language::C, place.path());
    std::fs::write(folder.join("password"), "correct horse\n").expect("a file");
    let made = tollhouse(&["driver", "keygen", "acme", "--password-file", "password"], &folder);
    assert!(made.status.success() && said(&made).contains("[[driver_keys]]"), "{}", said(&made));
    let again = tollhouse(&["driver", "keygen", "acme"], &folder);
    assert!(again.status.code() == Some(1) && said(&again).contains("there already"), "{}", said(&again));
    let file = library.file_name().expect("a name").to_string_lossy().into_owned();
    let sign = |more: &[&str]| tollhouse(&[&["driver", "sign", &file, "--key", "acme.key"], more].concat(), &folder);
    assert_eq!(sign(&[]).status.code(), Some(1), "without its password the key signs nothing");
    let signed = sign(&["--password-file", "password"]);
    assert!(signed.status.success() && said(&signed).contains("acme.gate-7 1.0.0"), "{}", said(&signed));

    let key = std::fs::read_to_string(folder.join("acme.pub")).expect("the public key");
    let key = VerifyingKey::read(&key).expect("a key");
    let trust = Trust {
        keys: vec![VendorKey { vendor: "Acme".to_owned(), key, drivers: vec!["acme.gate-7".to_owned()] }],
        ..Trust::default()
    };
    let taken = SealedLibrary::take(&library, &trust).expect("trusted");
    let (statement, _) = taken.identity().signed.clone().expect("signed");
    assert_eq!(statement.id, "acme.gate-7");
    let mut bytes = std::fs::read(&library).expect("the library");
    *bytes.last_mut().expect("not empty") ^= 1;
    std::fs::write(&library, bytes).expect("altered");
    assert!(SealedLibrary::take(&library, &trust).is_err());
}

#[test]
fn what_cannot_be_checked_is_refused_in_words() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let file = place.path().join("notes.so");
    std::fs::write(&file, "no driver").expect("a file");
    let check = |args: &[&str]| tollhouse(&[&["driver", "check"], args].concat(), place.path());
    for (args, code, words) in [
        (&["missing.so"][..], 1, "cannot be read"),
        (&["notes.so", "--only", "manners"], 1, "no check is called"),
        (&["notes.so", "--config", "notes.so"], 1, "is no JSON"),
        (&["notes.so"], 1, "FAIL  table"),
        (&[], 2, "FILE"),
    ] {
        let output = check(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
        assert!(said(&output).contains(words), "{args:?}: {}", said(&output));
    }
    let listed = said(&check(&["--list"]));
    assert!(listed.contains("command-once") && listed.contains("leak-memory"), "{listed}");
}
