//! The host that a driver sees while it is checked: answers as the box does, and tells every call.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use serde::Deserialize;
use serde::de::IgnoredAny;
use tollhouse_abi::{
    ABI_MAJOR, ABI_MINOR, Bytes, HOST_TABLE_SIZE, HostTable, MAX_ID_BYTES, MAX_JSON_BYTES, MAX_PICTURE_BYTES, Status,
    Text,
};

use super::LAB;
use super::lab::{lent, said};
use crate::check::script::{Encoding, Phase, Record, Said};

const MAX_OUTCOME_BYTES: usize = 4 * 1024;
/// So much of a picture tells what it is.
const PICTURE_HEAD_BYTES: usize = 4;

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

/// The table that a driver's `create` is given.
pub(super) fn host() -> *const HostTable {
    &raw const TABLE.0
}

/// # Safety
/// As the header says of `log`.
unsafe extern "C" fn log(_host: *const HostTable, level: i32, message: Text) {
    let Some(lab) = LAB.get() else { return };
    // SAFETY: the header promises a readable text for the call.
    lab.tell(Record::Logged { level, message: unsafe { said(message) } });
    lab.dawdle();
}

/// # Safety
/// As the header says of `emit`.
unsafe extern "C" fn emit(_host: *const HostTable, event_json: Text, picture: Bytes) -> i32 {
    #[derive(Deserialize)]
    struct Shape {
        #[serde(rename = "device")]
        _device: String,
        #[serde(rename = "topic")]
        _topic: String,
        #[serde(rename = "body")]
        _body: IgnoredAny,
    }
    let Some(lab) = LAB.get() else { return Status::Ok.code() };
    let phase = lab.phase();
    // SAFETY: the header promises a readable text and readable bytes for the call.
    let (event, bytes) = unsafe { (said(event_json), lent(picture.data, picture.length)) };
    let fits = fits(&event, MAX_JSON_BYTES)
        && picture.length <= MAX_PICTURE_BYTES as u64
        && bytes.is_some()
        && serde_json::from_str::<Shape>(&event.text).is_ok();
    let answer = if fits || phase >= Phase::Stopped { Status::Ok } else { Status::Invalid }.code();
    let picture_head = bytes.unwrap_or_default().iter().copied().take(PICTURE_HEAD_BYTES).collect();
    lab.tell_in(phase, Record::Emit { event, picture_bytes: picture.length, picture_head, answer });
    lab.dawdle();
    answer
}

/// # Safety
/// As the header says of `complete`.
unsafe extern "C" fn complete(_host: *const HostTable, cmd_id: Text, status: i32, json: Text) -> i32 {
    let Some(lab) = LAB.get() else { return Status::Ok.code() };
    let phase = lab.phase();
    // SAFETY: the header promises readable texts for the call.
    let (cmd_id, json) = unsafe { (said(cmd_id), said(json)) };
    let answer =
        if fits(&cmd_id, MAX_ID_BYTES) && fits(&json, MAX_OUTCOME_BYTES) { Status::Ok } else { Status::Invalid };
    let now_ms = lab.now_ms();
    let deadline_ms = lab.completed(&cmd_id.text);
    let deadline_passed_ms = deadline_ms.and_then(|deadline_ms| now_ms.checked_sub(deadline_ms)).filter(|ms| *ms > 0);
    let open = deadline_ms.is_some();
    lab.tell_in(phase, Record::Completed { cmd_id, status, json, deadline_passed_ms, open });
    lab.dawdle();
    answer.code()
}

fn fits(said: &Said, most_bytes: usize) -> bool {
    said.encoding == Encoding::Utf8 && said.length <= most_bytes as u64
}

/// # Safety
/// As the header says of `now_ms`.
unsafe extern "C" fn now_ms(_host: *const HostTable) -> u64 {
    LAB.get().map_or(0, super::lab::Lab::now_ms)
}

/// # Safety
/// As the header says of `extension`; the text is not read.
unsafe extern "C" fn extension(_host: *const HostTable, _id: Text) -> *const c_void {
    ptr::null()
}
