//! Whether an opening is confirmed: by the arm's position where the barrier tells it, by a car seen to pass where not.
//!
//! Owns what is awaited between a command and its proof. It decides nothing about cars: an opening that nothing proved is
//! told and counted, the car goes all the same, and no second command follows from it. It must not know records.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Answer, Arm, Way};
use crate::id::CommandId;
use crate::words::Words;

/// So many openings are awaited at once; a lane opens for one car at a time, and the ones before may still be in doubt.
const MOST_AWAITED: usize = 8;
/// A driver takes this long to drive off, where only the car's passing proves the opening.
const PASSING_PROVES_WITHIN: TimeDelta = TimeDelta::seconds(60);
/// The code under which people are told of an opening without proof.
pub const UNCONFIRMED: &str = "opening_unconfirmed";

/// What proves that a barrier has opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConfirmedBy {
    /// The best there is: the arm's position once the barrier has told one, else a passing where a device tells it, else
    /// nothing. A device's own word `confirmed` counts.
    #[default]
    Signal,
    /// The arm's position alone, whatever the device answers.
    Position,
    /// A car seen to pass, or the device's own word.
    Passing,
    /// Nothing is awaited.
    Nothing,
}

/// Whether some device of the lane tells that a car has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassingIsTold {
    /// One does.
    Yes,
    /// None does.
    No,
}

/// What proved an opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The arm was seen up.
    Position,
    /// A car passed.
    Passing,
}

impl Proof {
    /// The word in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Position => "the arm was seen up",
            Self::Passing => "a car was seen to pass",
        }
    }
}

/// An opening that is awaited.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Awaited {
    cmd_id: CommandId,
    sent_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// What became overdue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overdue {
    /// The arm stands open, though nobody saw it rise: confirmed.
    pub confirmed: Vec<CommandId>,
    /// Nothing proves these.
    pub unconfirmed: Vec<CommandId>,
    /// When to look again; `None` when nothing is awaited.
    pub look_at: Option<DateTime<Utc>>,
}

/// How the last opening of a lane ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LastOpening {
    /// Proved, or nothing was awaited.
    #[default]
    Confirmed,
    /// Nothing proved it in time.
    Unconfirmed,
}

/// The openings of one lane.
#[derive(Debug, Clone)]
pub struct Openings {
    by: ConfirmedBy,
    passing: PassingIsTold,
    arm: Arm,
    awaited: VecDeque<Awaited>,
    last: LastOpening,
}

impl Openings {
    /// For a lane whose openings are confirmed so.
    pub fn new(by: ConfirmedBy, passing: PassingIsTold) -> Self {
        Self { by, passing, arm: Arm::Unknown, awaited: VecDeque::new(), last: LastOpening::Confirmed }
    }

    /// How the last one ended.
    pub fn last(&self) -> LastOpening {
        self.last
    }

    /// What is awaited now: a barrier that has told where its arm is proves by it.
    fn proof(&self) -> Option<Proof> {
        match (self.by, self.arm, self.passing) {
            (ConfirmedBy::Nothing, ..) | (ConfirmedBy::Signal, Arm::Unknown, PassingIsTold::No) => None,
            (ConfirmedBy::Passing, ..) | (ConfirmedBy::Signal, Arm::Unknown, PassingIsTold::Yes) => {
                Some(Proof::Passing)
            }
            (ConfirmedBy::Position | ConfirmedBy::Signal, ..) => Some(Proof::Position),
        }
    }

    /// What the device's answer is worth: where the arm alone counts, `confirmed` is no more than taken.
    pub fn weigh(&self, answer: Answer) -> Answer {
        match (self.by, answer) {
            (ConfirmedBy::Position, Answer::Confirmed) => Answer::Accepted,
            (_, answer) => answer,
        }
    }

    /// The barrier was told to open.
    pub fn sent(&mut self, now: DateTime<Utc>, cmd_id: CommandId, expires_at: DateTime<Utc>) {
        if self.by == ConfirmedBy::Nothing || self.awaited.iter().any(|awaited| awaited.cmd_id == cmd_id) {
            return;
        }
        if self.awaited.len() >= MOST_AWAITED {
            self.awaited.pop_front();
        }
        self.awaited.push_back(Awaited { cmd_id, sent_at: now, expires_at });
    }

    /// The barrier answered, by its own word. What it has refused or done is awaited no longer.
    pub fn answered(&mut self, cmd_id: &str, answer: Answer) {
        if self.awaited.is_empty() || self.weigh(answer) == Answer::Accepted {
            return;
        }
        let before = self.awaited.len();
        self.awaited.retain(|awaited| awaited.cmd_id.to_string() != cmd_id);
        if answer == Answer::Confirmed && self.awaited.len() < before {
            self.last = LastOpening::Confirmed;
        }
    }

    /// The arm is somewhere. Seen up, it proves every opening that is awaited.
    pub fn arm(&mut self, arm: Arm) -> Vec<CommandId> {
        self.arm = arm;
        if arm != Arm::Up || self.proof() != Some(Proof::Position) || self.awaited.is_empty() {
            return vec![];
        }
        self.last = LastOpening::Confirmed;
        self.awaited.drain(..).map(|awaited| awaited.cmd_id).collect()
    }

    /// The arm was somewhere when it last told. It may have risen for a car before: only what is told now proves that a
    /// command has left the box. One that still stands open when the command has run out lets the car go all the same.
    pub fn arm_stood(&mut self, arm: Arm) {
        self.arm = arm;
    }

    /// A car has left the lane. Where the arm tells nothing, it proves the oldest opening that is awaited.
    pub fn passed(&mut self, way: Way) -> Option<CommandId> {
        if way == Way::Back || self.proof() != Some(Proof::Passing) {
            return None;
        }
        let proved = self.awaited.pop_front()?;
        self.last = LastOpening::Confirmed;
        Some(proved.cmd_id)
    }

    /// What proves this lane's openings as things stand, in words for the record.
    pub fn proof_words(&self) -> &'static str {
        self.proof().map_or("", Proof::as_str)
    }

    /// Looks what nothing has proved in time.
    pub fn overdue(&mut self, now: DateTime<Utc>) -> Overdue {
        let mut overdue = Overdue::default();
        if self.awaited.is_empty() {
            return overdue;
        }
        let (proof, arm) = (self.proof(), self.arm);
        let until = |awaited: &Awaited| match proof {
            Some(Proof::Passing) => awaited.expires_at.max(awaited.sent_at + PASSING_PROVES_WITHIN),
            Some(Proof::Position) | None => awaited.expires_at,
        };
        for awaited in std::mem::take(&mut self.awaited) {
            let at = until(&awaited);
            match proof {
                _ if now < at => {
                    overdue.look_at = Some(overdue.look_at.map_or(at, |soonest| soonest.min(at)));
                    self.awaited.push_back(awaited);
                }
                None => {}
                Some(Proof::Position) if arm == Arm::Up => overdue.confirmed.push(awaited.cmd_id),
                Some(_) => overdue.unconfirmed.push(awaited.cmd_id),
            }
        }
        if !overdue.unconfirmed.is_empty() {
            self.last = LastOpening::Unconfirmed;
        } else if !overdue.confirmed.is_empty() {
            self.last = LastOpening::Confirmed;
        }
        overdue
    }
}

/// The sentence for people about an opening that nothing has proved.
pub fn unconfirmed_words() -> Words {
    Words::new(
        "已下发开闸，但未检测到开闸到位，请查看道闸",
        "The barrier was told to open, and nothing shows that it did: please look at it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::IdKey;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn command(name: &str) -> CommandId {
        CommandId::derive(&IdKey::new([7; 32]), &[name])
    }

    fn opened(by: ConfirmedBy, passing: PassingIsTold, names: &[&str]) -> Openings {
        let mut openings = Openings::new(by, passing);
        for name in names {
            openings.sent(at(0), command(name), at(10));
        }
        openings
    }

    #[test]
    fn an_arm_seen_up_confirms_and_one_that_stays_down_does_not() {
        let mut openings = opened(ConfirmedBy::Signal, PassingIsTold::Yes, &["a"]);
        assert_eq!(openings.arm(Arm::Moving), []);
        assert_eq!(openings.arm(Arm::Up), [command("a")]);
        assert_eq!(openings.overdue(at(60)), Overdue::default());

        let mut openings = opened(ConfirmedBy::Signal, PassingIsTold::Yes, &["a"]);
        openings.arm(Arm::Down);
        assert_eq!(openings.passed(Way::Through), None, "a car beside a closed arm proves nothing");
        let overdue = openings.overdue(at(10));
        assert_eq!(overdue.unconfirmed, [command("a")]);
        assert_eq!(openings.last(), LastOpening::Unconfirmed);
        assert_eq!(openings.overdue(at(99)), Overdue::default(), "it is told once");
    }

    #[test]
    fn an_arm_that_rose_for_a_car_before_proves_nothing_of_a_command_that_may_not_have_left_the_box() {
        let mut openings = opened(ConfirmedBy::Signal, PassingIsTold::Yes, &["a"]);
        openings.arm_stood(Arm::Up);
        assert_eq!(openings.overdue(at(9)).confirmed, [], "it is awaited on");
        assert_eq!(openings.passed(Way::Through), None, "the arm tells, so a passing is no proof");
        assert_eq!(openings.arm(Arm::Up), [command("a")], "told now, it is one");

        let mut openings = opened(ConfirmedBy::Signal, PassingIsTold::Yes, &["a"]);
        openings.arm_stood(Arm::Up);
        assert_eq!(openings.overdue(at(10)).confirmed, [command("a")], "it stood open all the while");
        let mut openings = opened(ConfirmedBy::Signal, PassingIsTold::Yes, &["a"]);
        openings.arm_stood(Arm::Down);
        assert_eq!(openings.overdue(at(10)).unconfirmed, [command("a")]);
    }

    #[test]
    fn where_no_arm_tells_a_passing_confirms_the_oldest_within_a_minute() {
        let mut openings = opened(ConfirmedBy::Signal, PassingIsTold::Yes, &["a", "b"]);
        assert_eq!(openings.passed(Way::Back), None);
        assert_eq!(openings.overdue(at(10)).look_at, Some(at(60)), "a driver may take his time");
        assert_eq!(openings.passed(Way::Through), Some(command("a")));
        let overdue = openings.overdue(at(60));
        assert_eq!(overdue.unconfirmed, [command("b")]);
    }

    #[test]
    fn where_nothing_tells_nothing_is_awaited() {
        let mut openings = opened(ConfirmedBy::Signal, PassingIsTold::No, &["a"]);
        assert_eq!(openings.overdue(at(99)), Overdue::default());
        let mut openings = opened(ConfirmedBy::Nothing, PassingIsTold::Yes, &["a"]);
        openings.arm(Arm::Down);
        assert_eq!(openings.overdue(at(99)), Overdue::default());
    }

    #[test]
    fn the_devices_own_word_counts_unless_the_arm_alone_does() {
        let mut openings = opened(ConfirmedBy::Signal, PassingIsTold::Yes, &["a"]);
        openings.arm(Arm::Down);
        openings.answered(&command("a").to_string(), Answer::Confirmed);
        assert_eq!(openings.overdue(at(99)), Overdue::default());

        let mut openings = opened(ConfirmedBy::Position, PassingIsTold::Yes, &["a"]);
        assert_eq!(openings.weigh(Answer::Confirmed), Answer::Accepted);
        openings.answered(&command("a").to_string(), Answer::Confirmed);
        assert_eq!(openings.overdue(at(10)).unconfirmed.len(), 1, "a barrier that only says so");
        assert_eq!(openings.weigh(Answer::Failed), Answer::Failed);
    }

    #[test]
    fn an_arm_that_stood_up_all_along_confirms_and_a_refusal_ends_the_wait() {
        let mut openings = Openings::new(ConfirmedBy::Signal, PassingIsTold::Yes);
        openings.arm(Arm::Up);
        openings.sent(at(0), command("a"), at(10));
        openings.sent(at(1), command("a"), at(10));
        assert_eq!(openings.overdue(at(10)).confirmed, [command("a")], "sent again, it is still one");
        openings.sent(at(20), command("b"), at(30));
        openings.answered(&command("b").to_string(), Answer::Rejected);
        assert_eq!(openings.overdue(at(99)), Overdue::default());
    }

    #[test]
    fn the_next_confirmed_opening_ends_the_doubt() {
        let mut openings = opened(ConfirmedBy::Signal, PassingIsTold::Yes, &["a"]);
        openings.arm(Arm::Down);
        openings.overdue(at(10));
        openings.sent(at(20), command("b"), at(30));
        assert_eq!(openings.last(), LastOpening::Unconfirmed);
        openings.arm(Arm::Up);
        assert_eq!(openings.last(), LastOpening::Confirmed);
    }
}
