//! A device in Python at a broker, and its examination.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tollhouse_core::id::{DeviceId, LotId};
use tollhouse_drivers::check::{Audience, MqttExamination, MqttReport, Outcome, Verdict, examine_mqtt};

/// Longer than a broker takes to start.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The interpreter that `tests/run` sets up with the packages of tests/requirements.txt.
fn python() -> PathBuf {
    let host = Path::new(env!("CARGO_BIN_EXE_tollhouse-plugin-host"));
    let target = host.ancestors().nth(2).expect("an executable lies in target/PROFILE");
    let python = target.join("venv/bin/python");
    assert!(python.exists(), "no {}: run `tests/run setup` first", python.display());
    python
}

/// A device that runs, killed when it goes out of scope.
pub(crate) struct Device(Child);

impl Device {
    /// The example, or the example with a defect.
    pub(crate) fn start(name: &str, port: u16, defect: Option<&str>) -> Self {
        let example = root().join("../plugins/examples/mqtt");
        let script = match defect {
            None => example.join("device.py"),
            Some(_) => root().join("tests/conformance/planted.py"),
        };
        let child = Command::new(python())
            .arg("-B")
            .arg(script)
            .args([name, "--broker", &format!("127.0.0.1:{port}"), "--lot", "demo"])
            .env("EXAMPLE", example)
            .env("DEFECT", defect.unwrap_or_default())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python runs");
        Self(child)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Silent;

impl Audience for Silent {
    fn begins(&mut self, _id: &'static str, _rule: &'static str) {}
    fn ended(&mut self, _verdict: &Verdict) {}
}

/// Examines a device; all checks when `only` is empty.
pub(crate) fn examined(name: &str, port: u16, only: &[&str]) -> MqttReport {
    let examination = MqttExamination {
        device: DeviceId::new(name).expect("a name"),
        lot: LotId::new("demo").expect("a name"),
        host: "127.0.0.1".to_owned(),
        port,
        login: None,
        device_password: None,
        patience: Duration::from_secs(5),
        only: only.iter().map(|id| (*id).to_owned()).collect(),
    };
    examine_mqtt(&examination, &mut Silent).expect("the broker is there")
}

/// The checks that ended so, each with what was found.
pub(crate) fn ended(report: &MqttReport, outcome: Outcome) -> Vec<String> {
    let of = |verdict: &&Verdict| verdict.outcome == outcome;
    report.checks.iter().filter(of).map(|verdict| format!("{}: {:?}", verdict.id, verdict.findings)).collect()
}
