//! The host's table as a driver sees it, inside the child: each call becomes a frame to the parent.
//!
//! One driver instance lives in a process, so the state behind the table is the process's own. It must not know the
//! driver's side of the ABI.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use serde::Deserialize;
use serde_json::value::RawValue;
use tollhouse_abi::{
    ABI_MAJOR, ABI_MINOR, Bytes, HOST_TABLE_SIZE, HostTable, LogLevel, MAX_JSON_BYTES, MAX_PICTURE_BYTES, Status, Text,
};

use super::confine::exit_now;
use super::frame::{self, FrameError, FromChild};
use super::reply::{Asked, Replies};

const MAX_LOG_BYTES: usize = 2 * 1024;
const MAX_CMD_ID_BYTES: usize = 64;
const MAX_OUTCOME_BYTES: usize = 4 * 1024;

/// The child's way to the parent.
pub(super) struct Guest {
    socket: Mutex<UnixStream>,
    born: Instant,
    stopped: AtomicBool,
    last_error: Mutex<Option<String>>,
    replies: Mutex<Replies>,
}

static GUEST: OnceLock<Guest> = OnceLock::new();

struct Shared(HostTable);
// SAFETY: the table is constant; its context is null and its functions may be called from any thread.
unsafe impl Sync for Shared {}

static TABLE: Shared = Shared(HostTable {
    struct_size: HOST_TABLE_SIZE,
    abi_major: ABI_MAJOR,
    abi_minor: ABI_MINOR,
    reserved: 0,
    context: ptr::null(),
    log: Some(log),
    emit: Some(emit),
    complete: Some(complete),
    now_ms: Some(now_ms),
    extension: Some(extension),
});

impl Guest {
    /// Sets the process's one guest up; a second call is a fault of the child's own code.
    pub(super) fn install(socket: UnixStream) -> &'static Self {
        GUEST.get_or_init(|| Self {
            socket: Mutex::new(socket),
            born: Instant::now(),
            stopped: AtomicBool::new(false),
            last_error: Mutex::new(None),
            replies: Mutex::default(),
        })
    }

    /// The table that a driver's `create` is given.
    pub(super) fn table() -> *const HostTable {
        &raw const TABLE.0
    }

    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Sends a message; without a parent to hear it there is nothing left to do.
    pub(super) fn send(&self, message: &FromChild, blob: &[u8]) -> Result<(), FrameError> {
        let bytes = frame::encode(message, blob)?;
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        if socket.write_all(&bytes).is_err() {
            exit_now(0);
        }
        Ok(())
    }

    /// What the driver last complained about, for the words of a refusal.
    pub(super) fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The plates whose answer is the command.
    pub(super) fn replies(&self) -> MutexGuard<'_, Replies> {
        self.replies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on the driver's calls have no effect.
    pub(super) fn hush(&self) {
        self.stopped.store(true, Ordering::Release);
    }
}

fn guest() -> Option<&'static Guest> {
    GUEST.get().filter(|guest| !guest.stopped.load(Ordering::Acquire))
}

/// # Safety
/// `data` leads to `length` readable bytes, unless `length` is 0.
unsafe fn borrowed<'a>(data: *const u8, length: u64, most: usize) -> Option<&'a [u8]> {
    if length == 0 {
        return Some(&[]);
    }
    let length = usize::try_from(length).ok().filter(|length| *length <= most && !data.is_null())?;
    // SAFETY: promised by the caller.
    Some(unsafe { std::slice::from_raw_parts(data, length) })
}

/// # Safety
/// As [`borrowed`].
unsafe fn text<'a>(text: Text, most: usize) -> Option<&'a str> {
    // SAFETY: promised by the caller.
    std::str::from_utf8(unsafe { borrowed(text.data, text.length, most) }?).ok()
}

/// # Safety
/// As the header says of `log`.
unsafe extern "C" fn log(_host: *const HostTable, level: i32, message: Text) {
    let Some(guest) = guest() else { return };
    let length = message.length.min(MAX_LOG_BYTES as u64);
    // SAFETY: the header promises a readable text; less of it is read when it is long.
    let Some(bytes) = (unsafe { borrowed(message.data, length, MAX_LOG_BYTES) }) else { return };
    let message = String::from_utf8_lossy(bytes).into_owned();
    if LogLevel::from_code(level) == LogLevel::Error {
        *guest.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(message.clone());
    }
    // Too long to frame it cannot be: even escaped, 2 KiB stay far below a header's limit.
    let _ = guest.send(&FromChild::Log { level, message }, &[]);
}

/// The least that an event must have; the parent reads the rest.
#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow, rename = "device")]
    _device: std::borrow::Cow<'a, str>,
    #[serde(borrow, rename = "topic")]
    _topic: std::borrow::Cow<'a, str>,
    #[serde(borrow, rename = "body")]
    _body: &'a RawValue,
}

/// # Safety
/// As the header says of `emit`.
unsafe extern "C" fn emit(_host: *const HostTable, event_json: Text, picture: Bytes) -> i32 {
    let Some(guest) = guest() else { return Status::Ok.code() };
    // SAFETY: the header promises a readable text and readable bytes for the call.
    let given =
        unsafe { (text(event_json, MAX_JSON_BYTES), borrowed(picture.data, picture.length, MAX_PICTURE_BYTES)) };
    let (Some(json), Some(picture)) = given else { return Status::Invalid.code() };
    let Ok(event) = serde_json::from_str::<Box<RawValue>>(json) else { return Status::Invalid.code() };
    if serde_json::from_str::<Shape<'_>>(json).is_err() {
        return Status::Invalid.code();
    }
    let Ok(asked) = serde_json::from_str::<Asked>(json) else { return Status::Invalid.code() };
    if guest.replies().note(asked, guest.now_ms()).is_err() {
        return Status::Invalid.code();
    }
    match guest.send(&FromChild::Event(event), picture) {
        Ok(()) => Status::Ok.code(),
        Err(_) => Status::Invalid.code(),
    }
}

/// # Safety
/// As the header says of `complete`.
unsafe extern "C" fn complete(_host: *const HostTable, cmd_id: Text, status: i32, json: Text) -> i32 {
    let Some(guest) = guest() else { return Status::Ok.code() };
    // SAFETY: the header promises readable texts for the call.
    let given = unsafe { (text(cmd_id, MAX_CMD_ID_BYTES), text(json, MAX_OUTCOME_BYTES)) };
    let (Some(cmd_id), Some(json)) = given else { return Status::Invalid.code() };
    let message = FromChild::Completed { cmd_id: cmd_id.to_owned(), status, json: json.to_owned() };
    match guest.send(&message, &[]) {
        Ok(()) => Status::Ok.code(),
        Err(_) => Status::Invalid.code(),
    }
}

/// # Safety
/// As the header says of `now_ms`.
unsafe extern "C" fn now_ms(_host: *const HostTable) -> u64 {
    GUEST.get().map_or(0, Guest::now_ms)
}

/// # Safety
/// As the header says of `extension`; the text is not read.
unsafe extern "C" fn extension(_host: *const HostTable, _id: Text) -> *const c_void {
    ptr::null()
}
