//! The control socket (`control.sock` in the data folder, for the owner alone): how commands reach a running box.
//!
//! One request and one answer per connection, each one line of JSON. Bounded, and off the lanes' threads.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::past::{self, EndedStay, StoredBill};
use crate::store::{Store, Verdict};

const FILE: &str = "control.sock";
/// The longest request, in bytes.
const MAX_REQUEST_BYTES: u64 = 4096;
/// The most stays of one answer.
const MAX_STAYS: usize = 1_000_000;
/// A client that says nothing is left.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(5);

/// What a command can ask of a running box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Request {
    /// Prove that nothing was lost.
    Verify,
    /// The last stays that have ended.
    EndedStays {
        /// How many at most.
        last: usize,
    },
    /// A bill with all that priced it.
    Bill {
        /// Its id.
        id: String,
    },
}

/// What the box answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// What verifying found.
    Verdict(Verdict),
    /// Stays that have ended, the oldest first.
    EndedStays(Vec<EndedStay>),
    /// A bill, if there is one of that id.
    Bill(Option<Box<StoredBill>>),
    /// It could not be done, and why.
    Failed(String),
}

/// The running box's end. Dropping it takes the socket's file away.
pub struct ControlSocket {
    path: PathBuf,
}

impl ControlSocket {
    /// Listens in this data folder. The store's lock has made sure that no other box does.
    pub fn listen(data: &Path, store: Store) -> io::Result<Self> {
        let path = data.join(FILE);
        match std::fs::remove_file(&path) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        std::thread::Builder::new().name("control".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                let answered = stream.and_then(|stream| answer(&stream, &store));
                if let Err(fault) = answered {
                    tracing::debug!(%fault, "a command went away");
                }
            }
        })?;
        Ok(Self { path })
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // A file that is gone already needs no removing.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn answer(stream: &UnixStream, store: &Store) -> io::Result<()> {
    stream.set_read_timeout(Some(CLIENT_TIMEOUT))?;
    stream.set_write_timeout(Some(CLIENT_TIMEOUT))?;
    let mut line = String::new();
    BufReader::new(io::Read::take(stream, MAX_REQUEST_BYTES)).read_line(&mut line)?;
    let reply = match serde_json::from_str::<Request>(&line) {
        Ok(Request::Verify) => match store.verify(tollhouse_core::audit::all()) {
            Ok(verdict) => Reply::Verdict(verdict),
            Err(fault) => Reply::Failed(fault.to_string()),
        },
        Ok(Request::EndedStays { last }) => match past::ended_stays(&store.snapshot(), last.min(MAX_STAYS)) {
            Ok(stays) => Reply::EndedStays(stays),
            Err(fault) => Reply::Failed(fault.to_string()),
        },
        Ok(Request::Bill { id }) => match past::stored_bill(&store.snapshot(), &id) {
            Ok(found) => Reply::Bill(found.map(Box::new)),
            Err(fault) => Reply::Failed(fault.to_string()),
        },
        Err(fault) => Reply::Failed(format!("the box does not know this command: {fault}")),
    };
    let mut text = serde_json::to_string(&reply)?;
    text.push('\n');
    (&*stream).write_all(text.as_bytes())
}

/// Asks the box that runs on this data folder; `None` when none runs there.
pub fn ask(data: &Path, request: &Request) -> io::Result<Option<Reply>> {
    let mut stream = match UnixStream::connect(data.join(FILE)) {
        Ok(stream) => stream,
        Err(fault) if matches!(fault.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(fault) => return Err(fault),
    };
    writeln!(stream, "{}", serde_json::to_string(request)?)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(Some(serde_json::from_str(&line)?))
}
