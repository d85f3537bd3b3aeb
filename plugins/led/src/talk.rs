//! The thread that holds the line to the board: a frame goes out, and its answer, if the board gives one, comes back.
//!
//! It owns the line. It must not know what frames say.

use std::io::{self, ErrorKind};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tollhouse_field::board::{MAX_ANSWER_BYTES, answer_length, is_answer};
use tollhouse_field::{Backoff, Line, Pause, Presence};
use tollhouse_sdk::{Completion, Host, LogLevel, Pending, Refusal, Status};

use crate::config::Config;

/// How often a line that is not used is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// A frame on its way to the board.
pub(crate) struct Job {
    pub(crate) frame: Vec<u8>,
    pub(crate) deadline_ms: u64,
    pub(crate) pending: Pending,
}

/// What became of a frame.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    /// The board has answered.
    Answer,
    /// It has not: many never do.
    Nothing,
}

/// Why talking ended.
enum End {
    Stopped,
    Lost(io::Error),
}

/// Runs until the sender of jobs is gone.
pub(crate) fn run(host: Host, config: &Config, jobs: &Receiver<Job>) {
    let mut presence = Presence::new(host, vec![config.display.clone()]);
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
    let within = Duration::from_millis(config.answer_ms.into());
    loop {
        let fault = match Line::open(&config.line, within) {
            Ok(mut line) => {
                presence.online(&format!("the line to the board at {} is open", config.line));
                backoff.reset();
                match talk(host, &mut line, within, jobs) {
                    End::Stopped => return,
                    End::Lost(fault) => fault,
                }
            }
            Err(fault) => {
                presence.offline(&format!("the board at {} is away: {fault}", config.line));
                fault
            }
        };
        host.log(LogLevel::Debug, &format!("the line is opened anew: {fault}"));
        if refuse_for(host, backoff.next_pause(), jobs) == Pause::Stopped {
            return;
        }
    }
}

/// There is no line for so long.
fn refuse_for(host: Host, length: Duration, jobs: &Receiver<Job>) -> Pause {
    let until_ms = host.now_ms() + u64::try_from(length.as_millis()).unwrap_or_default();
    loop {
        let left = host.until(until_ms);
        if left.is_zero() {
            return Pause::Over;
        }
        match jobs.recv_timeout(left) {
            Ok(job) => job.pending.refuse(&Refusal::new(Status::Offline, "there is no line to the board")),
            Err(RecvTimeoutError::Timeout) => return Pause::Over,
            Err(RecvTimeoutError::Disconnected) => return Pause::Stopped,
        }
    }
}

fn talk(host: Host, line: &mut Line, within: Duration, jobs: &Receiver<Job>) -> End {
    loop {
        let job = match jobs.recv_timeout(LOOK) {
            Ok(job) => job,
            Err(RecvTimeoutError::Disconnected) => return End::Stopped,
            Err(RecvTimeoutError::Timeout) => match left_over(line) {
                Ok(()) => continue,
                Err(fault) => return End::Lost(fault),
            },
        };
        if host.now_ms() >= job.deadline_ms {
            job.pending.refuse(&Refusal::new(Status::Timeout, "it came too late to the board"));
            continue;
        }
        match left_over(line).and_then(|()| send(line, &job.frame, within)) {
            Ok(Heard::Answer) => job.pending.complete(Completion::Confirmed),
            Ok(Heard::Nothing) => job.pending.complete(Completion::Accepted),
            Err(fault) => {
                job.pending.refuse(&Refusal::new(Status::Offline, format!("the line to the board broke: {fault}")));
                return End::Lost(fault);
            }
        }
    }
}

/// Throws away what nobody asked for, and notices that the line is gone.
fn left_over(line: &mut Line) -> io::Result<()> {
    match line.read(&mut [0; MAX_ANSWER_BYTES], Instant::now()) {
        Ok(_) => Ok(()),
        Err(fault) if fault.kind() == ErrorKind::TimedOut => Ok(()),
        Err(fault) => Err(fault),
    }
}

fn send(line: &mut Line, frame: &[u8], within: Duration) -> io::Result<Heard> {
    let until = Instant::now() + within;
    line.write_all(frame, until)?;
    let (mut answer, mut piece) = (Vec::new(), [0; MAX_ANSWER_BYTES]);
    while answer_length(&answer).is_none_or(|length| answer.len() < length) {
        match line.read(&mut piece, until) {
            Ok(count) => answer.extend_from_slice(&piece[..count]),
            Err(fault) if fault.kind() == ErrorKind::TimedOut => return Ok(Heard::Nothing),
            Err(fault) => return Err(fault),
        }
    }
    Ok(if is_answer(&answer, frame) { Heard::Answer } else { Heard::Nothing })
}
