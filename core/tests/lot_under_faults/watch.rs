//! Owns the records, the journal's audit, and what somebody who stands outside sees: which command followed from what.
//!
//! It looks at each change before it is taken, with the records as they were, and trusts nothing that the core says of
//! itself beyond what is in the change.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use tollhouse_core::audit::{self, Invariant, JournalEntry, Texts};
use tollhouse_core::bill::Bill;
use tollhouse_core::id::{BillId, CommandId, LaneId, PassageId, StayId};
use tollhouse_core::lane::{
    Arm, Command, CommandState, DecisionCode, Direction, Ended, EndedBy, Grant, GrantCause, Passage, PassageState,
};
use tollhouse_core::record::{Cause, Change, ChangeKind, Kept, Memory, Op, Record, Records, Refusal, Table};
use tollhouse_core::stay::Stay;

use crate::cars::Car;
use crate::desk::{Taken, payment_key};
use crate::hardware::Presence;
use crate::queue::{Seen, What};

/// For so long an authorisation holds for a car that stands there.
const GRANT_HOLDS: TimeDelta = TimeDelta::minutes(10);

/// What really happened when a device saw something.
struct Truth {
    captured_at: DateTime<Utc>,
    presence: Presence,
    read_rightly: bool,
}

pub(crate) struct Watch {
    pub(crate) records: Memory,
    invariants: Vec<Box<dyn Invariant>>,
    seen: BTreeMap<String, Truth>,
    taken: BTreeSet<String>,
    commands: BTreeMap<CommandId, DateTime<Utc>>,
    carried_out: BTreeSet<CommandId>,
    /// Which presence of a car in a lane was authorised, and consumed.
    consumed: BTreeSet<(usize, DateTime<Utc>)>,
    passages: BTreeMap<PassageId, (usize, DateTime<Utc>)>,
    newest: BTreeMap<LaneId, PassageId>,
    /// Since when a bill is on record as paid.
    pub(crate) settled_at: BTreeMap<BillId, DateTime<Utc>>,
    at_exits: BTreeMap<StayId, Vec<PassageId>>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self {
            records: Memory::new(),
            invariants: audit::all(),
            seen: BTreeMap::new(),
            taken: BTreeSet::new(),
            commands: BTreeMap::new(),
            carried_out: BTreeSet::new(),
            consumed: BTreeSet::new(),
            passages: BTreeMap::new(),
            newest: BTreeMap::new(),
            settled_at: BTreeMap::new(),
            at_exits: BTreeMap::new(),
        }
    }

    /// The record under `key`, which must be there.
    pub(crate) fn record<T: Record>(&self, key: &str) -> Result<Kept<T>, String> {
        let kept = self.records.get(key).map_err(|fault| fault.to_string())?;
        kept.ok_or_else(|| format!("{:?}/{key} is gone", T::TABLE))
    }

    pub(crate) fn is_captured(&self, transaction: &str) -> bool {
        matches!(self.records.stored(Table::Payments, &payment_key(transaction)), Ok(Some(_)))
    }

    /// The verdict of the journal's invariants as of now.
    pub(crate) fn audit(&mut self) -> Result<(), String> {
        for invariant in &mut self.invariants {
            invariant.end(&self.records).map_err(|fault| format!("audit: {}: {fault}", invariant.name()))?;
        }
        Ok(())
    }

    pub(crate) fn seen(&mut self, seen: &Seen, _lane: usize, presence: Presence, cars: &[Car]) {
        let read_rightly = match (&seen.what, presence) {
            (What::Read(plate), Some((car, _))) => cars[car].plate == plate.as_str(),
            _ => true,
        };
        self.seen.insert(seen.id.clone(), Truth { captured_at: seen.captured_at, presence, read_rightly });
    }

    /// Takes a change, or refuses it; `Err` is a broken invariant. A lane's change comes with where it was told that its
    /// arm is, and with the car that really stands there.
    pub(crate) fn take(&mut self, change: Change, lane: Option<(Arm, Presence)>) -> Result<Taken, String> {
        let mut passages: Vec<Passage> = vec![];
        for op in &change.ops {
            if let Op::Put { table, record, .. } = op
                && table == Table::Passages.name()
            {
                passages.push(serde_json::from_str(record.get()).map_err(|fault| fault.to_string())?);
            }
        }
        let mut known: Vec<Option<Kept<Passage>>> = vec![];
        for passage in &passages {
            known.push(self.records.get(&passage.id.to_string()).map_err(|fault| fault.to_string())?);
        }
        let revision = match self.records.take(&change) {
            Ok(revision) => revision,
            Err(refusal @ (Refusal::Stale { .. } | Refusal::Full(_))) => return Ok(Err(refusal)),
            Err(refusal) => return Err(format!("a change is wrong: {refusal}")),
        };
        self.note_settled(&change)?;
        if let Cause::Event { event_id, .. } = &change.cause
            && !self.taken.insert(event_id.to_string())
        {
            return Err(format!("the event {event_id} changed the state a second time ({:?})", change.kind));
        }
        let (arm, presence) = lane.unwrap_or((Arm::Unknown, None));
        for (passage, known) in passages.iter().zip(known) {
            let step = Step { change: &change, passage, before: known.map(|kept| kept.record), arm };
            self.command_follows(&step)?;
            states_follow(&step)?;
            self.event_is_of_this_car(&step)?;
            self.cause_is_true(&step)?;
        }
        not_its_own_next_car(&change, &passages, presence, &self.records)?;
        let entry = JournalEntry { position: revision, change, texts: Texts::Whole };
        for invariant in &mut self.invariants {
            invariant.entry(&entry);
        }
        Ok(Ok(revision))
    }

    fn note_settled(&mut self, change: &Change) -> Result<(), String> {
        for op in &change.ops {
            if let Op::Put { table, record, .. } = op
                && table == Table::Bills.name()
            {
                let bill: Bill = serde_json::from_str(record.get()).map_err(|fault| fault.to_string())?;
                if bill.due().is_zero() && bill.paid.is_positive() {
                    self.settled_at.entry(bill.id).or_insert(change.at);
                } else {
                    self.settled_at.remove(&bill.id);
                }
            }
        }
        Ok(())
    }

    /// A command leaves the box: it must be on record and must not have expired.
    pub(crate) fn handed_over(&mut self, command: &Command) -> Result<(), String> {
        match self.commands.get(&command.cmd_id) {
            None => Err(format!("the command {:?} goes out and is not on record", command.cmd_id)),
            Some(expires_at) if command.expires_at != *expires_at => {
                Err("a command goes out with another expiry".into())
            }
            // A commit may take longer than the command lives: then the device refuses it.
            Some(_) => Ok(()),
        }
    }

    /// A barrier carries a command out.
    pub(crate) fn carried_out(&mut self, command: &Command, now: DateTime<Utc>) -> Result<(), String> {
        if !self.commands.contains_key(&command.cmd_id) {
            return Err(format!("a barrier obeys {:?}, which is not on record", command.cmd_id));
        }
        if now > command.expires_at {
            return Err("a barrier obeys a command that has expired".into());
        }
        if !self.carried_out.insert(command.cmd_id) {
            return Err("a barrier obeys a command twice".into());
        }
        Ok(())
    }

    /// A further command only after rejected or failed, or after unknown with the arm not up, or by a person's order.
    fn command_follows(&mut self, step: &Step<'_>) -> Result<(), String> {
        let Some(Grant { command, .. }) = &step.passage.grant else { return Ok(()) };
        let earlier = step.before.as_ref().and_then(|before| before.grant.as_ref()).map(|grant| &grant.command);
        let Some(earlier) = earlier else {
            return self.note_command(command.cmd_id, command.expires_at);
        };
        if earlier.cmd_id == command.cmd_id {
            return if earlier.expires_at == command.expires_at {
                Ok(())
            } else {
                Err(format!("the command {:?} is used again with another expiry", command.cmd_id))
            };
        }
        let by_person = matches!(step.change.cause, Cause::Person { .. });
        let allowed = match earlier.state {
            CommandState::Rejected | CommandState::Failed => true,
            CommandState::Unknown => step.arm != Arm::Up,
            CommandState::Sent | CommandState::Accepted | CommandState::Confirmed => false,
        };
        if !(allowed || by_person) {
            return Err(format!(
                "passage {} is opened again while its command is {:?}",
                step.passage.id, earlier.state
            ));
        }
        self.note_command(command.cmd_id, command.expires_at)
    }

    fn note_command(&mut self, command: CommandId, expires_at: DateTime<Utc>) -> Result<(), String> {
        match self.commands.insert(command, expires_at) {
            None => Ok(()),
            Some(_) => Err(format!("the command {command:?} is made a second time")),
        }
    }

    /// What a loop saw before the car in hand came is not about that car; a presence that was consumed opens no more.
    fn event_is_of_this_car(&mut self, step: &Step<'_>) -> Result<(), String> {
        let Cause::Event { event_id, .. } = &step.change.cause else { return Ok(()) };
        let Some(truth) = self.seen.get(event_id.as_str()) else { return Ok(()) };
        let live = |passage: &Passage| matches!(passage.state, PassageState::Waiting | PassageState::Granted);
        let ends = step.before.as_ref().is_some_and(live) && !live(step.passage);
        let by_loop =
            matches!(&step.passage.ended, Some(ended) if matches!(ended.by, EndedBy::Loop | EndedBy::BackedOut));
        if ends && by_loop && truth.captured_at < step.passage.captured_at {
            return Err(format!("passage {} is ended by what a loop saw before its car came", step.passage.id));
        }
        let Some(presence) = truth.presence else { return Ok(()) };
        if ends && by_loop && self.passages.get(&step.passage.id) == Some(&presence) {
            self.consumed.insert(presence);
        }
        let begins = step.before.is_none() && step.passage.ended.is_none();
        if begins && truth.read_rightly {
            // Whether a misread came between, nobody at the lane can tell.
            let newest = self.newest.get(&step.passage.lane).and_then(|newest| self.passages.get(newest));
            if self.consumed.contains(&presence) && newest == Some(&presence) && step.passage.grant.is_some() {
                return Err(format!("a further read of a car that has passed opens as passage {}", step.passage.id));
            }
            self.passages.insert(step.passage.id, presence);
        }
        if begins {
            self.newest.insert(step.passage.lane.clone(), step.passage.id);
        }
        Ok(())
    }

    /// Who opens as settled has paid, who opens as nothing due owes nothing, and one payment opens one exit.
    fn cause_is_true(&mut self, step: &Step<'_>) -> Result<(), String> {
        let passage = step.passage;
        // Out of the court is not out of the lot.
        let leaves = passage.direction == Direction::Exit && passage.code != DecisionCode::AreaExit;
        let Some(grant) = passage.grant.as_ref().filter(|_| leaves) else {
            return Ok(());
        };
        let due = match passage.bill {
            Some(bill) => self.records.get::<Bill>(&bill.to_string()).map_err(|fault| fault.to_string())?,
            None => None,
        };
        let owes = due.as_ref().is_some_and(|bill| bill.record.due().is_positive());
        let settled = matches!(grant.cause, GrantCause::Settled | GrantCause::NothingDue);
        let consumed_now = passage.state == PassageState::Passed;
        let granted_now = step.before.as_ref().is_none_or(|before| before.grant.is_none());
        if settled && owes && (granted_now || consumed_now) {
            return Err(format!("passage {} opens as {:?} and owes", passage.id, grant.cause));
        }
        let Some(stay) = passage.stay else { return Ok(()) };
        if !granted_now {
            return Ok(());
        }
        let others = self.at_exits.get(&stay).cloned().unwrap_or_default();
        if step.change.kind == ChangeKind::PassageGranted && matches!(step.change.cause, Cause::Payment(_)) {
            for other in others.iter().filter(|other| **other != passage.id) {
                let other = self.records.get::<Passage>(&other.to_string()).map_err(|fault| fault.to_string())?;
                let elsewhere = other.is_some_and(|kept| {
                    let live = matches!(kept.record.state, PassageState::Granted | PassageState::Passed);
                    live && kept.record.captured_at > passage.captured_at
                });
                if elsewhere {
                    return Err(format!("one payment opens a second exit as passage {}", passage.id));
                }
            }
        }
        self.at_exits.entry(stay).or_default().push(passage.id);
        Ok(())
    }
}

/// One passage that a change writes, and what was known of it.
struct Step<'a> {
    change: &'a Change,
    passage: &'a Passage,
    before: Option<Passage>,
    arm: Arm,
}

/// An authorisation is consumed once, and what has ended does not begin again.
fn states_follow(step: &Step<'_>) -> Result<(), String> {
    let Some(before) = &step.before else { return Ok(()) };
    let ended_by = before.ended.as_ref().map(|Ended { by, .. }| *by);
    let guessed = matches!(ended_by, Some(EndedBy::Opening | EndedBy::Time));
    let again = matches!(step.passage.state, PassageState::Granted | PassageState::Waiting);
    match before.state {
        PassageState::Passed if again && !guessed => Err(format!("passage {} has passed and opens again", before.id)),
        PassageState::Lapsed if step.passage.state != PassageState::Lapsed => {
            Err(format!("passage {} has lapsed and goes on", before.id))
        }
        _ => Ok(()),
    }
}

/// A car that never left the lane is not its own next car while its authorisation holds, unless its stay was ended
/// elsewhere meanwhile (by what was heard of late).
fn not_its_own_next_car(
    change: &Change,
    passages: &[Passage],
    presence: Presence,
    records: &Memory,
) -> Result<(), String> {
    let (Some((_, since)), [first, second]) = (presence, passages) else { return Ok(()) };
    let same = first.plate.is_some() && first.plate == second.plate;
    let passed = first.state == PassageState::Passed && first.captured_at >= since;
    let fresh = first.grant.as_ref().is_some_and(|grant| change.at - grant.at <= GRANT_HOLDS);
    let Some(stay) = first.stay.filter(|_| same && passed && fresh && second.grant.is_some()) else { return Ok(()) };
    let stay = records.get::<Stay>(&stay.to_string()).map_err(|fault| fault.to_string())?;
    let ended_at = stay.and_then(|kept| kept.record.exited_at);
    let ended_here = match first.direction {
        Direction::Entry => ended_at == Some(second.captured_at),
        Direction::Exit => {
            ended_at == Some(first.captured_at) && second.stay.is_none_or(|stay| Some(stay) == first.stay)
        }
    };
    if ended_here {
        return Err(format!("the car of passage {} is still there and opens again as the next one", first.id));
    }
    Ok(())
}
