//! Opening the barrier: the authorisation, its command, the answers, further attempts.
//!
//! An authorisation covers one passage. A second command goes out only after the first was rejected or failed, or when
//! its outcome is unknown, the arm is not up and the same car is still there.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::commit::Draft;
use super::entry::{Arrival, Room};
use super::{
    Answer, Answered, Arm, CaseKind, Command, CommandState, DecisionCode, Effect, EndedBy, Grant, GrantCause, Lane,
    LaneFault, OpenCommand, Passage, PassageState, PassedBy, Person, Role, Step, Tell, Timer, TimerKind, Tone,
};
use crate::id::{BootId, CommandId, PassageId};
use crate::record::{Cause, ChangeKind, Records};
use crate::stay::Inside;

/// How often the box tries by itself to open for one passage.
const MOST_ATTEMPTS: u8 = 3;
/// How long it waits before it tries again.
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(1);

impl Lane {
    /// Authorises the passage and commands the barrier, once that is durable.
    pub(super) fn grant(&self, draft: &mut Draft, now: DateTime<Utc>, mut passage: Passage, cause: GrantCause) {
        let attempt = passage.grant.as_ref().map_or(0, |grant| grant.command.attempt).saturating_add(1);
        let command = OpenCommand {
            cmd_id: CommandId::derive(&self.rules.key, &[&passage.id.to_string(), &attempt.to_string()]),
            device: self.rules.barrier.clone(),
            boot_id: self.barrier_boot.clone(),
            attempt,
            expires_at: now + self.rules.command_ttl,
            state: CommandState::Sent,
            reason: None,
        };
        draft.then.push(Effect::Command(open_command(&command)));
        draft.then.push(expiry(passage.id, &command));
        if self.rules.passed_by == PassedBy::Opening {
            let timer = Timer { kind: TimerKind::CountAsPassed, passage: passage.id, attempt };
            draft.then.push(Effect::Arm(timer, now + self.rules.passed_after));
        }
        passage.state = PassageState::Granted;
        passage.ended = None;
        passage.grant = Some(Grant { cause, at: now, command });
        draft.keep(passage);
    }

    /// A further read of the car in hand.
    pub(super) fn read_again(&self, draft: &mut Draft, now: DateTime<Utc>) {
        draft.change.kind = ChangeKind::PassageReadAgain;
        let Some(mut hand) = self.hand.clone() else { return };
        hand.read_again_at = Some(now);
        // What has been seen to end does not open again.
        let ended = matches!(&hand.ended, Some(ended) if !matches!(ended.by, EndedBy::Opening | EndedBy::Time));
        let again = hand.grant.as_ref().is_some_and(|grant| {
            let undone =
                matches!(grant.command.state, CommandState::Rejected | CommandState::Failed | CommandState::Unknown);
            undone && self.arm != Arm::Up && !ended
        });
        match (&hand.grant, again) {
            (Some(grant), true) => {
                let cause = grant.cause;
                self.grant(draft, now, hand, cause);
            }
            _ if ended => {}
            _ => {
                self.show(draft, now, &hand);
                draft.keep(hand);
            }
        }
    }

    pub(super) fn answered(
        &mut self,
        now: DateTime<Utc>,
        answered: &Answered,
        records: &impl Records,
    ) -> Result<Option<Draft>, LaneFault> {
        let Some(hand) = self.hand.as_mut() else { return Ok(None) };
        let Some(grant) = hand.grant.as_mut() else { return Ok(None) };
        let open = matches!(grant.command.state, CommandState::Sent | CommandState::Accepted);
        if grant.command.cmd_id.to_string() != answered.cmd_id {
            return Ok(None);
        }
        let state = match answered.answer {
            // Accepted is not opened; it only ends the sending. Nothing follows from it that a restart must know.
            Answer::Accepted => {
                if grant.command.state == CommandState::Sent {
                    grant.command.state = CommandState::Accepted;
                }
                return Ok(None);
            }
            Answer::Confirmed => CommandState::Confirmed,
            Answer::Rejected => CommandState::Rejected,
            Answer::Failed => CommandState::Failed,
            Answer::Unknown => CommandState::Unknown,
        };
        let late_confirmation = state == CommandState::Confirmed && grant.command.state == CommandState::Unknown;
        if !(open || late_confirmation) {
            return Ok(None);
        }
        let mut passage = hand.clone();
        let cause = Cause::Command(answered.cmd_id.clone());
        let mut draft = self.draft(ChangeKind::PassageCommand, now, cause);
        Self::command_ends(&mut draft, now, &mut passage, state, answered.reason.clone());
        if state == CommandState::Confirmed
            && self.rules.passed_by == PassedBy::Opening
            && passage.state == PassageState::Granted
        {
            self.finish(&mut draft, now, passage, EndedBy::Opening, records)?;
        } else {
            draft.keep(passage);
        }
        Ok(Some(draft))
    }

    fn command_ends(
        draft: &mut Draft,
        now: DateTime<Utc>,
        passage: &mut Passage,
        state: CommandState,
        reason: Option<String>,
    ) {
        let Some(grant) = passage.grant.as_mut() else { return };
        grant.command.state = state;
        grant.command.reason = reason;
        let attempt = grant.command.attempt;
        if !matches!(state, CommandState::Rejected | CommandState::Failed) {
            return;
        }
        if attempt < MOST_ATTEMPTS {
            let timer = Timer { kind: TimerKind::Retry, passage: passage.id, attempt };
            draft.then.push(Effect::Arm(timer, now + RETRY_AFTER));
        } else {
            draft.case(CaseKind::BarrierFault, passage, passage.stay, now);
            draft.then.push(Effect::Tell(Tell {
                code: CaseKind::BarrierFault.as_str(),
                tone: Tone::Alarm,
                plate: passage.plate.clone(),
                words: CaseKind::BarrierFault.words(),
                money: None,
            }));
        }
    }

    pub(super) fn command_expired(&self, now: DateTime<Utc>) -> Option<Draft> {
        let mut passage = self.hand.clone()?;
        let grant = passage.grant.as_ref()?;
        if !matches!(grant.command.state, CommandState::Sent | CommandState::Accepted) {
            return None;
        }
        let cause = Cause::Command(grant.command.cmd_id.to_string());
        let mut draft = self.draft(ChangeKind::PassageCommand, now, cause);
        Self::command_ends(&mut draft, now, &mut passage, CommandState::Unknown, None);
        draft.keep(passage);
        Some(draft)
    }

    pub(super) fn try_again(&self, now: DateTime<Utc>) -> Option<Draft> {
        let passage = self.hand.clone().filter(|hand| hand.state == PassageState::Granted)?;
        let grant = passage.grant.as_ref()?;
        if !matches!(grant.command.state, CommandState::Rejected | CommandState::Failed) {
            return None;
        }
        let cause = grant.cause;
        let after = Cause::Command(grant.command.cmd_id.to_string());
        let mut draft = self.draft(ChangeKind::PassageCommand, now, after);
        self.grant(&mut draft, now, passage, cause);
        Some(draft)
    }

    /// The barrier has signed in. A command that it may have missed goes out again, to the same run of the device only.
    pub(super) fn barrier_online(&mut self, now: DateTime<Utc>, boot: Option<&BootId>) -> Step {
        self.barrier_boot = boot.cloned();
        let command = self.unanswered(now).filter(|command| command.boot_id.as_ref() == boot);
        Step::effects(command.map(|command| Effect::Command(open_command(command))).into_iter().collect())
    }

    fn unanswered(&self, now: DateTime<Utc>) -> Option<&OpenCommand> {
        let grant = self.hand.as_ref().filter(|hand| hand.state == PassageState::Granted)?.grant.as_ref()?;
        let waits = grant.command.state == CommandState::Sent && now < grant.command.expires_at;
        waits.then_some(&grant.command)
    }

    /// Since when the command in hand waits for an answer, if it does.
    pub fn unanswered_since(&self) -> Option<DateTime<Utc>> {
        let grant = self.hand.as_ref().filter(|hand| hand.state == PassageState::Granted)?.grant.as_ref()?;
        (grant.command.state == CommandState::Sent).then_some(grant.at)
    }

    /// What is still to be done after a restart.
    pub fn resume(&self, now: DateTime<Utc>) -> Vec<Effect> {
        let Some(hand) = &self.hand else { return vec![] };
        let mut effects = vec![];
        if hand.state == PassageState::Waiting {
            effects.extend(self.display_effect(now, hand));
        }
        effects.extend(self.look_again_at(now));
        let Some(grant) = hand.grant.as_ref().filter(|_| hand.state == PassageState::Granted) else { return effects };
        let command = &grant.command;
        // To a run of the device that was known, it goes out again when that run signs in (`BarrierOnline`).
        if let Some(unanswered) = self.unanswered(now).filter(|command| command.boot_id.is_none()) {
            effects.push(Effect::Command(open_command(unanswered)));
        }
        effects.push(expiry(hand.id, command));
        let timer = |kind| Timer { kind, passage: hand.id, attempt: command.attempt };
        if self.rules.passed_by == PassedBy::Opening {
            effects.push(Effect::Arm(timer(TimerKind::CountAsPassed), grant.at + self.rules.passed_after));
        }
        if matches!(command.state, CommandState::Rejected | CommandState::Failed) && command.attempt < MOST_ATTEMPTS {
            effects.push(Effect::Arm(timer(TimerKind::Retry), now + RETRY_AFTER));
        }
        effects
    }

    /// A person opens: for the car in hand, or for one that nobody read.
    pub(super) fn opened_by(
        &self,
        now: DateTime<Utc>,
        person: &Person,
        records: &impl Records,
    ) -> Result<Draft, LaneFault> {
        let mark = person.mark(&self.rules.lane);
        let cause = Cause::Person { name: person.name.clone(), reason: person.reason.clone() };
        let mut draft = self.draft(ChangeKind::PassageGranted, now, cause);
        draft.take_event(&mark, now);
        let in_hand = self
            .hand
            .clone()
            .filter(|hand| matches!(hand.state, PassageState::Waiting | PassageState::Granted | PassageState::Refused));
        let mut passage = in_hand.unwrap_or_else(|| Passage {
            id: self.passage_id(&mark),
            lane: self.rules.lane.clone(),
            direction: self.rules.direction,
            plate: None,
            colour: crate::plate::Colour::Unknown,
            captured_at: now,
            decided_at: now,
            code: DecisionCode::OpenedByPerson,
            due: None,
            stay: None,
            bill: None,
            state: PassageState::Waiting,
            grant: None,
            ended: None,
            read_again_at: None,
            opened_by: None,
        });
        if let (Role::Moves, Some(plate), None) = (self.rules.role(), passage.plate.clone(), passage.stay) {
            passage.stay = Some(self.move_by_hand(&mut draft, now, &passage, &plate, records)?);
        }
        if let (Role::Begins, Some(plate), None) = (self.rules.role(), passage.plate.clone(), passage.stay) {
            let inside = records.get::<Inside>(plate.as_str())?;
            // Of a card whose places are taken it is one car more; on the block list, overdue or full: a temporary one.
            let (basis, places) = Self::ground(&mut draft, &plate, now, records)?;
            let arrival = Arrival {
                passage: passage.id,
                plate: &plate,
                colour: passage.colour,
                captured_at: passage.captured_at,
                into: &self.rules.area,
                room: Room::Unbounded,
                places,
            };
            passage.stay = Some(self.begin_stay(&mut draft, now, &arrival, basis, inside, records)?);
        }
        passage.code = DecisionCode::OpenedByPerson;
        self.announce(&mut draft, now, &passage);
        self.grant(&mut draft, now, passage, GrantCause::Manual);
        Ok(draft)
    }
}

fn open_command(command: &OpenCommand) -> Command {
    Command {
        device: command.device.clone(),
        cmd_id: command.cmd_id,
        name: "open",
        args: json!({}),
        expires_at: command.expires_at,
    }
}

fn expiry(passage: PassageId, command: &OpenCommand) -> Effect {
    let timer = Timer { kind: TimerKind::CommandExpiry, passage, attempt: command.attempt };
    Effect::Arm(timer, command.expires_at)
}
