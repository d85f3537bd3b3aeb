//! The control socket (`control.sock` in the data folder, for the owner alone): how commands reach a running box.
//!
//! One request and one answer per connection, each one line of JSON; a driver's library follows its request as it is.
//! Bounded, and off the lanes' threads.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::runtime::Handle;

use crate::desks::{self, Desks};
use crate::drivers::DriverDesk;
use crate::drivers::order::{Asked, Roll, Told};
use crate::past::{self, EndedStay, StoredBill};
use crate::store::{Store, Verdict};

const FILE: &str = "control.sock";
/// The longest request, in bytes: an import with all its rows.
const MAX_REQUEST_BYTES: u64 = 64 << 20;
/// No driver is larger.
const MAX_LIBRARY_BYTES: u64 = 64 << 20;
/// So many commands are answered at once; the next one waits.
const MOST_AT_ONCE: usize = 8;
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
    /// How the drivers stand.
    Drivers,
    /// A change of the drivers.
    Driver(Box<Asked>),
    /// A command to one of the desks ([`crate::desks::DeskCommand`]).
    Desk {
        /// Which.
        desk: String,
        /// What.
        ask: Value,
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
    /// How the drivers stand.
    Drivers(Roll),
    /// What came of a change of the drivers.
    Driver(Told),
    /// What a desk answers.
    Desk(Value),
    /// It could not be done, and why.
    Failed(String),
}

/// What a command reaches of the running box.
#[derive(Clone)]
pub struct Reach {
    /// What it keeps.
    pub store: Store,
    /// Its drivers.
    pub drivers: Arc<DriverDesk>,
    /// Its desks.
    pub desks: Desks,
    /// Where its drivers' tasks run.
    pub runtime: Handle,
}

/// The running box's end. Dropping it takes the socket's file away.
pub struct ControlSocket {
    path: PathBuf,
}

impl ControlSocket {
    /// Listens in this data folder. The store's lock has made sure that no other box does.
    pub fn listen(data: &Path, reach: Reach) -> io::Result<Self> {
        let path = data.join(FILE);
        match std::fs::remove_file(&path) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        std::thread::Builder::new().name("control".to_owned()).spawn(move || {
            let busy = Arc::new(AtomicUsize::new(0));
            for stream in listener.incoming() {
                let (reach, at_work) = (reach.clone(), AtWork::begin(&busy));
                let serve = move || {
                    let answered = stream.and_then(|stream| answer(&stream, &reach));
                    if let Err(fault) = answered {
                        tracing::debug!(%fault, "a command went away");
                    }
                    drop(at_work);
                };
                // A long answer, as of `verify`, must not hold up the next command; too many wait for each other.
                if busy.load(Ordering::Relaxed) > MOST_AT_ONCE {
                    serve();
                } else if let Err(fault) = std::thread::Builder::new().name("control-answer".to_owned()).spawn(serve) {
                    tracing::warn!(%fault, "a command cannot be answered");
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

/// Counts a command that is being answered.
struct AtWork(Arc<AtomicUsize>);

impl AtWork {
    fn begin(busy: &Arc<AtomicUsize>) -> Self {
        busy.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(busy))
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn answer(stream: &UnixStream, reach: &Reach) -> io::Result<()> {
    let store = &reach.store;
    stream.set_read_timeout(Some(CLIENT_TIMEOUT))?;
    stream.set_write_timeout(Some(CLIENT_TIMEOUT))?;
    let mut line = String::new();
    let mut from = BufReader::new(stream);
    from.by_ref().take(MAX_REQUEST_BYTES).read_line(&mut line)?;
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
        Ok(Request::Drivers) => reach.drivers.roll().map_or_else(Reply::Failed, Reply::Drivers),
        Ok(Request::Driver(asked)) => {
            change_drivers(reach, &asked, &mut from).map_or_else(Reply::Failed, Reply::Driver)
        }
        Ok(Request::Desk { desk, ask }) => {
            let answered = reach.runtime.block_on(desks::answer(&reach.desks, &desk, ask));
            answered.map_or_else(Reply::Failed, Reply::Desk)
        }
        Err(fault) => Reply::Failed(format!("the box does not know this command: {fault}")),
    };
    let mut text = serde_json::to_string(&reply)?;
    text.push('\n');
    (&*stream).write_all(text.as_bytes())
}

fn change_drivers(reach: &Reach, asked: &Asked, from: &mut dyn Read) -> Result<Told, String> {
    let luggage = match &asked.luggage {
        Some(luggage) if luggage.bytes > MAX_LIBRARY_BYTES => return Err("it is larger than 64 MiB".to_owned()),
        Some(luggage) => {
            let received = reach.drivers.shelf().receive(from, luggage.bytes);
            Some(received.map_err(|fault| format!("{} was not received: {fault}", luggage.name))?)
        }
        None => None,
    };
    reach.runtime.block_on(reach.drivers.order(asked, luggage))
}

/// Asks the box that runs on this data folder; `None` when none runs there.
pub fn ask(data: &Path, request: &Request) -> io::Result<Option<Reply>> {
    ask_with(data, request, &mut io::empty())
}

/// The same with what follows the request.
pub fn ask_with(data: &Path, request: &Request, luggage: &mut dyn Read) -> io::Result<Option<Reply>> {
    let mut stream = match UnixStream::connect(data.join(FILE)) {
        Ok(stream) => stream,
        Err(fault) if matches!(fault.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(fault) => return Err(fault),
    };
    writeln!(stream, "{}", serde_json::to_string(request)?)?;
    // A box that refuses the request may close before it has read all; its answer is there all the same.
    let sent = io::copy(luggage, &mut stream);
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    if line.is_empty() {
        sent?;
    }
    Ok(Some(serde_json::from_str(&line)?))
}
