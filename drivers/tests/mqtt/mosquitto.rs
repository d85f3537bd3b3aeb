//! A real mosquitto on a free port, ended with the test that started it.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use crate::stage::PATIENCE;

/// Whether the broker remembers sessions beyond its own end.
#[derive(Clone, Copy)]
pub(crate) enum Memory {
    Lasting,
    Fleeting,
}

/// A running broker, killed when it goes out of scope.
pub(crate) struct Mosquitto {
    pub(crate) port: u16,
    config: PathBuf,
    child: Child,
    _folder: TempDir,
}

impl Mosquitto {
    pub(crate) async fn start(memory: Memory) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let config = folder.path().join("mosquitto.conf");
        for _ in 0..5 {
            let port = free_port();
            let place = folder.path().display();
            let lasting = match memory {
                Memory::Lasting => "persistence true\nautosave_on_changes true\nautosave_interval 1\n",
                Memory::Fleeting => "",
            };
            let text = format!(
                "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_inflight_messages 1000\n\
                 max_queued_messages 100000\nuser root\npersistence_location {place}/\n{lasting}"
            );
            std::fs::write(&config, text).expect("a configuration can be written");
            if let Some(child) = launch(&config, port).await {
                return Self { port, config, child, _folder: folder };
            }
        }
        panic!("mosquitto found no port");
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("our own child can be killed");
        self.child.wait().expect("our own child can be waited for");
    }

    pub(crate) async fn start_again(&mut self) {
        self.child = launch(&self.config, self.port).await.expect("mosquitto starts again on its own port");
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// The broker once it accepts; nothing if it ends instead.
async fn launch(config: &PathBuf, port: u16) -> Option<Child> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let mut child = Command::new("mosquitto")
        .arg("-c")
        .arg(config)
        .env("PATH", path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("mosquitto is installed");
    let accepts = async {
        let mut again = interval(Duration::from_millis(5));
        loop {
            again.tick().await;
            if child.try_wait().expect("our own child can be asked").is_some() {
                return None;
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
                return Some(());
            }
        }
    };
    timeout(PATIENCE, accepts).await.expect("mosquitto listens in time").map(|()| child)
}
