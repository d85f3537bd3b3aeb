//! One trial: a process of its own that carries a script out on a driver, and everything that was seen of it.
//!
//! It owns the process, its deadline, and the look at it from outside (descriptors, threads, processor time, signal
//! handlers). It must not judge.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::script::{Call, Phase, Record, Script, Told};
use crate::plugin::PROBE_ARGUMENT;

/// A call that takes longer hangs.
const LONGEST_CALL: Duration = Duration::from_secs(12);
/// No trial takes longer.
const LONGEST_TRIAL: Duration = Duration::from_secs(90);
/// A driver that makes itself heard more often than this in one trial floods.
const MOST_RECORDS: usize = 60_000;
/// How much of its output is kept.
const MOST_OUTPUT_BYTES: u64 = 16 * 1024;

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// The script was carried out, or ended where the driver refused.
    Finished,
    /// The process died: how, and in which call, if it was in one.
    Died { how: String, during: Option<Call> },
    /// It had to be killed.
    Hung { during: Option<Call> },
    /// So much was said that nobody listened any longer.
    Flooded,
    /// The trial itself could not be held.
    Broken(String),
}

/// How the process looked from outside at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// Descriptor and what it leads to.
    pub(crate) descriptors: BTreeMap<u32, String>,
    /// The names of its threads by their numbers.
    pub(crate) threads: BTreeMap<u32, String>,
    pub(crate) busy_ms: u64,
    pub(crate) heap_bytes: u64,
    /// What belongs to the whole process, by name: signal handlers, folder, umask, locale.
    pub(crate) manners: BTreeMap<&'static str, String>,
}

/// Everything that was seen.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    pub(crate) told: Vec<Told>,
    pub(crate) looks: BTreeMap<String, Look>,
    pub(crate) end: End,
    pub(crate) output: String,
    pub(crate) last_words: String,
}

/// Holds a trial.
pub(crate) fn hold(executable: &Path, script: &Script) -> Trial {
    match begin(executable, script) {
        Ok(running) => running.watch(),
        Err(fault) => Trial {
            told: Vec::new(),
            looks: BTreeMap::new(),
            end: End::Broken(format!("the process for the check does not start: {fault}")),
            output: String::new(),
            last_words: String::new(),
        },
    }
}

struct Running {
    child: Child,
    socket: UnixStream,
    told: Receiver<Told>,
    output: Option<JoinHandle<String>>,
    last_words: Option<JoinHandle<String>>,
}

fn begin(executable: &Path, script: &Script) -> io::Result<Running> {
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut child = Command::new(executable)
        .arg(PROBE_ARGUMENT)
        .env_clear()
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let mut line = serde_json::to_vec(script)?;
    line.push(b'\n');
    let output = child.stdout.take().map(|pipe| std::thread::spawn(move || text_of(pipe)));
    let last_words = child.stderr.take().map(|pipe| std::thread::spawn(move || text_of(pipe)));
    ours.set_write_timeout(Some(LONGEST_CALL))?;
    ours.write_all(&line)?;
    let reader = BufReader::new(ours.try_clone()?);
    let (sender, told) = sync_channel(1024);
    std::thread::spawn(move || {
        // A line that is none ends the trial as the end of the process does: a driver wrote into our socket.
        let told = reader.lines().map_while(Result::ok).map_while(|line| serde_json::from_str::<Told>(&line).ok());
        for told in told {
            if sender.send(told).is_err() {
                break;
            }
        }
    });
    Ok(Running { child, socket: ours, told, output, last_words })
}

fn text_of(pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    let mut pipe = pipe;
    // What cannot be read any more is no output; the rest is drained, so that the process does not stick in it.
    let _ = pipe.by_ref().take(MOST_OUTPUT_BYTES).read_to_end(&mut bytes);
    let _ = io::copy(&mut pipe, &mut io::sink());
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Running {
    fn watch(mut self) -> Trial {
        let (mut told, mut looks) = (Vec::new(), BTreeMap::new());
        let mut during = None;
        let until = Instant::now() + LONGEST_TRIAL;
        let end = loop {
            let most = until.saturating_duration_since(Instant::now()).min(LONGEST_CALL);
            let next = match self.told.recv_timeout(most) {
                Ok(next) => next,
                Err(RecvTimeoutError::Timeout) => break End::Hung { during },
                Err(RecvTimeoutError::Disconnected) => break self.died(during),
            };
            match &next.what {
                Record::Enter { call, .. } => during = Some(*call),
                Record::Leave { .. } => during = None,
                Record::Measure { label, heap_bytes, locale } => {
                    let look = self.look(*heap_bytes, locale);
                    looks.insert(label.clone(), look);
                    if self.socket.write_all(&[1]).is_err() {
                        break self.died(during);
                    }
                }
                Record::Done => break End::Finished,
                _ => {}
            }
            told.push(next);
            if told.len() >= MOST_RECORDS {
                break End::Flooded;
            }
            if Instant::now() >= until {
                break End::Hung { during };
            }
        };
        // A process that has ended already is no matter; a driver's children there cannot be, since it may not fork.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let text = |thread: Option<JoinHandle<String>>| thread.and_then(|it| it.join().ok()).unwrap_or_default();
        Trial { told, looks, end, output: text(self.output.take()), last_words: text(self.last_words.take()) }
    }

    /// The socket has closed: how did the process end?
    fn died(&mut self, during: Option<Call>) -> End {
        let until = Instant::now() + Duration::from_secs(2);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    let how = match (status.signal(), status.code()) {
                        (Some(signal), _) => signal_words(signal),
                        (None, Some(code)) => format!("it called exit({code})"),
                        (None, None) => "it ended".to_owned(),
                    };
                    return End::Died { how, during };
                }
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
                _ => return End::Died { how: "it wrote into, or closed, what is not its own".to_owned(), during },
            }
        }
    }

    fn look(&self, heap_bytes: u64, locale: &str) -> Look {
        let place = format!("/proc/{}", self.child.id());
        let status = fs::read_to_string(format!("{place}/status")).unwrap_or_default();
        let line = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(|value| value.trim().to_owned())
                .unwrap_or_default()
        };
        let folder = fs::read_link(format!("{place}/cwd")).map(|path| path.display().to_string()).unwrap_or_default();
        let manners = BTreeMap::from([
            ("signal handlers", line("SigCgt:")),
            ("ignored signals", line("SigIgn:")),
            ("the umask", line("Umask:")),
            ("the working directory", folder),
            ("the locale", locale.to_owned()),
        ]);
        let numbered = |folder: &str| {
            let entries = fs::read_dir(format!("{place}/{folder}")).into_iter().flatten().flatten();
            entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        };
        let descriptors = numbered("fd")
            .map(|(number, path)| (number, fs::read_link(path).map(|to| to.display().to_string()).unwrap_or_default()))
            .collect();
        let threads = numbered("task")
            .map(|(number, path)| (number, fs::read_to_string(path.join("comm")).unwrap_or_default().trim().to_owned()))
            .collect();
        Look { descriptors, threads, busy_ms: busy_ms(&place), heap_bytes, manners }
    }
}

/// How long the threads of a process ran or wanted to: on a busy machine they wait for a processor while they spin. The
/// first two numbers of `schedstat`, in nanoseconds.
fn busy_ms(place: &str) -> u64 {
    let tasks = fs::read_dir(format!("{place}/task")).into_iter().flatten().flatten();
    let busy_ns: u64 = tasks
        .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        .flat_map(|line| line.split_whitespace().take(2).filter_map(|number| number.parse().ok()).collect::<Vec<u64>>())
        .sum();
    busy_ns / 1_000_000
}

fn signal_words(signal: i32) -> String {
    let name = match signal {
        4 => "SIGILL: an illegal instruction",
        6 => "SIGABRT: abort() was called, by an assertion, an uncaught exception or a damaged heap",
        7 => "SIGBUS: a bad memory access",
        8 => "SIGFPE: a bad calculation, such as a division by zero",
        9 => "SIGKILL",
        11 => "SIGSEGV: a bad memory access",
        13 => "SIGPIPE: it wrote to a closed connection",
        15 => "SIGTERM",
        25 => "SIGXFSZ: it wrote a file, which the box forbids",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}

impl Trial {
    /// The records of one kind.
    pub(crate) fn of<'a, T: 'a>(&'a self, pick: impl Fn(&'a Told) -> Option<T> + 'a) -> impl Iterator<Item = T> + 'a {
        self.told.iter().filter_map(pick)
    }

    /// Every call that returned: call, command, answer, microseconds.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (Call, &str, i64, u64)> {
        self.of(|told| match &told.what {
            Record::Leave { call, cmd_id, answer, took_us } => Some((*call, cmd_id.as_str(), *answer, *took_us)),
            _ => None,
        })
    }

    /// What a call answered first; nothing when it was not made or did not return.
    pub(crate) fn answer_of(&self, call: Call) -> Option<i64> {
        self.calls().find(|(made, ..)| *made == call).map(|(_, _, answer, _)| answer)
    }

    /// The driver's last words of error.
    pub(crate) fn last_error(&self) -> Option<&str> {
        let errors = self.of(|told| match &told.what {
            Record::Logged { level: 1, message } => Some(message.text.as_str()),
            _ => None,
        });
        errors.last()
    }

    /// Why the library was refused.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.of(|told| match &told.what {
            Record::Refused { reason } => Some(reason.as_str()),
            _ => None,
        })
        .next()
    }

    /// Events as they were emitted: when, text, bytes of the picture, its first bytes, what the host answered.
    pub(crate) fn emitted(&self) -> impl Iterator<Item = (&Told, &super::script::Said, u64, &[u8], i32)> {
        self.of(|told| match &told.what {
            Record::Emit { event, picture_bytes, picture_head, answer } => {
                Some((told, event, *picture_bytes, picture_head.as_slice(), *answer))
            }
            _ => None,
        })
    }

    /// System calls within a phase.
    pub(crate) fn system_calls(&self, phase: Phase) -> impl Iterator<Item = (&str, &str)> {
        self.of(move |told| match &told.what {
            Record::System { call, what } if told.phase == phase => Some((call.as_str(), what.as_str())),
            _ => None,
        })
    }
}
