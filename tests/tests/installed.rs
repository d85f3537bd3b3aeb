//! Asserts that what lies in systemd/ is right by the judgement of the programs that read it: systemd, promtool and
//! mosquitto. It needs no box, beyond that its executable is there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tollhouse_tests::{Mosquitto, PATIENCE, Running, program_of_the_box};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd").join(name)
}

/// Runs a program and gives what it said and whether it was content; nothing when it is not on this machine.
fn judged(program: &str, arguments: &[&str]) -> Option<(String, std::process::ExitStatus)> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Some((said, output.status))
}

#[test]
fn systemd_finds_no_fault_in_the_unit_and_one_in_a_broken_one() {
    let folder = TempDir::new().expect("a temporary folder");
    let unit = fs::read_to_string(shipped("tollhouse.service")).expect("the unit is there");
    // The box is not installed on this machine: the unit is judged with the executable that was built.
    let unit = unit.replace("/usr/bin/tollhouse", &program_of_the_box().display().to_string());
    let path = folder.path().join("tollhouse.service");
    fs::write(&path, &unit).expect("a copy can be written");
    let Some((said, status)) = judged("systemd-analyze", &["verify", &path.display().to_string()]) else {
        // A machine without systemd; the others judge it.
        return;
    };
    assert!(status.success() && !said.contains("tollhouse.service"), "{said}");
    fs::write(&path, unit.replace("ExecStart=", "ExecSart=")).expect("a copy can be written");
    let (said, _) = judged("systemd-analyze", &["verify", &path.display().to_string()]).expect("it was there just now");
    assert!(said.contains("ExecSart"), "a planted fault is not found: {said}");
}

#[test]
fn systemd_would_make_the_account_and_the_folders() {
    let account = shipped("tollhouse.sysusers.conf").canonicalize().expect("it is there");
    if let Some((said, status)) = judged("systemd-sysusers", &["--dry-run", &account.display().to_string()]) {
        assert!(status.success(), "{said}");
    }
    let folders = shipped("tollhouse.tmpfiles.conf").canonicalize().expect("it is there");
    let root = TempDir::new().expect("a temporary folder");
    // In a root of its own, so that nothing of this machine is touched; the account is not known there.
    let text = fs::read_to_string(&folders).expect("it can be read");
    let nobody = |line: &str| line.replace("tollhouse -", "- -").replace(" tollhouse ", " - ").replace(" root ", " - ");
    let text: Vec<String> = text.lines().map(nobody).collect();
    let copy = root.path().join("tollhouse.conf");
    fs::write(&copy, text.join("\n") + "\n").expect("a copy can be written");
    let root_argument = format!("--root={}", root.path().display());
    if let Some((said, status)) = judged("systemd-tmpfiles", &["--create", &root_argument, &copy.display().to_string()])
    {
        assert!(status.success(), "{said}");
        assert!(root.path().join("var/lib/tollhouse").is_dir(), "{said}");
    }
}

#[test]
fn promtool_finds_no_fault_in_the_alert_rules_and_one_in_a_broken_copy() {
    let rules = shipped("prometheus/tollhouse.rules.yml");
    let (said, status) =
        judged("promtool", &["check", "rules", &rules.display().to_string()]).expect("promtool is installed");
    assert!(status.success(), "{said}");
    let folder = TempDir::new().expect("a temporary folder");
    let broken = folder.path().join("broken.yml");
    let text = fs::read_to_string(&rules).expect("the rules are there");
    fs::write(&broken, text.replacen("== 0", "== ==", 1)).expect("a copy can be written");
    let (said, status) =
        judged("promtool", &["check", "rules", &broken.display().to_string()]).expect("promtool is installed");
    assert!(!status.success(), "a planted fault is not found: {said}");
}

#[test]
fn a_device_says_and_hears_only_what_is_its_own() {
    let folder = TempDir::new().expect("a temporary folder");
    let passwords = folder.path().join("passwords");
    fs::write(&passwords, "").expect("a file can be written");
    for account in ["tollhouse", "cam-in-1", "gate-in-1"] {
        let path = passwords.display().to_string();
        let (said, status) =
            judged("mosquitto_passwd", &["-b", &path, account, "secret"]).expect("mosquitto is installed");
        assert!(status.success(), "{said}");
    }
    let acl = folder.path().join("acl");
    fs::copy(shipped("mosquitto/tollhouse.acl"), &acl).expect("a copy can be made");
    let settings = fs::read_to_string(shipped("mosquitto/tollhouse.conf")).expect("the settings are there");
    let settings: Vec<&str> = settings.lines().filter(|line| !line.starts_with("listener")).collect();
    let settings = settings
        .join("\n")
        .replace("/etc/mosquitto/tollhouse.passwd", &passwords.display().to_string())
        .replace("/etc/mosquitto/tollhouse.acl", &acl.display().to_string());
    let broker = Mosquitto::start_with(&settings);
    let port = broker.address().port().to_string();

    let hears = |account: &str, topic: &str| {
        let arguments = ["-p", &port, "-u", account, "-P", "secret", "-q", "1", "-d", "-t", topic, "-F", "%t %p"];
        let ear =
            Running::start("mosquitto_sub", Command::new("stdbuf").args(["-oL", "mosquitto_sub"]).args(arguments));
        assert!(ear.line("Subscribed", PATIENCE).is_some(), "{account} cannot subscribe to {topic}");
        ear
    };
    let says = |account: &str, password: &str, topic: &str| {
        let arguments = ["-p", &port, "-u", account, "-P", password, "-q", "1", "-t", topic, "-m", "said"];
        judged("mosquitto_pub", &arguments).expect("mosquitto-clients is installed").1.success()
    };
    let the_box = hears("tollhouse", "tollhouse/v1/#");
    let barrier = hears("gate-in-1", "tollhouse/v1/demo/gate-in-1/cmd/#");
    let camera = hears("cam-in-1", "tollhouse/v1/#");

    assert!(!says("cam-in-1", "wrong", "tollhouse/v1/demo/cam-in-1/event/plate"), "a wrong password is refused");
    // Not its own: the broker takes these and lets nobody hear them.
    says("cam-in-1", "secret", "tollhouse/v1/demo/gate-in-1/event/passed");
    says("cam-in-1", "secret", "tollhouse/v1/demo/gate-in-1/cmd/open");
    says("gate-in-1", "secret", "tollhouse/v1/demo/gate-in-1/cmd/open");
    // Its own, and the box's: when these have arrived, so would have the others.
    says("cam-in-1", "secret", "tollhouse/v1/demo/cam-in-1/event/plate");
    says("tollhouse", "secret", "tollhouse/v1/demo/gate-in-1/cmd/close");
    says("tollhouse", "secret", "tollhouse/v1/demo/cam-in-1/cmd/snapshot");

    assert!(the_box.line("tollhouse/v1/demo/cam-in-1/event/plate", PATIENCE).is_some());
    assert!(barrier.line("tollhouse/v1/demo/gate-in-1/cmd/close", PATIENCE).is_some());
    assert!(camera.line("tollhouse/v1/demo/cam-in-1/cmd/snapshot", PATIENCE).is_some());
    for (who, ear) in [("the box", the_box), ("the barrier", barrier), ("the camera", camera)] {
        let lines: Vec<String> = ear.said().into_iter().filter(|line| line.starts_with("tollhouse/")).collect();
        assert!(!lines.iter().any(|line| line.contains("passed") || line.contains("open")), "{who} heard {lines:?}");
        assert!(who != "the camera" || lines.len() == 1, "the camera heard what is not its own: {lines:?}");
    }
}
