//! Owns the box under test: the real executable, its start, its addresses, its end and its return on the same data.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::time::{Duration, Instant};

use crate::http::Http;
use crate::process::{Running, Signal, free_port, program_of_the_box};
use crate::wait::{PATIENCE, eventually};

/// Who drives in the demo's sample estate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estate {
    /// Nobody: the test is camera and barrier.
    Quiet,
    /// The demo's own cars, in a hurry.
    Driving,
}

/// How the box was started, so that it can be started again.
#[derive(Clone, Debug)]
enum Start {
    Demo { data: PathBuf, estate: Estate },
    Run { config: PathBuf, http: SocketAddr },
}

/// A box that runs.
#[derive(Debug)]
pub struct TheBox {
    process: Running,
    start: Start,
    /// Where its pages and calls are.
    pub http: Http,
    /// Where its devices connect; of an installed box, nothing, for the broker is not its own.
    pub mqtt: Option<SocketAddr>,
    /// What the demo prints for its administrator.
    pub admin_password: String,
    /// From the start of the process until it was ready.
    pub ready_after: Duration,
}

impl TheBox {
    /// Starts `tollhouse demo` with free ports on `data`, and waits until it is ready.
    pub fn demo(data: &Path, estate: Estate) -> Self {
        Self::begin(Start::Demo { data: data.to_owned(), estate })
    }

    /// Writes what `config` makes of a free HTTP address, starts `tollhouse run` with it, and waits until it is ready.
    pub fn run(folder: &Path, config: impl Fn(SocketAddr) -> String) -> Self {
        let http: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let path = folder.join("tollhouse.toml");
        std::fs::write(&path, config(http)).expect("a configuration can be written");
        Self::begin(Start::Run { config: path, http })
    }

    fn begin(start: Start) -> Self {
        let began = Instant::now();
        let mut command = Command::new(program_of_the_box());
        match &start {
            Start::Demo { data, estate } => {
                command.args(["demo", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data"]).arg(data);
                match estate {
                    Estate::Quiet => command.arg("--quiet-estate"),
                    Estate::Driving => command.args(["--speed", "10"]),
                };
            }
            Start::Run { config, .. } => {
                command.args(["run", "--config"]).arg(config);
            }
        }
        let mut process = Running::start("tollhouse", &mut command);
        let (base, mqtt, admin_password) = match &start {
            Start::Demo { .. } => {
                line(&mut process, "ready");
                let mqtt = line(&mut process, "mqtt: ").trim().parse().expect("the demo prints an address for MQTT");
                // Printed with the addresses; on data that has its administrator already there is none to tell.
                let password = process.line("admin password: ", Duration::ZERO).unwrap_or_default();
                (line(&mut process, "http: "), Some(mqtt), password)
            }
            Start::Run { http, .. } => (format!("http://{http}"), None, String::new()),
        };
        let http = Http::new(base.trim());
        eventually("the box to be ready", PATIENCE, || {
            assert!(process.ended().is_none(), "the box ended before it was ready");
            http.try_get("/readyz").ok().filter(|answer| answer.status == 200)
        });
        Self { process, start, http, mqtt, admin_password, ready_after: began.elapsed() }
    }

    /// Where the demo's devices connect.
    ///
    /// # Panics
    /// On an installed box: its broker is not its own.
    pub fn broker(&self) -> SocketAddr {
        self.mqtt.expect("only the demo brings its own broker")
    }

    /// Starts it again on the same data after it has ended.
    pub fn start_again(&mut self) {
        let ended = self.process.ended();
        assert!(ended.is_some(), "the box still runs");
        *self = Self::begin(self.start.clone());
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.process.signal(Signal::Kill);
        self.process.wait(PATIENCE);
    }

    /// Asks it to end and tells how it did, and how long it took.
    pub fn terminate(&mut self) -> (ExitStatus, Duration) {
        self.process.signal(Signal::Terminate);
        self.process.wait(PATIENCE)
    }

    /// The id of its process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// What it printed so far.
    pub fn said(&self) -> Vec<String> {
        self.process.said()
    }

    /// The lines of its log so far.
    pub fn complained(&self) -> Vec<String> {
        self.process.complained()
    }

    /// Runs another command of the same executable to its end, such as `verify`.
    pub fn command(arguments: &[&str]) -> Output {
        Command::new(program_of_the_box()).args(arguments).output().expect("the box's executable runs")
    }

    /// `tollhouse verify` on the data of a box; what it said when it found the data not to be true.
    pub fn verify(data: &Path) -> Result<(), String> {
        let output = Self::command(&["verify", "--json", "--data", &data.display().to_string()]);
        if output.status.success() {
            return Ok(());
        }
        let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Err(format!("{}\n{said}{complained}", output.status))
    }
}

fn line(process: &mut Running, prefix: &str) -> String {
    // In small steps, so that a box that has ended is not waited for.
    eventually(&format!("the box to print `{prefix}`"), PATIENCE, || {
        let found = process.line(prefix, Duration::from_millis(50));
        assert!(found.is_some() || process.ended().is_none(), "the box ended before it printed `{prefix}`");
        found
    })
}
