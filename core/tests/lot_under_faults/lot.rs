//! The box: its lanes, what waits for them, and a process that can die between any two things it does.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use tollhouse_core::id::{BootId, CommandId, DeviceId, EventId};
use tollhouse_core::lane::{
    Arm, Effect, Input, Lane, Mark, OnLoop, Passage, Passed, PassedBy, Person, Read, Step, Timer,
};
use tollhouse_core::plate::Colour;
use tollhouse_core::record::{Change, ChangeKind, Op, Table};
use tollhouse_core::stay::Stay;

use crate::faults::Planted;
use crate::queue::{Arm as ArmAt, Happens, Seen, Told, What};
use crate::world::World;

/// The process.
pub(crate) struct Shell {
    pub(crate) lanes: Vec<LaneShell>,
    pub(crate) started_at: DateTime<Utc>,
}

/// One lane's actor.
pub(crate) struct LaneShell {
    pub(crate) lane: Lane,
    waiting: VecDeque<Job>,
    current: Option<Job>,
    open: Option<Change>,
    /// Where the lane was last told that the arm is.
    pub(crate) arm: Arm,
}

struct Job {
    told: Told,
    token: Option<u64>,
}

impl World {
    /// The process starts: lanes are loaded, asked what is still to be done, and devices say again where they stand.
    pub(crate) fn start(&mut self) -> Result<(), String> {
        self.run += 1;
        let mut lanes = vec![];
        for rules in &self.rules {
            let lane = Lane::load(rules.clone(), &self.watch.records).map_err(|fault| fault.to_string())?;
            let arm = Arm::Unknown;
            lanes.push(LaneShell { lane, waiting: VecDeque::new(), current: None, open: None, arm });
        }
        self.note(|| "the box starts".into());
        let resumed: Vec<Vec<Effect>> = lanes.iter().map(|shell| shell.lane.resume(self.queue.now)).collect();
        self.shell = Some(Shell { lanes, started_at: self.queue.now });
        for (lane, effects) in resumed.into_iter().enumerate() {
            self.carry_later(lane, effects);
            self.devices_sign_in(lane);
        }
        let again: Vec<(u64, usize, Seen)> =
            self.unacknowledged.iter().map(|(token, (lane, seen))| (*token, *lane, seen.clone())).collect();
        for (token, lane, seen) in again {
            let wait = self.chance.ms(1, 3_000);
            self.queue.after(wait, Happens::Told { lane, told: Told::Seen(seen), token: Some(token) });
        }
        let run = self.run;
        self.queue.after(TimeDelta::seconds(1), Happens::Round { run });
        Ok(())
    }

    /// What the broker retains of the lane's devices.
    fn devices_sign_in(&mut self, lane: usize) {
        let place = &self.places[lane];
        let boot = BootId::new(format!("boot-{}", place.boot)).expect("a name");
        let arm = if place.arm == ArmAt::Up { Arm::Up } else { Arm::Down };
        let on_loop = if place.car.is_some() { OnLoop::Occupied } else { OnLoop::Clear };
        let mut inputs = vec![Input::BarrierOnline(Some(boot)), Input::ArmStood(arm)];
        if self.rules[lane].passed_by == PassedBy::Event {
            inputs.push(Input::Loop(on_loop));
        }
        for input in inputs {
            let wait = self.chance.ms(1, 500);
            self.queue.after(wait, Happens::Told { lane, told: Told::Input(input), token: None });
        }
    }

    /// The process dies. What it had in memory is gone.
    pub(crate) fn crash(&mut self) {
        if self.shell.take().is_some() {
            self.note(|| "the box dies".into());
            let wait = if self.stormy() { self.chance.ms(200, 60_000) } else { TimeDelta::seconds(1) };
            self.queue.after(wait, Happens::Start);
        }
    }

    /// A message reaches the box.
    pub(crate) fn told(&mut self, lane: usize, told: Told, token: Option<u64>) -> Result<(), String> {
        if let (Told::Seen(seen), Some(token)) = (&told, token) {
            self.unacknowledged.insert(token, (lane, seen.clone()));
        }
        let Some(shell) = &mut self.shell else { return Ok(()) };
        shell.lanes[lane].waiting.push_back(Job { told, token });
        self.work(lane)
    }

    pub(crate) fn timer(&mut self, run: u32, lane: usize, timer: Timer) -> Result<(), String> {
        if run != self.run {
            return Ok(());
        }
        self.told(lane, Told::Input(Input::Timer(timer)), None)
    }

    /// The lane takes what waits, as long as no commit is open.
    fn work(&mut self, lane: usize) -> Result<(), String> {
        loop {
            let now = self.now();
            let Some(shell) = &mut self.shell else { return Ok(()) };
            let shell = &mut shell.lanes[lane];
            if shell.lane.waits_for_commit() {
                return Ok(());
            }
            let Some(job) = shell.waiting.pop_front() else { return Ok(()) };
            let input = match &job.told {
                Told::Input(input) => input.clone(),
                Told::Seen(seen) => input_of(seen, now),
            };
            if let Input::Arm(arm) | Input::ArmStood(arm) = &input {
                shell.arm = *arm;
            }
            shell.current = Some(job);
            let stepped = shell.lane.step(now, input.clone(), &self.watch.records);
            if !matches!(input, Input::Timer(_)) {
                self.note(|| format!("lane {lane} takes {input:?}"));
            }
            self.follow(lane, stepped.map_err(|fault| fault.to_string())?);
        }
    }

    /// Does what a step says: effects at once, and the commit, which takes its time.
    fn follow(&mut self, lane: usize, step: Step) {
        self.carry_later(lane, step.effects);
        let Some(mut change) = step.commit else {
            let shell = self.shell.as_mut().expect("the box runs");
            if let Some(token) = shell.lanes[lane].current.take().and_then(|job| job.token) {
                self.unacknowledged.remove(&token);
            }
            return;
        };
        if self.planted == Planted::PublishBeforeCommit {
            let effect = opening_of(&change);
            self.carry_later(lane, effect.into_iter().collect());
        }
        spoil(self.planted, &mut change);
        let slow = self.fault(self.faults.slow_commit);
        let wait = if slow { self.chance.ms(20, 4_000) } else { self.chance.ms(1, 20) };
        let crash = self.fault(self.faults.crash);
        if crash {
            let until = self.chance.ms(0, wait.num_milliseconds() + 30);
            self.queue.after(until, Happens::Crash);
        }
        self.shell.as_mut().expect("the box runs").lanes[lane].open = Some(change);
        let run = self.run;
        self.queue.after(wait, Happens::Commit { run, lane });
    }

    pub(crate) fn answer_commit(&mut self, run: u32, lane: usize) -> Result<(), String> {
        let now = self.now();
        let Some(shell) = self.shell.as_mut().filter(|_| run == self.run) else { return Ok(()) };
        let shell = &mut shell.lanes[lane];
        let Some(change) = shell.open.take() else { return Ok(()) };
        let presence = self.places[lane].presence();
        let answer = match self.watch.take(change, Some((shell.arm, presence)))? {
            Ok(revision) => Input::Durable(revision),
            Err(refusal) => Input::Refused(refusal),
        };
        let refused = matches!(answer, Input::Refused(_));
        let stepped = shell.lane.step(now, answer, &self.watch.records).map_err(|fault| fault.to_string())?;
        self.note(|| format!("lane {lane} is answered, refused: {refused}"));
        self.follow(lane, stepped);
        self.work(lane)
    }

    fn carry_later(&mut self, lane: usize, effects: Vec<Effect>) {
        let (run, mut wait) = (self.run, TimeDelta::zero());
        for effect in effects {
            wait += self.chance.ms(0, 4);
            self.queue.after(wait, Happens::Carry { run, lane, effect });
        }
    }

    pub(crate) fn carry(&mut self, run: u32, lane: usize, effect: Effect) -> Result<(), String> {
        if run != self.run || self.shell.is_none() {
            return Ok(());
        }
        match effect {
            Effect::Arm(timer, at) => {
                let late = self.fault(self.faults.late);
                let wait = if late { self.chance.ms(0, 5_000) } else { TimeDelta::zero() };
                self.queue.at(at + wait, Happens::Timer { run, lane, timer });
            }
            Effect::Command(mut command) if command.name == "open" => {
                if self.planted == Planted::ResentUnderNewId && self.places[lane].heard(&command) {
                    command.cmd_id = CommandId::derive(&crate::world::key(), &["again", &self.fresh("c")]);
                }
                if self.planted == Planted::RetryUnderOldId
                    && let Some(earlier) = self.places[lane].last_command
                {
                    command.cmd_id = earlier;
                }
                self.watch.handed_over(&command)?;
                self.note(|| format!("lane {lane} sends {:?}", command.cmd_id));
                self.send_to_barrier(lane, command);
            }
            Effect::Command(_) | Effect::Tell(_) => {}
            Effect::CountConflict(device) => return Err(format!("{device} is said to have reused an event id")),
        }
        Ok(())
    }

    /// A person opens, sometimes by pressing twice.
    pub(crate) fn person_opens(&mut self, lane: usize) {
        let request = EventId::new(self.fresh("request-")).expect("a name");
        let person = Person { name: "admin".into(), reason: "the driver asked".into(), request };
        let twice = self.chance.happens(200);
        for _ in 0..=usize::from(twice) {
            let wait = self.chance.ms(0, 300);
            let told = Told::Input(Input::OpenedBy(person.clone()));
            self.queue.after(wait, Happens::Told { lane, told, token: None });
        }
    }
}

fn input_of(seen: &Seen, now: DateTime<Utc>) -> Input {
    let mark = Mark {
        device: DeviceId::new(&*seen.device).expect("a name"),
        event_id: EventId::new(&*seen.id).expect("a name"),
        fingerprint: seen.id.clone(),
        captured_at: seen.captured_at,
        age: now - seen.captured_at,
    };
    match &seen.what {
        What::Read(plate) => Input::Read(Read { mark, plate: plate.clone(), colour: Colour::Blue }),
        What::Passed(way) => Input::Passed(Passed { mark, way: *way }),
    }
}

/// The opening command that a change decides, as the bug 'publish before commit' would send it.
fn opening_of(change: &Change) -> Option<Effect> {
    change.ops.iter().find_map(|op| match op {
        Op::Put { table, record, .. } if table == Table::Passages.name() => {
            let passage: Passage = serde_json::from_str(record.get()).expect("a passage");
            let command = passage.grant?.command;
            Some(Effect::Command(tollhouse_core::lane::Command {
                device: command.device,
                cmd_id: command.cmd_id,
                name: "open",
                args: serde_json::json!({}),
                expires_at: command.expires_at,
            }))
        }
        _ => None,
    })
}

/// Bugs of a shell that loses parts of a change.
pub(crate) fn spoil(planted: Planted, change: &mut Change) {
    match planted {
        Planted::ReliedDropped => change.relied.clear(),
        Planted::EventNotMarked => {
            change.ops.retain(|op| !matches!(op, Op::Put { table, .. } if table == Table::Events.name()));
            change.relied.retain(|relied| relied.table != Table::Events);
        }
        Planted::PostingsDropped => change.postings.clear(),
        Planted::PlacesKept if change.kind == ChangeKind::PassagePassed => change.ops.retain(|op| match op {
            Op::Put { table, .. } | Op::Delete { table, .. } => table != Table::Covers.name(),
            Op::Count { .. } => true,
        }),
        Planted::MovesForgotten => {
            for op in &mut change.ops {
                if let Op::Put { table, record, .. } = op
                    && table == Table::Stays.name()
                {
                    let mut stay: Stay = serde_json::from_str(record.get()).expect("a stay");
                    stay.moves.clear();
                    *record = serde_json::value::to_raw_value(&stay).expect("it serialises");
                }
            }
        }
        _ => {}
    }
}
