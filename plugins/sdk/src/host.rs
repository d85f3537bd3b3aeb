//! The host as a driver sees it: a handle that may be copied to any thread.
#![allow(unsafe_code)]

use std::time::Duration;

use tollhouse_abi::{Bytes, HostTable, LogLevel, Status, Text};

/// The host's side. Copy it to wherever the driver works; it stays valid until the process ends.
#[derive(Clone, Copy)]
pub struct Host(&'static HostTable);

/// A plate's event whose answer is the command: the camera opens by what it is answered. See `emit` in the C header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'a> {
    /// An id that no event had before in this process.
    pub token: &'a str,
    /// By [`Host::now_ms`]: until then an `open` comes as the command `reply`, at most 10 s from now.
    pub by_ms: u64,
    /// Whose `open` the answer is, if not the event's own device's.
    pub opens: Option<&'a str>,
}

/// Why an event was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmitError {
    /// It has no device or topic, or is too large: a fault of the driver.
    Invalid,
    /// The host could not take it.
    Failed(Status),
}

// SAFETY: the header marks every function of the table [any thread], and the table never changes.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Host {
    /// Takes the table that `create` was given; `None` when it is not one that this SDK can use.
    ///
    /// # Safety
    /// `table` is null or points to a table that obeys the header, valid until the process ends.
    pub(crate) unsafe fn new(table: *const HostTable) -> Option<Self> {
        // SAFETY: promised by the caller; the size is checked before any field past the first is used.
        let table = unsafe { table.as_ref()? };
        let complete =
            table.log.is_some() && table.emit.is_some() && table.complete.is_some() && table.now_ms.is_some();
        let sized = table.struct_size as usize >= std::mem::size_of::<HostTable>();
        (sized && table.abi_major == tollhouse_abi::ABI_MAJOR && complete).then_some(Self(table))
    }

    /// Writes a line to the box's log.
    pub fn log(&self, level: LogLevel, message: &str) {
        if let Some(log) = self.0.log {
            // SAFETY: the function is the host's, the text is lent for the call.
            unsafe { log(self.0, level.code(), Text::of(message)) };
        }
    }

    /// Tells that something happened at a device; `topic` and `body` are those of the MQTT contract.
    pub fn emit(&self, device: &str, topic: &str, body: &serde_json::Value) -> Result<(), EmitError> {
        self.emit_with_picture(device, topic, body, &[])
    }

    /// The same with the JPEG that belongs to it.
    pub fn emit_with_picture(
        &self,
        device: &str,
        topic: &str,
        body: &serde_json::Value,
        picture: &[u8],
    ) -> Result<(), EmitError> {
        self.emit_json(&serde_json::json!({"device": device, "topic": topic, "body": body}), picture)
    }

    /// The same for a camera whose answer is the command.
    pub fn emit_for_reply(
        &self,
        device: &str,
        topic: &str,
        body: &serde_json::Value,
        picture: &[u8],
        reply: Reply<'_>,
    ) -> Result<(), EmitError> {
        let mut event = serde_json::json!({"device": device, "topic": topic, "body": body,
            "reply_token": reply.token, "reply_by_ms": reply.by_ms});
        if let Some(opens) = reply.opens {
            event["reply_for"] = opens.into();
        }
        self.emit_json(&event, picture)
    }

    fn emit_json(self, event: &serde_json::Value, picture: &[u8]) -> Result<(), EmitError> {
        let event = event.to_string();
        let Some(emit) = self.0.emit else { return Err(EmitError::Failed(Status::Unsupported)) };
        // SAFETY: the function is the host's, text and bytes are lent for the call.
        match Status::from_code(unsafe { emit(self.0, Text::of(&event), Bytes::of(picture)) }) {
            Status::Ok => Ok(()),
            Status::Invalid => Err(EmitError::Invalid),
            other => Err(EmitError::Failed(other)),
        }
    }

    /// Milliseconds on a clock that never jumps; only differences mean something.
    pub fn now_ms(&self) -> u64 {
        // SAFETY: the function is the host's.
        self.0.now_ms.map_or(0, |now_ms| unsafe { now_ms(self.0) })
    }

    /// How long it is until a deadline on that clock; nothing once it has passed.
    pub fn until(&self, deadline_ms: u64) -> Duration {
        Duration::from_millis(deadline_ms.saturating_sub(self.now_ms()))
    }

    /// The raw completion; [`crate::Pending`] is the way that cannot go wrong.
    pub(crate) fn complete(self, cmd_id: &str, status: Status, json: &str) {
        if let Some(complete) = self.0.complete {
            // SAFETY: the function is the host's, the texts are lent for the call. Its result tells of an unknown id,
            // which a `Pending` cannot have.
            unsafe { complete(self.0, Text::of(cmd_id), status.code(), Text::of(json)) };
        }
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Host(..)")
    }
}
