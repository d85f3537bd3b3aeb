//! Starts an emulator in Python, tells it what to do, and waits with a deadline for what it has to say.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::rig::{DEADLINE, HOST_EXECUTABLE};

/// The drivers of plugins/ that are tested here.
const DRIVERS: &[&str] = &["hikvision", "led", "modbus", "vzenith"];

/// A port that was free a moment ago, for a driver that listens.
pub(crate) fn free_port() -> u16 {
    crate::mosquitto::free_port()
}

/// The interpreter that `tests/run` sets up with the packages of tests/requirements.txt.
fn python() -> PathBuf {
    let target = Path::new(HOST_EXECUTABLE).ancestors().nth(2).expect("an executable lies in target/PROFILE");
    let python = target.join("venv/bin/python");
    assert!(python.exists(), "no {}: run `tests/run setup` first", python.display());
    python
}

/// A driver's library, built in the profile of this test.
pub(crate) fn driver(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let folder = Path::new(HOST_EXECUTABLE).parent().expect("an executable lies in a folder");
    BUILT.get_or_init(|| build(folder));
    folder.join(format!("libtollhouse_driver_{name}.so"))
}

fn build(folder: &Path) {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--lib"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    for package in DRIVERS {
        build.args(["-p", &format!("tollhouse-driver-{package}")]);
    }
    if folder.file_name().is_some_and(|name| name == "release") {
        build.arg("--release");
    }
    if let Some(target) = folder.parent() {
        build.env("CARGO_TARGET_DIR", target);
    }
    assert!(build.status().expect("cargo runs").success(), "the drivers do not build");
}

/// A running emulator; it ends with this value.
pub(crate) struct Emulator {
    process: Child,
    orders: ChildStdin,
    says: UnboundedReceiver<Value>,
    /// Where it is reached.
    pub(crate) address: String,
}

impl Emulator {
    pub(crate) async fn start(script: &str, options: &Value) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/devices/emulators").join(script);
        let mut process = Command::new(python())
            .arg("-u")
            .arg(path)
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python runs");
        let orders = process.stdin.take().expect("it is piped");
        let stdout = process.stdout.take().expect("it is piped");
        let (sender, says) = unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let said = serde_json::from_str(&line).unwrap_or_else(|_| panic!("an emulator says {line:?}"));
                if sender.send(said).is_err() {
                    return;
                }
            }
        });
        let mut emulator = Self { process, orders, says, address: String::new() };
        let ready = emulator.hears("ready").await;
        ready["ready"].as_str().expect("an address").clone_into(&mut emulator.address);
        emulator
    }

    /// Tells it what to do.
    pub(crate) fn tell(&mut self, order: &Value) {
        writeln!(self.orders, "{order}").expect("the emulator runs");
    }

    /// What it has said and nobody has heard yet.
    pub(crate) fn said_so_far(&mut self) -> Option<Value> {
        self.says.try_recv().ok()
    }

    /// Waits for a word that has this field, past others.
    pub(crate) async fn hears(&mut self, field: &str) -> Value {
        self.hears_that(field, |said| said.get(field).is_some()).await
    }

    /// Waits for a word, past others.
    pub(crate) async fn hears_that(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut others = Vec::new();
        loop {
            let said = tokio::time::timeout(DEADLINE, self.says.recv()).await;
            let said = said.unwrap_or_else(|_| panic!("no {what} in time, but {others:?}"));
            let said = said.unwrap_or_else(|| panic!("the emulator ended before {what}, after {others:?}"));
            if wanted(&said) {
                return said;
            }
            others.push(said);
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
