//! What the checker's child remembers while a driver is tried, and how it tells it: records, open commands, the clock.
//!
//! Records go out from any thread of the driver. It must not judge them.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use tollhouse_abi::Text;

use super::super::confine::exit_now;
use crate::check::script::{Encoding, Phase, Record, Said, Told};

/// As much of a text is shown.
const MOST_SHOWN_BYTES: usize = 64 * 1024;
/// No text is read further, whatever its length says.
const MOST_READ_BYTES: u64 = 4 * 1024 * 1024;

/// See the module.
pub(super) struct Lab {
    socket: Mutex<UnixStream>,
    born: Instant,
    phase: AtomicUsize,
    control: ThreadId,
    host_takes: Duration,
    open: Mutex<BTreeMap<String, u64>>,
    closed: Condvar,
}

impl Lab {
    pub(super) fn new(socket: UnixStream, host_takes_ms: u64) -> Self {
        Self {
            socket: Mutex::new(socket),
            born: Instant::now(),
            phase: AtomicUsize::new(0),
            control: std::thread::current().id(),
            host_takes: Duration::from_millis(host_takes_ms),
            open: Mutex::default(),
            closed: Condvar::new(),
        }
    }

    pub(super) fn now_us(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.now_us() / 1000
    }

    pub(super) fn enter(&self, phase: Phase) {
        let place = Phase::ALL.iter().position(|one| *one == phase).expect("one of all");
        self.phase.store(place, Ordering::SeqCst);
    }

    pub(super) fn phase(&self) -> Phase {
        Phase::ALL[self.phase.load(Ordering::SeqCst)]
    }

    /// A busy host lets its driver wait.
    pub(super) fn dawdle(&self) {
        if !self.host_takes.is_zero() {
            std::thread::sleep(self.host_takes);
        }
    }

    pub(super) fn tell(&self, what: Record) {
        self.tell_in(self.phase(), what);
    }

    pub(super) fn tell_in(&self, phase: Phase, what: Record) {
        let control = std::thread::current().id() == self.control;
        let told = Told { us: self.now_us(), phase, control, what };
        let Ok(mut line) = serde_json::to_vec(&told) else { return };
        line.push(b'\n');
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        if socket.write_all(&line).is_err() {
            exit_now(0);
        }
    }

    /// A command is handed over; its deadline.
    pub(super) fn opened(&self, cmd_id: &str, within_ms: u64) -> u64 {
        let deadline_ms = self.now_ms().saturating_add(within_ms);
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(cmd_id.to_owned(), deadline_ms);
        deadline_ms
    }

    pub(super) fn not_taken(&self, cmd_id: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(cmd_id);
        self.closed.notify_all();
    }

    /// The driver completes a command: its deadline, if it was open.
    pub(super) fn completed(&self, cmd_id: &str) -> Option<u64> {
        let deadline_ms = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(cmd_id);
        self.closed.notify_all();
        deadline_ms
    }

    /// Waits until no command is open; how many still are.
    pub(super) fn settled(&self, most: Duration) -> u32 {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.closed.wait_timeout_while(open, most, |open| !open.is_empty());
        let (open, _) = waited.unwrap_or_else(PoisonError::into_inner);
        u32::try_from(open.len()).unwrap_or(u32::MAX)
    }
}

/// Bytes that a driver lends, as far as they can be read; `None` for a null pointer with a length.
///
/// # Safety
/// `data` leads to `length` readable bytes, unless it is null or `length` is 0.
pub(super) unsafe fn lent<'a>(data: *const u8, length: u64) -> Option<&'a [u8]> {
    if length == 0 {
        return Some(&[]);
    }
    let length = usize::try_from(length.min(MOST_READ_BYTES)).unwrap_or_default();
    // SAFETY: promised by the caller; a lie crashes this process, which tells the other side enough.
    (!data.is_null()).then(|| unsafe { std::slice::from_raw_parts(data, length) })
}

/// A text that a driver lends, for a record.
///
/// # Safety
/// As [`lent`].
pub(super) unsafe fn said(text: Text) -> Said {
    // SAFETY: promised by the caller.
    match unsafe { lent(text.data, text.length) } {
        None => Said { text: String::new(), length: text.length, encoding: Encoding::Null },
        Some(bytes) => {
            let encoding = if std::str::from_utf8(bytes).is_ok() { Encoding::Utf8 } else { Encoding::Broken };
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_SHOWN_BYTES)]).into_owned();
            Said { text: shown, length: text.length, encoding }
        }
    }
}
