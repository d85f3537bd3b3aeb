//! The way of the newest list to one camera: part by part, each after the one before was confirmed, anew when the list
//! has changed, the camera has come back, or something failed.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::Whitelist;
use crate::id::{BootId, CommandId, DeviceId, IdKey};
use crate::lane::Answer;

/// A camera writes a part to its flash within this.
const PART_WITHIN: TimeDelta = TimeDelta::seconds(30);
/// After a failure it is left alone for so long, doubled each time.
const FIRST_REST: TimeDelta = TimeDelta::seconds(5);
const LONGEST_REST: TimeDelta = TimeDelta::minutes(10);

/// What a push is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// This is the list now.
    List(Arc<Whitelist>),
    /// The camera is there, with this run.
    Came(Option<BootId>),
    /// It has gone.
    Went,
    /// It answered a command.
    Answered {
        /// Which.
        cmd_id: String,
        /// What.
        answer: Answer,
    },
    /// Time has passed.
    Time,
}

/// A part on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its command's id.
    pub cmd_id: CommandId,
    /// Its command's arguments.
    pub args: Value,
    /// Until when it may be carried out.
    pub expires_at: DateTime<Utc>,
}

/// How a camera's list stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// The camera holds the newest list.
    Held,
    /// It is on its way, or waits for a camera that is away.
    OnItsWay,
    /// The camera did not take it; it is tried again.
    Failed,
}

#[derive(Debug, Clone)]
enum State {
    Idle,
    Sending { list: Arc<Whitelist>, part: usize, cmd_id: CommandId, until: DateTime<Utc> },
    Resting { until: DateTime<Utc> },
}

/// The push to one camera.
#[derive(Debug, Clone)]
pub struct Push {
    device: DeviceId,
    key: IdKey,
    list: Option<Arc<Whitelist>>,
    present: bool,
    run: Option<BootId>,
    held: Option<String>,
    state: State,
    out: Option<Part>,
    failures: u32,
}

impl Push {
    /// To this camera; ids are derived from the key.
    pub fn new(device: DeviceId, key: IdKey) -> Self {
        Self {
            device,
            key,
            list: None,
            present: false,
            run: None,
            held: None,
            state: State::Idle,
            out: None,
            failures: 0,
        }
    }

    /// Which camera.
    pub fn device(&self) -> &DeviceId {
        &self.device
    }

    /// How it stands.
    pub fn standing(&self) -> Pushed {
        match &self.list {
            Some(list) if self.held.as_deref() == Some(list.revision()) => Pushed::Held,
            _ if self.failures > 0 => Pushed::Failed,
            _ => Pushed::OnItsWay,
        }
    }

    /// Takes what it is told; the part to be sent now, if one is.
    pub fn step(&mut self, now: DateTime<Utc>, said: Said) -> Option<Part> {
        match said {
            Said::List(list) => self.list = Some(list),
            Said::Came(run) => {
                // Another run may hold another list, or none: a camera that was changed for a new one, say.
                if !self.present || self.run != run {
                    (self.held, self.state, self.failures) = (None, State::Idle, 0);
                }
                (self.present, self.run) = (true, run);
            }
            Said::Went => {
                (self.present, self.held, self.state) = (false, None, State::Idle);
            }
            Said::Answered { cmd_id, answer } => self.answered(now, &cmd_id, answer),
            Said::Time => self.time_passed(now),
        }
        self.next(now)
    }

    fn answered(&mut self, now: DateTime<Utc>, answered: &str, answer: Answer) {
        let State::Sending { list, part, cmd_id, .. } = &self.state else { return };
        if cmd_id.to_string() != answered {
            return;
        }
        match answer {
            Answer::Accepted => {}
            Answer::Confirmed if *part < list.parts() && self.newest(list) => {
                let (list, part) = (Arc::clone(list), part + 1);
                self.begin(now, list, part);
            }
            Answer::Confirmed => {
                if *part >= list.parts() {
                    self.held = Some(list.revision().to_owned());
                    self.failures = 0;
                }
                self.state = State::Idle;
            }
            Answer::Rejected | Answer::Failed | Answer::Unknown => self.fails(now),
        }
    }

    fn newest(&self, list: &Whitelist) -> bool {
        self.list.as_ref().is_some_and(|newest| newest.revision() == list.revision())
    }

    fn time_passed(&mut self, now: DateTime<Utc>) {
        match self.state {
            State::Sending { until, .. } if now >= until => self.fails(now),
            State::Resting { until } if now >= until => self.state = State::Idle,
            _ => {}
        }
    }

    fn fails(&mut self, now: DateTime<Utc>) {
        let rest = FIRST_REST * 2_i32.pow(self.failures.min(8));
        self.failures = self.failures.saturating_add(1);
        self.state = State::Resting { until: now + rest.min(LONGEST_REST) };
    }

    fn begin(&mut self, now: DateTime<Utc>, list: Arc<Whitelist>, part: usize) {
        // A camera drops an id that it has seen; the same part may go out again.
        let (number, moment) = (part.to_string(), now.timestamp_micros().to_string());
        let of = ["whitelist", self.device.as_str(), list.revision(), &number, &moment];
        let cmd_id = CommandId::derive(&self.key, &of);
        let until = now + PART_WITHIN;
        self.out = Some(Part { cmd_id, args: list.part(part), expires_at: until });
        self.state = State::Sending { list, part, cmd_id, until };
    }

    /// The part that is to go out now: the next of the list under way, or the first of one that the camera lacks.
    fn next(&mut self, now: DateTime<Utc>) -> Option<Part> {
        let wanted = self.list.clone().filter(|list| self.held.as_deref() != Some(list.revision()));
        if let (true, State::Idle, Some(list)) = (self.present, &self.state, wanted) {
            self.begin(now, list, 1);
        }
        self.out.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::AreaId;
    use crate::pass::{GatePass, Grants};
    use crate::plate::Plate;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn list(plates: usize) -> Said {
        let plate = |number| Plate::new(&format!("粤B{number:05}")).expect("a plate");
        let pass = |number| GatePass::new(plate(number), Grants::Free { until: None });
        let area = AreaId::new("main").expect("a name");
        Said::List(Arc::new(Whitelist::of((0..plates).map(pass), &area, at(0), 10_000)))
    }

    fn push() -> Push {
        Push::new(DeviceId::new("cam-in-1").expect("a name"), IdKey::new([3; 32]))
    }

    fn answer(part: &Part, answer: Answer) -> Said {
        Said::Answered { cmd_id: part.cmd_id.to_string(), answer }
    }

    fn place(part: &Part) -> (u64, u64) {
        (part.args["part"].as_u64().expect("a number"), part.args["parts"].as_u64().expect("a number"))
    }

    #[test]
    fn each_part_waits_for_the_one_before_and_the_last_makes_it_whole() {
        let mut push = push();
        assert_eq!(push.step(at(0), list(401)), None, "nobody is there yet");
        let mut part = push.step(at(1), Said::Came(None)).expect("the first part");
        for number in 1..=3 {
            assert_eq!(place(&part), (number, 3));
            assert_eq!(push.step(at(1), answer(&part, Answer::Accepted)), None);
            assert_eq!(push.step(at(2), Said::Time), None);
            let Some(next) = push.step(at(2), answer(&part, Answer::Confirmed)) else { break };
            part = next;
        }
        assert_eq!((place(&part), push.standing()), ((3, 3), Pushed::Held));
        assert_eq!(push.step(at(99), list(401)), None, "the same list is not sent again");
    }

    #[test]
    fn a_change_while_a_list_is_on_its_way_begins_anew_with_the_newest() {
        let mut push = push();
        push.step(at(0), Said::Came(None));
        let first = push.step(at(0), list(401)).expect("the first part");
        assert_eq!(push.step(at(1), list(2)), None, "one part at a time");
        let next = push.step(at(2), answer(&first, Answer::Confirmed)).expect("a part of the newest");
        assert_eq!(place(&next), (1, 1));
        push.step(at(3), answer(&next, Answer::Confirmed));
        assert_eq!(push.standing(), Pushed::Held);
    }

    #[test]
    fn a_camera_that_comes_back_gets_it_again_and_one_that_only_says_so_twice_does_not() {
        let run = |name: &str| Said::Came(BootId::new(name).ok());
        let mut push = push();
        push.step(at(0), run("a"));
        let part = push.step(at(0), list(1)).expect("a part");
        push.step(at(1), answer(&part, Answer::Confirmed));
        assert_eq!(push.step(at(2), run("a")), None);
        assert!(push.step(at(3), run("b")).is_some(), "another run");
        push.step(at(4), Said::Went);
        assert_eq!(push.standing(), Pushed::OnItsWay);
        assert!(push.step(at(5), run("b")).is_some(), "it was away");
    }

    #[test]
    fn what_is_refused_or_not_answered_is_tried_again_after_longer_and_longer_rests() {
        let mut push = push();
        push.step(at(0), Said::Came(None));
        let part = push.step(at(0), list(1)).expect("a part");
        assert_eq!(push.step(at(1), answer(&part, Answer::Rejected)), None);
        assert_eq!((push.standing(), push.step(at(5), Said::Time)), (Pushed::Failed, None));
        let part = push.step(at(6), Said::Time).expect("again");
        assert_eq!(push.step(at(35), Said::Time), None);
        assert_eq!(push.step(at(36), Said::Time), None, "not answered");
        assert_eq!(push.step(at(37), answer(&part, Answer::Confirmed)), None, "too late");
        let part = push.step(at(46), Said::Time).expect("after 10 s");
        push.step(at(47), answer(&part, Answer::Confirmed));
        assert_eq!(push.standing(), Pushed::Held);
    }
}
