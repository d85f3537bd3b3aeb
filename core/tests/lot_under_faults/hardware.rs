//! The hardware of a lane: a barrier with moods, a loop that may miss a car, cameras that read twice, late and wrong.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use tollhouse_core::id::CommandId;
use tollhouse_core::lane::{Answer, Answered, Arm as ArmTold, Command, Input, OnLoop, PassedBy, Way};
use tollhouse_core::plate::Plate;

use crate::queue::{Arm, Happens, Seen, Told, What};
use crate::world::World;

/// One lane as it stands in the rain.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) car: Option<usize>,
    pub(crate) since: DateTime<Utc>,
    pub(crate) arm: Arm,
    pub(crate) boot: u32,
    answers: BTreeMap<CommandId, Answer>,
    obeyed: BTreeSet<CommandId>,
    sent: Vec<CommandId>,
    pub(crate) last_command: Option<CommandId>,
    /// Who backed out of it, and since when it had stood there: until somebody else comes, a lane without a loop takes
    /// it for the same car that still stands there.
    pub(crate) backed_out: Presence,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            car: None,
            since: DateTime::UNIX_EPOCH,
            arm: Arm::Down,
            boot: 1,
            answers: BTreeMap::new(),
            obeyed: BTreeSet::new(),
            sent: vec![],
            last_command: None,
            backed_out: None,
        }
    }
}

/// A car that stands in a lane, and since when.
pub(crate) type Presence = Option<(usize, DateTime<Utc>)>;

impl Place {
    pub(crate) fn presence(&self) -> Presence {
        self.car.map(|car| (car, self.since))
    }

    /// Whether this command has been sent before.
    pub(crate) fn heard(&self, command: &Command) -> bool {
        self.sent.contains(&command.cmd_id)
    }
}

impl World {
    pub(crate) fn send_to_barrier(&mut self, lane: usize, command: Command) {
        self.places[lane].sent.push(command.cmd_id);
        self.places[lane].last_command = Some(command.cmd_id);
        let (lost, late, twice) =
            (self.fault(self.faults.lost / 2), self.fault(self.faults.late), self.fault(self.faults.twice / 2));
        for copy in 0..=usize::from(twice) {
            if lost && copy == 0 {
                continue;
            }
            let wait = if late { self.chance.ms(100, 15_000) } else { self.chance.ms(2, 60) };
            self.queue.after(wait, Happens::Hears { lane, command: command.clone() });
        }
    }

    /// The barrier does a command once; told again it answers again.
    pub(crate) fn barrier_hears(&mut self, lane: usize, command: &Command) -> Result<(), String> {
        if let Some(answer) = self.places[lane].answers.get(&command.cmd_id).copied() {
            self.answers(lane, command.cmd_id, answer, TimeDelta::zero());
            return Ok(());
        }
        if !self.places[lane].obeyed.insert(command.cmd_id) {
            return Ok(());
        }
        let expired = self.now() > command.expires_at;
        let mood = if self.fault(self.faults.barrier) { self.chance.below(6) } else { 6 };
        match mood {
            _ if expired => self.answers_for_good(lane, command.cmd_id, Answer::Rejected, TimeDelta::zero()),
            0 => self.answers_for_good(lane, command.cmd_id, Answer::Rejected, TimeDelta::zero()),
            1 => self.answers_for_good(lane, command.cmd_id, Answer::Failed, TimeDelta::seconds(1)),
            2 => {} // neither moves nor says so
            _ => {
                self.watch.carried_out(command, self.queue.now)?;
                let moves = self.chance.ms(300, 2_000);
                self.queue.after(moves, Happens::Arm { lane, up: Arm::Up });
                match mood {
                    3 => {} // moves, and does not say so
                    4 => {
                        let late = self.chance.ms(5_000, 40_000);
                        self.answers_for_good(lane, command.cmd_id, Answer::Confirmed, late);
                    }
                    5 => self.answers_for_good(lane, command.cmd_id, Answer::Unknown, moves),
                    _ => {
                        self.answers(lane, command.cmd_id, Answer::Accepted, TimeDelta::zero());
                        self.answers_for_good(lane, command.cmd_id, Answer::Confirmed, moves);
                    }
                }
            }
        }
        Ok(())
    }

    fn answers_for_good(&mut self, lane: usize, command: CommandId, answer: Answer, wait: TimeDelta) {
        self.places[lane].answers.insert(command, answer);
        self.answers(lane, command, answer, wait);
    }

    fn answers(&mut self, lane: usize, command: CommandId, answer: Answer, wait: TimeDelta) {
        if self.fault(self.faults.lost / 2) {
            return;
        }
        let answered = Answered { cmd_id: command.to_string(), answer, reason: None };
        let on_its_way = self.chance.ms(2, 40);
        let told = Told::Input(Input::Answered(answered));
        self.queue.after(wait + on_its_way, Happens::Told { lane, told, token: None });
    }

    pub(crate) fn arm_moved(&mut self, lane: usize, arm: Arm) -> Result<(), String> {
        self.places[lane].arm = arm;
        self.note(|| format!("the arm of lane {lane} is {arm:?}"));
        let told = if arm == Arm::Up { ArmTold::Up } else { ArmTold::Down };
        if !self.fault(self.faults.lost) {
            let wait = self.chance.ms(2, 200);
            self.queue.after(wait, Happens::Told { lane, told: Told::Input(Input::Arm(told)), token: None });
        }
        if arm == Arm::Up {
            let open_for = self.chance.ms(6_000, 12_000);
            self.queue.after(open_for, Happens::Arm { lane, up: Arm::Down });
            if let Some(car) = self.places[lane].car {
                let wait = self.chance.ms(500, 3_000);
                self.queue.after(wait, Happens::Car { car });
            }
            if self.fault(self.faults.barrier / 20) {
                self.places[lane].boot += 1;
            }
        }
        Ok(())
    }

    /// The loop tells that a car came or left; a lane without a loop tells nothing.
    pub(crate) fn loop_tells(&mut self, lane: usize, on_loop: OnLoop) {
        if self.rules[lane].passed_by == PassedBy::Event && !self.fault(self.faults.lost) {
            let wait = self.chance.ms(1, 100);
            self.queue.after(wait, Happens::Told { lane, told: Told::Input(Input::Loop(on_loop)), token: None });
        }
    }

    pub(crate) fn loop_saw(&mut self, lane: usize, way: Way) {
        if self.rules[lane].passed_by == PassedBy::Event && !self.fault(self.faults.lost) {
            self.sees(lane, "loop", What::Passed(way));
        }
    }

    /// The cameras of a lane read the car that stands there: once, twice, wrongly, late.
    pub(crate) fn cameras_read(&mut self, lane: usize, plate: &str) {
        let times =
            1 + usize::from(self.fault(self.faults.read_again)) + usize::from(self.fault(self.faults.read_again));
        for _ in 0..times {
            if self.fault(self.faults.lost) {
                continue;
            }
            let read = if self.fault(self.faults.misread) { self.misread() } else { plate.to_owned() };
            self.sees(lane, "cam", What::Read(Plate::new(&read).expect("a plate")));
        }
    }

    /// Another plate: nobody's, or that of another car.
    fn misread(&mut self) -> String {
        if self.chance.happens(500) {
            return format!("粤C9{:04}", self.chance.below(50));
        }
        let other = self.chance.below(self.cars.len());
        self.cars[other].plate.clone()
    }

    /// A device sees something and sends it until the box is done with it.
    fn sees(&mut self, lane: usize, kind: &str, what: What) {
        let device = format!("{kind}-{}", self.rules[lane].lane);
        let seen = Seen { device, id: self.fresh("e"), captured_at: self.now(), what };
        self.watch.seen(&seen, lane, self.places[lane].presence(), &self.cars);
        let copies = 1 + usize::from(self.fault(self.faults.twice));
        let (late, backlog) = (self.fault(self.faults.late), self.fault(self.faults.backlog));
        for _ in 0..copies {
            let wait = match (backlog, late) {
                (true, _) => self.chance.ms(60_000, 9_000_000),
                (false, true) => self.chance.ms(100, 40_000),
                (false, false) => self.chance.ms(2, 300),
            };
            self.names += 1;
            let token = Some(self.names);
            self.queue.after(wait, Happens::Told { lane, told: Told::Seen(seen.clone()), token });
        }
    }
}
