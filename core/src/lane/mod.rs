//! A lane (车道) as a state machine: `step(now, input, records) -> effects`.
//!
//! Owns the decision which car may pass, and what becomes of it until the car has passed or is gone. It reads records
//! and writes none: what it decides comes out as one [`Change`], whose effects are handed out only when the shell says
//! that it is durable. It knows nothing of MQTT, actors, files or the time of day.

mod backlog;
mod cameras;
mod commit;
mod confirming;
mod covering;
mod decision;
mod ending;
mod entry;
mod exchange;
mod exit;
mod moves;
mod opening;
mod passage;
mod queue;
mod rules;
mod standing;

pub use cameras::{Cameras, MainCameras, Weight};
pub use confirming::{
    ConfirmedBy, LastOpening, Openings, Overdue, PassingIsTold, Proof, UNCONFIRMED, unconfirmed_words,
};
pub use decision::{DecisionCode, Tone};
pub use exchange::{
    Answer, Answered, Arm, Command, Effect, Input, Mark, OnLoop, OrderStanding, Passed, Person, Read, Step, Tell,
    Timer, TimerKind, Way,
};
pub use passage::{
    Also, Case, CaseKind, CommandState, Ended, EndedBy, EventSeen, Grant, GrantCause, LaneHand, OpenCommand, Passage,
    PassageState, Passing,
};
pub use rules::{Direction, ExitWithoutEntry, HolderOwes, LaneRules, PassedBy, Role};
pub use standing::Standing;

use chrono::{DateTime, TimeDelta, Utc};

use crate::id::{BootId, PassageId};
use crate::money::MoneyError;
use crate::record::{Cause, ChangeKind, ReadError, Records, Refusal, Revision};
use crate::stay::{Inside, Stay};
use crate::tariff::PriceError;
use commit::{Draft, Seen};

/// How long after its opening the same plate is still taken for the same car when nothing said that it passed.
const GRANT_LASTS: TimeDelta = TimeDelta::minutes(10);
/// A read that is younger than this is taken in the order in which it came: devices' clocks differ by as much.
const OUT_OF_ORDER_AFTER: TimeDelta = TimeDelta::seconds(1);
/// Events younger than this have their marks for certain.
const MARKS_LAST: TimeDelta = TimeDelta::days(1);
/// A car that waits at an exit and was not seen for so long has backed out unseen.
const WAIT_LASTS: TimeDelta = TimeDelta::hours(1);
/// How long after the next car was read the one before it may still be on its way through.
const PASSING_LASTS: TimeDelta = TimeDelta::minutes(1);
/// How often a waiting lane looks at its bill by itself, in case the message that it was paid got lost.
const LOOK_AT_BILL_EVERY: TimeDelta = TimeDelta::seconds(2);

/// Why a lane could not step. None of these goes away by itself: the shell starts the lane again.
#[derive(Debug, thiserror::Error)]
pub enum LaneFault {
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Amounts that do not fit together.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A stay that the tariff cannot price.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// A change was refused for a reason that deciding again cannot mend.
    #[error("a change of the lane was refused: {0}")]
    Refused(Refusal),
    /// The shell handed in an input while a commit was open.
    #[error("the lane waits for its commit")]
    CommitOpen,
}

/// One lane.
#[derive(Debug)]
pub struct Lane {
    rules: LaneRules,
    hand: Option<Passage>,
    hand_revision: Option<Revision>,
    passing: Option<Passing>,
    also: Option<Also>,
    arm: Arm,
    on_loop: OnLoop,
    barrier_boot: Option<BootId>,
    open: Option<OpenCommit>,
}

/// A commit that the shell has not answered yet.
#[derive(Debug)]
struct OpenCommit {
    input: Input,
    next: Option<Passage>,
    passing: Option<Passing>,
    also: Option<Also>,
    then: Vec<Effect>,
}

/// Whether a read belongs to the passage in hand.
enum Which {
    SameCar,
    NextCar,
    /// It stood there before the car in hand; its read came late.
    EarlierCar,
    /// Its read came late, and the books know already what it has to tell.
    Booked,
}

impl Lane {
    /// The lane as the records have it, after a start or a restart. `resume` says what is still to be done.
    pub fn load(rules: LaneRules, records: &impl Records) -> Result<Self, LaneFault> {
        let mut lane = Self {
            rules,
            hand: None,
            hand_revision: None,
            passing: None,
            also: None,
            arm: Arm::Unknown,
            on_loop: OnLoop::Clear,
            barrier_boot: None,
            open: None,
        };
        lane.reload(records)?;
        Ok(lane)
    }

    /// The lane's rules.
    pub fn rules(&self) -> &LaneRules {
        &self.rules
    }

    /// Whether a commit is open: until it is answered the lane takes nothing but the answer.
    pub fn waits_for_commit(&self) -> bool {
        self.open.is_some()
    }

    /// Takes one input.
    pub fn step(&mut self, now: DateTime<Utc>, input: Input, records: &impl Records) -> Result<Step, LaneFault> {
        match (input, self.open.take()) {
            (Input::Durable(revision), Some(open)) => {
                self.hand = open.next;
                self.passing = open.passing;
                self.also = open.also;
                self.hand_revision = Some(revision);
                Ok(Step::effects(open.then))
            }
            (Input::Refused(Refusal::Stale { .. } | Refusal::Full(_)), Some(open)) => {
                // Somebody was faster: look again, decide again. The loop is cleared once more, else nobody left it.
                if open.input == Input::Loop(OnLoop::Clear) {
                    self.on_loop = OnLoop::Occupied;
                }
                let mut effects = self.catch_up(now, records)?;
                let mut step = self.take(now, open.input, records)?;
                effects.append(&mut step.effects);
                Ok(Step { effects, ..step })
            }
            (Input::Refused(refusal), _) => Err(LaneFault::Refused(refusal)),
            (Input::Durable(_), None) => Ok(Step::nothing()),
            (_, Some(open)) => {
                self.open = Some(open);
                Err(LaneFault::CommitOpen)
            }
            (input, None) => self.take(now, input, records),
        }
    }

    fn take(&mut self, now: DateTime<Utc>, input: Input, records: &impl Records) -> Result<Step, LaneFault> {
        let draft = match &input {
            Input::Read(read) => return self.read(now, read, &input, records),
            Input::Passed(passed) => match Self::mark(&passed.mark, records)? {
                Seen::Before(step) => return self.seen_before(now, step, records),
                Seen::New => self.passed(now, passed, records)?,
            },
            Input::Noted(mark) => match Self::mark(mark, records)? {
                Seen::Before(step) => return self.seen_before(now, step, records),
                Seen::New => Some(self.noted(now, mark)),
            },
            Input::Answered(answered) => self.answered(now, answered, records)?,
            Input::Timer(timer) => return self.timer(now, *timer, &input, records),
            Input::LookAtBill => self.look_at_bill(now, records)?,
            Input::LookAtPass => match self.rules.role() {
                Role::Begins => self.look_at_pass_of_refused(now, records)?,
                Role::Ends => self.look_at_pass_of_waiting(now, records)?,
                Role::Moves => None,
            },
            Input::OpenedBy(person) => match self.request(person, records)? {
                Seen::Before(step) => return self.seen_before(now, step, records),
                Seen::New => Some(self.opened_by(now, person, records)?),
            },
            Input::Arm(arm) | Input::ArmStood(arm) => {
                self.arm = *arm;
                None
            }
            Input::Loop(on_loop) => self.on_loop(now, *on_loop, records)?,
            Input::BarrierOnline(boot) => return Ok(self.barrier_online(now, boot.as_ref())),
            Input::Durable(_) | Input::Refused(_) => None,
        };
        Ok(draft.map_or_else(Step::nothing, |draft| self.commit(draft, input)))
    }

    fn read(
        &mut self,
        now: DateTime<Utc>,
        read: &Read,
        input: &Input,
        records: &impl Records,
    ) -> Result<Step, LaneFault> {
        if let Seen::Before(step) = Self::mark(&read.mark, records)? {
            return self.seen_before(now, step, records);
        }
        // Its mark was dropped for its age; the passage that it made tells that it has been taken.
        let old = read.mark.age > MARKS_LAST;
        if old && records.get::<Passage>(&self.passage_id(&read.mark).to_string())?.is_some() {
            return Ok(Step::nothing());
        }
        let cause = Cause::Event { device: read.mark.device.clone(), event_id: read.mark.event_id.clone() };
        let mut draft = self.draft(ChangeKind::PassageDecided, now, cause);
        draft.take_event(&read.mark, now);
        draft.change.personal(read.plate.as_str());
        if read.mark.age > self.rules.stale_after && self.was_read_while_in_hand(read) {
            draft.change.kind = ChangeKind::PassageReadAgain;
        } else if read.mark.age > self.rules.stale_after {
            self.book_backlog(&mut draft, now, read, records)?;
        } else {
            match self.which(now, read, records)? {
                Which::SameCar => self.read_again(&mut draft, now),
                Which::Booked => draft.change.kind = ChangeKind::EventNoted,
                Which::EarlierCar => self.book_backlog(&mut draft, now, read, records)?,
                Which::NextCar => {
                    let back = self.is_back(now, read, records)?;
                    if back.is_none() {
                        self.lapse_also(&mut draft, now, records)?;
                    }
                    let waits = self.end_for_next_car(&mut draft, now, read, records)?;
                    match (back, self.rules.role()) {
                        (Some(back), _) => self.in_hand_again(&mut draft, now, back),
                        (None, Role::Begins) => self.decide_entry(&mut draft, now, read, records)?,
                        (None, Role::Ends) => self.decide_exit(&mut draft, now, read, records)?,
                        (None, Role::Moves) => self.decide_move(&mut draft, now, read, records)?,
                    }
                    self.wait_also(&mut draft, now, waits, records)?;
                }
            }
        }
        Ok(self.commit(draft, input.clone()))
    }

    /// What was taken before is not taken again; but a lane that died with its commit open may have taken it, and then
    /// nobody has carried out what was decided.
    fn seen_before(&mut self, now: DateTime<Utc>, step: Step, records: &impl Records) -> Result<Step, LaneFault> {
        let mut effects = self.catch_up(now, records)?;
        effects.extend(step.effects);
        Ok(Step { effects, ..step })
    }

    /// Takes over what the lane's predecessor committed after this one was loaded, with what is still to be done for it.
    fn catch_up(&mut self, now: DateTime<Utc>, records: &impl Records) -> Result<Vec<Effect>, LaneFault> {
        let known = self.hand_revision;
        self.reload(records)?;
        if self.hand_revision == known {
            return Ok(vec![]);
        }
        let mut effects = self.resume(now);
        if let Some(boot) = self.barrier_boot.clone() {
            effects.append(&mut self.barrier_online(now, Some(&boot)).effects);
        }
        Ok(effects)
    }

    /// Reads of one plate until it has passed or gone are one passage, whatever their event ids.
    fn which(&self, now: DateTime<Utc>, read: &Read, records: &impl Records) -> Result<Which, LaneFault> {
        let late = read.mark.age > OUT_OF_ORDER_AFTER;
        let role = self.rules.role();
        if role != Role::Begins && late && self.is_booked(read, records)? {
            return Ok(Which::Booked);
        }
        let Some(hand) = &self.hand else { return Ok(Which::NextCar) };
        if hand.plate.as_ref() != Some(&read.plate) {
            // Nobody has read the car that a person opened for: what was seen before may well be of that car.
            let earlier = (late || hand.plate.is_none()) && read.mark.captured_at < hand.captured_at;
            return Ok(match earlier {
                false => Which::NextCar,
                true if self.is_booked(read, records)? => Which::Booked,
                true => Which::EarlierCar,
            });
        }
        if late && self.has_left_since(hand, read, records)? {
            return Ok(Which::Booked);
        }
        // Seen before it left, heard of after.
        let seen_before = hand.ended.as_ref().is_some_and(|ended| read.mark.captured_at < ended.at);
        if seen_before && matches!(hand.state, PassageState::Passed | PassageState::Lapsed) {
            return Ok(Which::SameCar);
        }
        let inside = records.get::<Inside>(read.plate.as_str())?.map(|kept| kept.record.stay);
        let same = match (hand.state, role) {
            (PassageState::Waiting, role) => {
                // At an exit it waits with the stay that it came with, and for a while: then it has backed out unseen.
                let unchanged = role == Role::Begins || inside == hand.stay;
                unchanged && now - hand.last_seen_at() <= WAIT_LASTS && Self::is_still_here(hand, records)?
            }
            (PassageState::Granted | PassageState::Passed, Role::Moves) if !self.moved_last(hand, records)? => false,
            (PassageState::Granted, role) => {
                let since = hand.grant.as_ref().map_or(hand.decided_at, |grant| grant.at);
                // At an exit the stay may have ended by a guess before the barrier had to open again.
                let unchanged = inside == hand.stay || role == Role::Ends && inside.is_none();
                unchanged && now - since <= GRANT_LASTS
            }
            // Without a loop nobody saw it pass: the camera may see the same car a little longer.
            (PassageState::Passed, role) => {
                let guessed = matches!(&hand.ended, Some(ended)
                    if matches!(ended.by, EndedBy::Opening | EndedBy::Time)
                        && now - ended.at.max(hand.last_seen_at()) <= self.rules.same_car_within);
                let unchanged = match role {
                    Role::Begins | Role::Moves => inside == hand.stay,
                    Role::Ends => inside.is_none(),
                };
                guessed && unchanged
            }
            (PassageState::Refused | PassageState::Lapsed, _) => false,
        };
        Ok(if same { Which::SameCar } else { Which::NextCar })
    }

    /// Whether a late read is one more of the passage in hand. It opens nothing.
    fn was_read_while_in_hand(&self, read: &Read) -> bool {
        let seen = read.mark.captured_at;
        self.hand.as_ref().is_some_and(|hand| {
            let ended = hand.ended.as_ref().is_some_and(|ended| ended.at < seen);
            hand.plate.as_ref() == Some(&read.plate) && hand.captured_at <= seen && !ended
        })
    }

    /// Whether the car in hand was out of the lot again before this late read of it came.
    fn has_left_since(&self, hand: &Passage, read: &Read, records: &impl Records) -> Result<bool, LaneFault> {
        let Some(stay) = hand.stay else { return Ok(false) };
        let stay = records.get::<Stay>(&stay.to_string())?;
        let exited_at = stay.and_then(|kept| kept.record.exited_at);
        Ok(self.rules.role() != Role::Ends && exited_at.is_some_and(|at| read.mark.captured_at < at))
    }

    /// Whether a late read tells nothing that the books do not know: at an entry of a car that is inside, at an exit of
    /// one that has come in since.
    fn is_booked(&self, read: &Read, records: &impl Records) -> Result<bool, LaneFault> {
        let Some(inside) = records.get::<Inside>(read.plate.as_str())? else { return Ok(false) };
        let role = self.rules.role();
        if role == Role::Begins {
            return Ok(true);
        }
        let stay = records.get::<Stay>(&inside.record.stay.to_string())?;
        let seen = read.mark.captured_at;
        let moved_on = |stay: &Stay| role == Role::Moves && stay.moves.last().is_some_and(|last| last.at >= seen);
        Ok(stay.is_some_and(|kept| kept.record.entered_at > seen || moved_on(&kept.record)))
    }

    fn timer(
        &mut self,
        now: DateTime<Utc>,
        timer: Timer,
        input: &Input,
        records: &impl Records,
    ) -> Result<Step, LaneFault> {
        let Some(hand) = self.hand.as_ref().filter(|hand| hand.id == timer.passage) else { return Ok(Step::nothing()) };
        let attempt = hand.grant.as_ref().map_or(0, |grant| grant.command.attempt);
        if attempt != timer.attempt {
            return Ok(Step::nothing());
        }
        let draft = match timer.kind {
            TimerKind::CommandExpiry => self.command_expired(now),
            TimerKind::Retry => self.try_again(now),
            TimerKind::CountAsPassed => self.count_as_passed(now, records)?,
            TimerKind::LookAtBill => {
                let draft = self.look_at_bill(now, records)?;
                if draft.is_none() {
                    return Ok(Step::effects(self.look_again_later(now).into_iter().collect()));
                }
                draft
            }
        };
        Ok(draft.map_or_else(Step::nothing, |draft| self.commit(draft, input.clone())))
    }

    fn noted(&self, now: DateTime<Utc>, mark: &Mark) -> Draft {
        let cause = Cause::Event { device: mark.device.clone(), event_id: mark.event_id.clone() };
        let mut draft = self.draft(ChangeKind::EventNoted, now, cause);
        draft.take_event(mark, now);
        draft
    }

    fn passage_id(&self, mark: &Mark) -> PassageId {
        PassageId::derive(&self.rules.key, &[mark.device.as_str(), mark.event_id.as_str()])
    }
}

#[cfg(test)]
mod tests;
