//! The commands of one driver instance: which are under way, which are over, and what became of them.
//!
//! Pure. It owns the rules that a command is handed over once, answered once, and never left open by a crash.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tollhouse_abi::Status;
use tollhouse_core::id::DeviceId;

use crate::event::{AckState, CommandAck};
use crate::link::DeviceCommand;
use crate::wire::MAX_REASON_CHARS;

/// At most so many commands are remembered, so that a repetition is known.
const MOST_REMEMBERED: usize = 512;
/// How long a confirmation may come after a command's expiry before a crash no longer puts it in doubt.
const CONFIRMATION_GRACE: TimeDelta = TimeDelta::seconds(60);

/// An answer on its way to the lane.
pub(super) type Answer = (DeviceId, CommandAck);

/// What to do with a command.
#[derive(Debug, PartialEq)]
pub(super) enum Admission {
    /// Hand it to the driver.
    Send,
    /// It is under way already: its answer will come.
    UnderWay,
    /// It will not be handed over: this is its answer.
    Answer(Answer),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The driver has not completed it.
    Sent,
    /// The device has taken it; perhaps a confirmation follows.
    Accepted,
    /// Nothing more is expected.
    Over,
}

#[derive(Debug)]
struct Entry {
    device: DeviceId,
    cmd_id: String,
    expires_at: DateTime<Utc>,
    stage: Stage,
    last: Option<AckState>,
}

impl Entry {
    fn answer(&mut self, state: AckState, reason: Option<&str>) -> Answer {
        self.last = Some(state);
        self.stage = if state == AckState::Accepted { Stage::Accepted } else { Stage::Over };
        let reason = reason.map(|words| words.chars().take(MAX_REASON_CHARS).collect());
        (self.device.clone(), CommandAck { cmd_id: self.cmd_id.clone(), state, reason })
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Roster {
    entries: VecDeque<Entry>,
}

impl Roster {
    /// Whether a command is to be handed over.
    pub(super) fn admit(&mut self, command: &DeviceCommand, now: DateTime<Utc>) -> Admission {
        let cmd_id = command.cmd_id.to_string();
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.cmd_id == cmd_id) {
            return match entry.last {
                None => Admission::UnderWay,
                Some(last) => {
                    let before = entry.stage;
                    let answer = entry.answer(last, Some("the same command again"));
                    entry.stage = before;
                    Admission::Answer(answer)
                }
            };
        }
        let device = command.device.clone();
        let mut entry = Entry { device, cmd_id, expires_at: command.expires_at, stage: Stage::Sent, last: None };
        if command.expires_at <= now {
            return Admission::Answer(entry.answer(AckState::Rejected, Some("expired before it reached the driver")));
        }
        if !self.make_room() {
            return Admission::Answer(entry.answer(AckState::Rejected, Some("too many commands are under way")));
        }
        self.entries.push_back(entry);
        Admission::Send
    }

    fn make_room(&mut self) -> bool {
        if self.entries.len() < MOST_REMEMBERED {
            return true;
        }
        let oldest = self.entries.iter().position(|entry| entry.stage == Stage::Over);
        oldest.and_then(|place| self.entries.remove(place)).is_some()
    }

    /// The driver's completion; `None` when it completes what it was not asked, or twice.
    pub(super) fn complete(&mut self, cmd_id: &str, status: i32, json: &str) -> Option<Answer> {
        #[derive(Default, Deserialize)]
        struct Outcome {
            state: Option<String>,
            reason: Option<String>,
        }
        let entry = self.entries.iter_mut().find(|entry| entry.cmd_id == cmd_id && entry.stage == Stage::Sent)?;
        let outcome: Outcome = serde_json::from_str(json).unwrap_or_default();
        let status = Status::from_code(status);
        let state = match status {
            Status::Ok if outcome.state.as_deref() == Some("confirmed") => AckState::Confirmed,
            Status::Ok => AckState::Accepted,
            Status::Invalid | Status::Unsupported | Status::Busy | Status::Rejected => AckState::Rejected,
            Status::Offline | Status::Timeout | Status::Internal => AckState::Failed,
        };
        let words = (status != Status::Ok).then(|| status.words());
        Some(entry.answer(state, outcome.reason.as_deref().or(words)))
    }

    /// The driver says later what became of a command that it had accepted; `None` when nobody asked it to.
    pub(super) fn said(&mut self, device: &DeviceId, ack: &CommandAck) -> Option<Answer> {
        let entry = self.entries.iter_mut().find(|entry| entry.cmd_id == ack.cmd_id && entry.device == *device)?;
        (entry.stage != Stage::Sent).then(|| entry.answer(ack.state, ack.reason.as_deref()))
    }

    /// Commands that were not completed in time.
    pub(super) fn overdue(&mut self, now: DateTime<Utc>) -> Vec<Answer> {
        let mut answers = Vec::new();
        for entry in &mut self.entries {
            if entry.stage == Stage::Sent && entry.expires_at <= now {
                answers.push(entry.answer(AckState::OutcomeUnknown, Some("the driver did not answer in time")));
            } else if entry.stage == Stage::Accepted && entry.expires_at + CONFIRMATION_GRACE <= now {
                entry.stage = Stage::Over;
            }
        }
        answers
    }

    /// The driver has gone: nobody knows what became of what was under way.
    pub(super) fn lost(&mut self) -> Vec<Answer> {
        let open = self.entries.iter_mut().filter(|entry| entry.stage != Stage::Over);
        open.map(|entry| entry.answer(AckState::OutcomeUnknown, Some("the driver went down"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use tollhouse_core::id::{CommandId, IdKey};

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + second, 0).expect("a time")
    }

    fn command(name: &str) -> DeviceCommand {
        DeviceCommand {
            device: DeviceId::new("gate-in-2").expect("a device"),
            cmd_id: CommandId::derive(&IdKey::new([1; 32]), &[name]),
            name: "open",
            args: serde_json::json!({}),
            expires_at: at(10),
        }
    }

    fn id(name: &str) -> String {
        command(name).cmd_id.to_string()
    }

    #[test]
    fn a_command_goes_out_once_and_its_repetition_hears_the_same_answer() {
        let mut roster = Roster::default();
        assert_eq!(roster.admit(&command("a"), at(0)), Admission::Send);
        assert_eq!(roster.admit(&command("a"), at(0)), Admission::UnderWay);
        let (_, ack) = roster.complete(&id("a"), 0, "").expect("under way");
        assert_eq!(ack.state, AckState::Accepted);
        let Admission::Answer((_, again)) = roster.admit(&command("a"), at(20)) else { panic!("it was answered") };
        assert_eq!(again.state, AckState::Accepted);
    }

    #[test]
    fn an_expired_command_is_refused() {
        let Admission::Answer((_, ack)) = Roster::default().admit(&command("a"), at(10)) else { panic!("expired") };
        assert_eq!(ack.state, AckState::Rejected);
    }

    #[test]
    fn a_completion_counts_once_and_only_for_what_was_asked() {
        let mut roster = Roster::default();
        roster.admit(&command("a"), at(0));
        assert_eq!(roster.complete("nobody", 0, ""), None);
        let (_, ack) = roster.complete(&id("a"), 6, r#"{"reason":"locked"}"#).expect("under way");
        assert_eq!((ack.state, ack.reason.as_deref()), (AckState::Rejected, Some("locked")));
        assert_eq!(roster.complete(&id("a"), 0, ""), None, "twice");
    }

    #[test]
    fn a_confirmation_comes_after_the_completion_and_from_the_same_device() {
        let mut roster = Roster::default();
        roster.admit(&command("a"), at(0));
        let confirmed = CommandAck { cmd_id: id("a"), state: AckState::Confirmed, reason: None };
        let device = command("a").device;
        assert_eq!(roster.said(&device, &confirmed), None, "not completed yet");
        roster.complete(&id("a"), 0, "");
        assert_eq!(roster.said(&DeviceId::new("cam-in-2").expect("a device"), &confirmed), None);
        assert_eq!(roster.said(&device, &confirmed), Some((device, confirmed)));
    }

    #[test]
    fn a_crash_leaves_no_command_open() {
        let mut roster = Roster::default();
        for name in ["sent", "accepted", "confirmed"] {
            roster.admit(&command(name), at(0));
        }
        roster.complete(&id("accepted"), 0, "");
        roster.complete(&id("confirmed"), 0, r#"{"state":"confirmed"}"#);
        let lost: Vec<String> = roster.lost().into_iter().map(|(_, ack)| ack.cmd_id).collect();
        assert_eq!(lost, [id("sent"), id("accepted")]);
        assert!(roster.lost().is_empty(), "told once");
        let Admission::Answer((_, again)) = roster.admit(&command("sent"), at(1)) else { panic!("never sent again") };
        assert_eq!(again.state, AckState::OutcomeUnknown);
    }

    #[test]
    fn a_command_that_nobody_completes_is_unknown_at_its_expiry() {
        let mut roster = Roster::default();
        roster.admit(&command("a"), at(0));
        assert!(roster.overdue(at(9)).is_empty());
        assert_eq!(roster.overdue(at(10)).len(), 1);
        assert!(roster.overdue(at(11)).is_empty());
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_only_what_is_over() {
        let mut roster = Roster::default();
        for number in 0..MOST_REMEMBERED {
            assert_eq!(roster.admit(&command(&number.to_string()), at(0)), Admission::Send);
        }
        assert!(matches!(roster.admit(&command("more"), at(0)), Admission::Answer(_)), "all are under way");
        roster.complete(&id("7"), 7, "");
        assert_eq!(roster.admit(&command("more"), at(0)), Admission::Send);
    }
}
