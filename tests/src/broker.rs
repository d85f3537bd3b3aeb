//! Owns the real mosquitto of a test: a port of its own, a folder for what it keeps, and its end and return.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::process::{Running, Signal, free_port};
use crate::wait::{PATIENCE, eventually};

/// What `systemd/mosquitto.conf` sets beyond accounts; what those are for is told there.
const SETTINGS: &str = "allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 2000
max_queued_messages 100000
";

/// What lets a broker be killed without losing what it has acknowledged. It writes out all that it holds after each change,
/// which a hundred messages a second can bear and a thousand cannot; so only tests that kill the broker ask for it.
const DURABLE: &str = "autosave_on_changes true
autosave_interval 1
";

/// A broker that can be killed and started again on the same port with what it kept.
#[derive(Debug)]
pub struct Mosquitto {
    process: Running,
    config: PathBuf,
    port: u16,
    _folder: TempDir,
}

impl Mosquitto {
    /// Starts one on a free port that lets everybody in.
    pub fn start() -> Self {
        Self::start_with(SETTINGS)
    }

    /// Starts one on a free port that lets everybody in and keeps what it has acknowledged, as an installed one does.
    pub fn start_durable() -> Self {
        Self::start_with(&format!("{SETTINGS}{DURABLE}"))
    }

    /// Starts one on a free port with settings of one's own; listener and place of persistence are added.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_with(settings: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let config = folder.path().join("mosquitto.conf");
        // A port found free may be gone when it is used: a few are tried.
        for _ in 0..5 {
            let port = free_port();
            let place = folder.path().display();
            // As root it would change to a user who may not write here.
            let text = format!(
                "{settings}\nlistener {port} 127.0.0.1\npersistence true\npersistence_location {place}/\nuser root\n"
            );
            fs::write(&config, text).expect("a configuration can be written");
            if let Some(process) = launch(&config, port) {
                return Self { process, config, port, _folder: folder };
            }
        }
        panic!("mosquitto found no port; does `mosquitto -c {}` start by hand?", config.display());
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The id of its process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.process.signal(Signal::Kill);
        self.process.wait(PATIENCE);
    }

    /// Starts it again where it was, with what it kept.
    pub fn start_again(&mut self) {
        self.process = launch(&self.config, self.port).expect("mosquitto starts again on its own port");
    }
}

/// Starts mosquitto and waits until it accepts; nothing when it ends instead.
fn launch(config: &PathBuf, port: u16) -> Option<Running> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let mut process = Running::start("mosquitto", Command::new("mosquitto").arg("-c").arg(config).env("PATH", path));
    let accepts = eventually("mosquitto to listen", PATIENCE, || match process.ended() {
        Some(_) => Some(false),
        None => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(|_| true),
    });
    accepts.then_some(process)
}
