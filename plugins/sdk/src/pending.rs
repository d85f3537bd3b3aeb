//! A command that the driver has taken and owes an answer: consumed by answering, answered when dropped.

use serde_json::json;
use tollhouse_abi::Status;

use crate::{Host, Refusal};

/// How far a command has come when it is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// The device has taken it. Accepted is not opened.
    Accepted,
    /// It is done, and a signal proves it.
    Confirmed,
}

/// One command's answer, owed exactly once. Dropped unanswered, also by a panic, it is answered as `INTERNAL`.
#[derive(Debug)]
#[must_use = "a command that is dropped is answered as a fault of the driver"]
pub struct Pending {
    host: Host,
    cmd_id: Option<String>,
}

/// Tells the host later that an accepted command is proved done, or that it failed after all.
#[derive(Debug)]
pub struct Confirmation {
    host: Host,
    cmd_id: String,
    device: String,
}

impl Pending {
    pub(crate) fn new(host: Host, cmd_id: String) -> Self {
        Self { host, cmd_id: Some(cmd_id) }
    }

    /// The command's id, as the host gave it.
    pub fn cmd_id(&self) -> &str {
        self.cmd_id.as_deref().unwrap_or_default()
    }

    /// The device has done it, or taken it.
    pub fn complete(mut self, completion: Completion) {
        let json = match completion {
            Completion::Accepted => "",
            Completion::Confirmed => r#"{"state":"confirmed"}"#,
        };
        self.answer(Status::Ok, json);
    }

    /// The device has taken it; whether it is done is told later through what is returned.
    pub fn accept(mut self, device: &str) -> Confirmation {
        let confirmation =
            Confirmation { host: self.host, cmd_id: self.cmd_id().to_owned(), device: device.to_owned() };
        self.answer(Status::Ok, "");
        confirmation
    }

    /// It was not done.
    pub fn refuse(mut self, refusal: &Refusal) {
        self.answer(refusal.status, &json!({"reason": refusal.reason}).to_string());
    }

    fn answer(&mut self, status: Status, json: &str) {
        if let Some(cmd_id) = self.cmd_id.take() {
            self.host.complete(&cmd_id, status, json);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.answer(Status::Internal, r#"{"reason":"the driver dropped the command"}"#);
    }
}

impl Confirmation {
    /// A signal proves it done.
    pub fn confirm(self) {
        self.tell(&json!({"state": "confirmed"}));
    }

    /// It was taken and not done.
    pub fn fail(self, reason: &str) {
        self.tell(&json!({"state": "failed", "reason": reason}));
    }

    fn tell(&self, body: &serde_json::Value) {
        if self.host.emit(&self.device, &format!("ack/{}", self.cmd_id), body).is_err() {
            self.host.log(tollhouse_abi::LogLevel::Warn, "the host did not take a confirmation");
        }
    }
}
