//! Plates whose answer is the command: which of them still wait, and the `reply` that an `open` becomes.
//!
//! Pure, and kept in the child, where the driver's clock is. It owns the rules of `reply_token` in the header: one reply
//! to a token, before its time, to the newest token first. It must not know cameras.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

/// At most so many plates wait in one driver.
const MOST_WAITING: usize = 16;
/// No camera waits longer, whatever its driver says.
const LONGEST_WAIT_MS: u64 = 10_000;

/// The fields of an event that ask for a reply.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    device: String,
    reply_token: Option<String>,
    reply_by_ms: Option<u64>,
    reply_for: Option<String>,
}

#[derive(Debug)]
struct Waiting {
    device: String,
    opens: String,
    token: String,
    by_ms: u64,
}

/// The plates that wait for their answer.
#[derive(Debug, Default)]
pub(super) struct Replies {
    waiting: VecDeque<Waiting>,
}

impl Replies {
    /// Whether what an event asks is within the rules; an event that asks nothing is.
    pub(super) fn note(&mut self, asked: Asked, now_ms: u64) -> Result<(), &'static str> {
        let (token, by_ms) = match (asked.reply_token, asked.reply_by_ms) {
            (None, None) => return Ok(()),
            (Some(token), Some(by_ms)) => (token, by_ms),
            _ => return Err("reply_token and reply_by_ms go together"),
        };
        let id = (1..=64).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !id {
            return Err("a reply_token has 1 to 64 characters of [A-Za-z0-9_-]");
        }
        if self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_front();
        }
        let opens = asked.reply_for.unwrap_or_else(|| asked.device.clone());
        let by_ms = by_ms.min(now_ms.saturating_add(LONGEST_WAIT_MS));
        self.waiting.push_back(Waiting { device: asked.device, opens, token, by_ms });
        Ok(())
    }

    /// What an `open` for `device` becomes while a plate waits: the args of a `reply`.
    pub(super) fn take(&mut self, device: &str, now_ms: u64) -> Option<Box<RawValue>> {
        self.waiting.retain(|waiting| waiting.by_ms > now_ms);
        let newest = self.waiting.iter().rposition(|waiting| waiting.opens == device)?;
        let waiting = self.waiting.remove(newest)?;
        // The lane opens for the car that stands there: those that were read before it are not answered any more.
        self.waiting.retain(|older| older.opens != device);
        let args = serde_json::json!({"reply_token": waiting.token, "open": true});
        to_raw_value(&serde_json::json!({"device": waiting.device, "args": args})).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(token: &str, by_ms: u64, opens: Option<&str>) -> Asked {
        Asked {
            device: "cam-in-2".to_owned(),
            reply_token: Some(token.to_owned()),
            reply_by_ms: Some(by_ms),
            reply_for: opens.map(str::to_owned),
        }
    }

    fn taken(replies: &mut Replies, device: &str, now_ms: u64) -> Option<String> {
        replies.take(device, now_ms).map(|args| args.get().to_owned())
    }

    #[test]
    fn an_open_answers_the_waiting_plate_once_and_before_its_time() {
        let mut replies = Replies::default();
        replies.note(asked("r-1", 500, None), 0).expect("within the rules");
        assert_eq!(taken(&mut replies, "gate-in-2", 10), None, "another device");
        let args = r#"{"args":{"open":true,"reply_token":"r-1"},"device":"cam-in-2"}"#;
        assert_eq!(taken(&mut replies, "cam-in-2", 499).as_deref(), Some(args));
        assert_eq!(taken(&mut replies, "cam-in-2", 499), None, "once");
        replies.note(asked("r-2", 500, None), 0).expect("within the rules");
        assert_eq!(taken(&mut replies, "cam-in-2", 500), None, "too late");
    }

    #[test]
    fn the_newest_plate_is_answered_for_the_barrier_that_it_names_and_older_ones_never() {
        let mut replies = Replies::default();
        for token in ["r-1", "r-2"] {
            replies.note(asked(token, 500, Some("gate-in-2")), 0).expect("within the rules");
        }
        replies.note(asked("other", 500, Some("gate-out-2")), 0).expect("within the rules");
        assert_eq!(taken(&mut replies, "cam-in-2", 1), None, "the event names the barrier instead");
        assert!(taken(&mut replies, "gate-in-2", 1).expect("a reply").contains("r-2"));
        assert_eq!(taken(&mut replies, "gate-in-2", 1), None);
        assert!(taken(&mut replies, "gate-out-2", 1).is_some(), "another lane's waits on");
    }

    #[test]
    fn what_waits_is_bounded_in_number_and_time() {
        let mut replies = Replies::default();
        for number in 0..100 {
            let waiting = asked(&format!("r-{number}"), u64::MAX, Some(&format!("gate-{number}")));
            replies.note(waiting, 0).expect("within the rules");
        }
        assert_eq!(replies.waiting.len(), MOST_WAITING);
        assert_eq!(taken(&mut replies, "gate-99", LONGEST_WAIT_MS), None);
    }

    #[test]
    fn half_a_question_and_a_bad_token_are_refused_and_no_question_is_none() {
        let mut replies = Replies::default();
        for (json, fine) in [
            (r#"{"device":"c"}"#, true),
            (r#"{"device":"c","reply_token":"r"}"#, false),
            (r#"{"device":"c","reply_by_ms":5}"#, false),
            (r#"{"device":"c","reply_token":"","reply_by_ms":5}"#, false),
            (r#"{"device":"c","reply_token":"a b","reply_by_ms":5}"#, false),
        ] {
            let asked: Asked = serde_json::from_str(json).expect("JSON");
            assert_eq!(replies.note(asked, 0).is_ok(), fine, "{json}");
        }
        assert!(replies.waiting.is_empty());
    }
}
