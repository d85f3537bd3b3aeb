//! The child as the host holds it: started, written to, read from, killed with all that it has started, and reaped.
//!
//! It owns the process and its socket. It must not know what the messages mean.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::frame::{self, FromChild, ToChild};
use super::sealed::SealedLibrary;
use super::{CHILD_ARGUMENT, births, pace::Pace};

/// A child that does not read for so long is hung: its socket holds hundreds of commands.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the system gets to hand over a killed process.
const REAP_TIMEOUT: Duration = Duration::from_secs(5);
const READ_AT_ONCE: usize = 16 * 1024;
/// How much of the child's last words is kept.
const LAST_WORDS_BYTES: usize = 2 * 1024;

/// Why there is no talking to the child any more, in words.
#[derive(Debug)]
pub(super) struct Lost(pub(super) String);

/// A child process.
pub(super) struct Process {
    child: Child,
    pid: u32,
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    received: Vec<u8>,
    pace: Pace,
    last_words: JoinHandle<String>,
}

impl Process {
    /// Starts the executable as a child with one end of a socket pair as its standard input and the sealed library as its
    /// standard output: nothing else is inherited.
    pub(super) async fn start(executable: &Path, library: &SealedLibrary) -> io::Result<Self> {
        let (ours, theirs) = StdUnixStream::pair()?;
        let mut command = Command::new(executable);
        command
            .arg(CHILD_ARGUMENT)
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(library.descriptor()?))
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = births::spawn(command).await?;
        ours.set_nonblocking(true)?;
        let (reader, writer) = UnixStream::from_std(ours)?.into_split();
        let pid = child.id().ok_or_else(|| io::Error::other("the child has ended before it began"))?;
        let last_words = tokio::spawn(last_words(child.stderr.take()));
        Ok(Self { child, pid, reader, writer, received: Vec::new(), pace: Pace::new(), last_words })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Writes a message; the child has to read it soon.
    pub(super) async fn send(&mut self, message: &ToChild) -> Result<(), Lost> {
        let bytes = frame::encode(message, &[]).map_err(|fault| Lost(fault.to_string()))?;
        match timeout(WRITE_TIMEOUT, self.writer.write_all(&bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(fault)) => Err(Lost(format!("its socket broke: {fault}"))),
            Err(_) => Err(Lost("it does not read any more".to_owned())),
        }
    }

    /// The next message and its blob. Cancelling loses nothing.
    pub(super) async fn next(&mut self) -> Result<(FromChild, Vec<u8>), Lost> {
        self.pace.wait().await;
        loop {
            let before = self.received.len();
            match frame::take(&mut self.received) {
                Ok(Some(frame)) => {
                    self.pace.heard(before - self.received.len());
                    return Ok(frame);
                }
                Ok(None) => {}
                Err(fault) => return Err(Lost(format!("it sends garbage: {fault}"))),
            }
            self.received.reserve(READ_AT_ONCE);
            match self.reader.read_buf(&mut self.received).await {
                Ok(0) => return Err(Lost("it has ended".to_owned())),
                Ok(_) => {}
                // The same, with something of ours unread.
                Err(fault) if fault.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(Lost("it has ended".to_owned()));
                }
                Err(fault) => return Err(Lost(format!("its socket broke: {fault}"))),
            }
        }
    }

    /// Asks the driver to stop and gives it time for that.
    pub(super) async fn stop(&mut self, grace: Duration) {
        if self.send(&ToChild::Stop).await.is_ok() {
            // Its end of the socket closes when it has ended; what it still says is of no use any more.
            let _ = timeout(grace, async { while self.next().await.is_ok() {} }).await;
        }
    }

    /// Kills the child and all of its group, reaps it, and returns how it ended and what it said last.
    pub(super) async fn end(mut self) -> String {
        if let Ok(group) = i32::try_from(self.pid) {
            // SAFETY: a plain system call. The child has not been waited for, so its number is still its own.
            unsafe { libc::kill(-group, libc::SIGKILL) };
        }
        // For a child that has not come as far as a group of its own; one that has ended needs no killing.
        let _ = self.child.start_kill();
        let status = match timeout(REAP_TIMEOUT, self.child.wait()).await {
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(fault)) => format!("not reaped: {fault}"),
            Err(_) => "not reaped in time".to_owned(),
        };
        let words = timeout(WRITE_TIMEOUT, &mut self.last_words).await;
        self.last_words.abort();
        match words {
            Ok(Ok(words)) if !words.is_empty() => format!("{status}; its last words: {words}"),
            _ => status,
        }
    }
}

/// Reads the child's standard error to its end, and keeps the end of it.
async fn last_words(stderr: Option<ChildStderr>) -> String {
    let Some(mut stderr) = stderr else { return String::new() };
    let (mut words, mut piece) = (Vec::new(), [0; 1024]);
    while let Ok(length @ 1..) = stderr.read(&mut piece).await {
        words.extend_from_slice(&piece[..length]);
        let surplus = words.len().saturating_sub(LAST_WORDS_BYTES);
        words.drain(..surplus);
    }
    String::from_utf8_lossy(&words).trim().to_owned()
}
