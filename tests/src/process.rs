//! Owns the programs that a test starts: each is ended by its own id when its guard is dropped, and what it said is kept.
//! It must not know what any of them is for.

use std::io::{BufRead as _, BufReader, Read};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::wait::{Gathered, eventually};

/// Lines of a program's talk that are shown when a test fails.
const LAST_LINES: usize = 40;

/// How to ask a program to end.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// SIGTERM: may finish what it has begun.
    Terminate,
    /// SIGKILL: is gone at once.
    Kill,
}

/// A program that runs until it is ended or dropped.
#[derive(Debug)]
pub struct Running {
    name: &'static str,
    child: Child,
    said: Arc<Gathered<String>>,
    complained: Arc<Gathered<String>>,
}

impl Running {
    /// Starts a program and keeps what it says.
    ///
    /// # Panics
    /// When the program cannot be started; `tests/run setup` installs what is missing.
    pub fn start(name: &'static str, command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap_or_else(
                |fault| panic!("{name} does not start ({fault}); `tests/run setup` installs what is missing"),
            );
        let said = gather(child.stdout.take().expect("stdout is piped"));
        let complained = gather(child.stderr.take().expect("stderr is piped"));
        Self { name, child, said, complained }
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of standard output that begins with `prefix`, and gives what follows. Nothing when `patience` passes.
    pub fn line(&self, prefix: &str, patience: Duration) -> Option<String> {
        self.said.wait(patience, |lines| lines.iter().find_map(|line| line.strip_prefix(prefix).map(str::to_owned)))
    }

    /// All that was said on standard output so far.
    pub fn said(&self) -> Vec<String> {
        self.said.look(<[String]>::to_vec)
    }

    /// All that was said on standard error so far.
    pub fn complained(&self) -> Vec<String> {
        self.complained.look(<[String]>::to_vec)
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours can be waited for")
    }

    /// Sends a signal to this process alone.
    pub fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::Kill => self.child.kill().expect("a child of ours can be killed"),
            Signal::Terminate => {
                // The shell's own `kill`: there is no safe call for it in the standard library.
                let script = format!("kill -TERM {}", self.child.id());
                let status = Command::new("sh").arg("-c").arg(script).status().expect("a shell is there");
                assert!(status.success(), "{} could not be asked to end", self.name);
            }
        }
    }

    /// Waits until it has ended by itself and tells how, and how long that took.
    ///
    /// # Panics
    /// When it still runs after `patience`.
    pub fn wait(&mut self, patience: Duration) -> (ExitStatus, Duration) {
        let began = Instant::now();
        let status = eventually(&format!("the end of {}", self.name), patience, || self.ended());
        (status, began.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            for (stream, lines) in [("said", &self.said), ("complained", &self.complained)] {
                lines.look(|lines| {
                    for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
                        eprintln!("{} {stream}: {line}", self.name);
                    }
                });
            }
        }
    }
}

fn gather(stream: impl Read + Send + 'static) -> Arc<Gathered<String>> {
    let gathered = Arc::new(Gathered::default());
    let into = Arc::clone(&gathered);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            into.push(line);
        }
    });
    gathered
}

/// A port that was free a moment ago. Another program may take it first, so who uses it has to be ready to try again.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// The box's executable, which lies beside or above the program that asks: both come from one build.
///
/// # Panics
/// When it has not been built.
pub fn program_of_the_box() -> PathBuf {
    let here = std::env::current_exe().expect("a program knows its own place");
    let found = here.ancestors().skip(1).take(2).map(|folder| folder.join("tollhouse")).find(|path| path.is_file());
    found.expect("target/release/tollhouse is not built: `cargo build --release --workspace`, or simply tests/run")
}
