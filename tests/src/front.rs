//! Owns the public front beside a test: the shipped nginx and sshd configuration, the shipped tunnel, and the line between
//! them, which the test can cut. It must not know what the box does behind it.
//!
//! The shipped files are run as they are, but for addresses, names and places.

use std::collections::BTreeMap;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::http::Http;
use crate::process::{Running, Signal, free_port};
use crate::wait::{PATIENCE, eventually};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../systemd");

/// A front with a tunnel to one box.
pub struct Front {
    /// What a phone asks.
    pub http: Http,
    line: Line,
    tunnel: Running,
    _nginx: Running,
    _sshd: Running,
    folder: TempDir,
}

impl Front {
    /// A front for the box at this address, with its tunnel open.
    ///
    /// # Panics
    /// When nginx, sshd or autossh are missing (`tests/run setup` installs them), or the tunnel does not open.
    pub fn before(the_box: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let (http, inner, ssh) = (free_port(), free_port(), free_port());
        keys(folder.path(), inner);
        let sshd = sshd(folder.path(), ssh, inner);
        let nginx = nginx(folder.path(), http, inner);
        let line = Line::to(ssh);
        let host_key = std::fs::read_to_string(at("host_key.pub")).expect("ssh-keygen writes the public key");
        std::fs::write(at("known_hosts"), format!("[127.0.0.1]:{} {host_key}", line.port)).expect("known hosts");
        let tunnel = tunnel(folder.path(), line.port, inner, the_box);
        let front = Self {
            http: Http::new(&format!("http://127.0.0.1:{http}")),
            line,
            tunnel,
            _nginx: nginx,
            _sshd: sshd,
            folder,
        };
        eventually("the tunnel to open", PATIENCE, || TcpStream::connect(("127.0.0.1", inner)).ok());
        eventually("nginx to answer", PATIENCE, || front.http.try_get("/").ok());
        front
    }

    /// The line between box and front is gone, as in a storm.
    pub fn cut(&self) {
        self.line.cut();
    }

    /// The line is back; the tunnel has to find that out by itself.
    pub fn restore(&self) {
        self.line.restore();
    }

    /// Asks the front's sshd for something with the tunnel's own key.
    pub fn ssh(&self, arguments: &[&str]) -> Output {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let mut command = Command::new("ssh");
        command.args(["-F", "none", "-i", &at("tunnel_key"), "-p", &self.line.port.to_string()]);
        command.args(["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=10"]);
        command.args(["-o", &format!("UserKnownHostsFile={}", at("known_hosts")), "-o", "ExitOnForwardFailure=yes"]);
        command.arg(format!("{}@127.0.0.1", user())).args(arguments);
        command.output().expect("ssh is there")
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // autossh takes its ssh with it when it is asked to end, and leaves it when it is killed.
        self.tunnel.signal(Signal::Terminate);
    }
}

fn user() -> String {
    let output = Command::new("id").arg("-un").output().expect("id is there");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn shipped(name: &str) -> String {
    std::fs::read_to_string(Path::new(SHIPPED).join(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

fn write(path: PathBuf, text: impl AsRef<[u8]>) -> PathBuf {
    std::fs::write(&path, text).expect("a file can be written");
    path
}

/// The front's host key, the tunnel's key, and who may come in with it.
fn keys(folder: &Path, inner: u16) {
    for name in ["host_key", "tunnel_key"] {
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.join(name));
        assert!(command.status().expect("ssh-keygen is there").success());
    }
    let public = std::fs::read_to_string(folder.join("tunnel_key.pub")).expect("ssh-keygen writes the public key");
    let example = shipped("front/sshd/tunnel.keys.example");
    let line = example.lines().find(|line| !line.starts_with('#')).expect("a line of keys");
    let options = line.split(" ssh-ed25519 ").next().expect("options come first");
    let options = options.replace("127.0.0.1:18080", &format!("127.0.0.1:{inner}"));
    write(folder.join("tunnel.keys"), format!("{options} {public}"));
}

fn sshd(folder: &Path, port: u16, inner: u16) -> Running {
    let of = |name: &str| folder.join(name).display().to_string();
    let rules = shipped("front/sshd/tollhouse.conf")
        .replace("tollhouse-tunnel.keys", "tunnel.keys")
        .replace("/etc/ssh/tunnel.keys", &of("tunnel.keys"))
        .replace("Match User tollhouse-tunnel", &format!("Match User {}", user()))
        .replace("127.0.0.1:18080", &format!("127.0.0.1:{inner}"));
    let text = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nStrictModes no\nUsePAM no\n\
         LogLevel VERBOSE\nSubsystem sftp internal-sftp\n{rules}",
        of("host_key")
    );
    let file = write(folder.join("sshd_config"), text);
    if user() == "root" {
        // What systemd makes where it runs: an empty folder that sshd locks itself up in.
        std::fs::create_dir_all("/run/sshd").expect("sshd's folder");
    }
    Running::start("sshd", Command::new("/usr/sbin/sshd").args(["-D", "-e", "-f"]).arg(file))
}

fn nginx(folder: &Path, port: u16, inner: u16) -> Running {
    let pages = Path::new(SHIPPED).join("front/nginx").canonicalize().expect("the shipped pages");
    let locations =
        shipped("front/nginx/locations.conf").replace("/usr/share/tollhouse-front", &pages.display().to_string());
    let locations = write(folder.join("locations.conf"), locations);
    let site = shipped("front/nginx/tollhouse.conf").replace("127.0.0.1:18080", &format!("127.0.0.1:{inner}"));
    let (shared, _) = site.split_once("server {\n    listen 80;").expect("what stands before the servers");
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary: String =
        temporary.map(|kind| format!("{kind}_temp_path {};\n", folder.join(kind).display())).concat();
    let text = format!(
        "daemon off;\nuser {};\nworker_processes 1;\npid {};\nerror_log stderr;\nevents {{ }}\nhttp {{\naccess_log off;\n\
         types {{ text/html html; }}\n{temporary}{shared}\nserver {{\nlisten 127.0.0.1:{port};\ninclude {};\n}}\n}}\n",
        user(),
        folder.join("nginx.pid").display(),
        locations.display()
    );
    let file = write(folder.join("nginx.conf"), text);
    Running::start("nginx", Command::new("/usr/sbin/nginx").arg("-p").arg(folder).arg("-c").arg(file))
}

/// The shipped unit's own command, with the settings that the shipped file names.
fn tunnel(folder: &Path, ssh: u16, inner: u16, the_box: &str) -> Running {
    let of = |name: &str| folder.join(name).display().to_string();
    let settings = BTreeMap::from([
        ("FRONT_HOST", "127.0.0.1".to_owned()),
        ("FRONT_PORT", ssh.to_string()),
        ("FRONT_USER", user()),
        ("FRONT_LISTEN", inner.to_string()),
        ("BOX_ADDRESS", the_box.trim_start_matches("http://").to_owned()),
        ("TUNNEL_KEY", of("tunnel_key")),
        ("TUNNEL_KNOWN_HOSTS", of("known_hosts")),
    ]);
    let example = shipped("tunnel/tunnel.env");
    let unit = shipped("tunnel/tollhouse-tunnel.service").replace("\\\n", " ");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("the unit's command");
    let filled = settings.iter().fold(line.to_owned(), |line, (name, value)| {
        assert!(example.contains(&format!("{name}=")), "{name} stands in the shipped file");
        line.replace(&format!("${{{name}}}"), value)
    });
    let mut words = filled.split_whitespace();
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words);
    let environment = unit.lines().find_map(|line| line.strip_prefix("Environment=")).expect("the unit's settings");
    command.envs(environment.split_whitespace().filter_map(|pair| pair.split_once('=')));
    Running::start("autossh", &mut command)
}

/// The line between box and front: passes on bytes until it is cut.
struct Line {
    port: u16,
    is_cut: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let port = listener.local_addr().expect("an address").port();
        let (is_cut, streams) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let line = Self { port, is_cut: Arc::clone(&is_cut), streams: Arc::clone(&streams) };
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                // Dropped at once while the line is cut.
                let far = (!is_cut.load(Ordering::SeqCst)).then(|| TcpStream::connect(("127.0.0.1", target)));
                let Some(Ok(far)) = far else { continue };
                let both = [&near, &far].map(|stream| stream.try_clone().expect("a stream can be shared"));
                streams.lock().expect("no panic").extend(both);
                pass_on(near.try_clone().expect("a stream can be shared"), far.try_clone().expect("shared"));
                pass_on(far, near);
            }
        });
        line
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        for stream in self.streams.lock().expect("no panic").drain(..) {
            // One that has ended by itself cannot be ended again.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn restore(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}
