//! The simulated lane itself: one barrier, one loop, and the cars before it, as a pure state machine.
//!
//! Time is an argument, in milliseconds; what happens comes back as effects. It must not know the host, threads or the
//! driver's commands.

use std::collections::VecDeque;

use serde_json::{Value, json};

/// At most so many cars queue behind the one on the loop.
const MOST_WAITING: usize = 16;

/// How long things take.
#[allow(clippy::struct_field_names, reason = "units stand last in a name")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The arm's way up or down.
    pub(crate) travel_ms: u64,
    /// A car's way through the barrier, or up to the loop.
    pub(crate) drive_ms: u64,
    /// How long an arm that was raised for nobody stays up.
    pub(crate) stay_up_ms: u64,
}

/// A car as a camera sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Car {
    pub(crate) plate: String,
    pub(crate) colour: String,
}

/// What is done to the lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// A car drives up.
    Arrive(Car),
    /// The car on the loop backs out.
    Leave,
    /// The arm is to go up.
    Raise,
    /// The arm is to go up and stay there.
    Hold,
    /// The arm is to go down, and is no longer held.
    Lower,
    /// Nothing but time.
    Tick,
}

/// What the lane does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// A device of the lane says something: the MQTT contract's topic and body.
    Say(Speaker, &'static str, Value),
    /// The arm is up: who waits for that is answered.
    ArmIsUp,
    /// The arm is down.
    ArmIsDown,
    /// The arm turned round before it was up.
    NeverUp,
    /// The arm turned round before it was down.
    NeverDown,
}

/// Which device of the lane speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker {
    Camera,
    Barrier,
}

/// Why an input changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Too many cars wait already.
    LaneFull,
    /// No car stands on the loop.
    NoCar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arm {
    Down,
    Rising { until_ms: u64 },
    Up,
    Falling { until_ms: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    Held,
    Free,
}

/// The lane.
#[derive(Debug)]
pub(crate) struct Lane {
    pace: Pace,
    arm: Arm,
    hold: Hold,
    on_loop: Option<Car>,
    waiting: VecDeque<Car>,
    drives_through_at_ms: Option<u64>,
    falls_at_ms: Option<u64>,
    next_car_at_ms: Option<u64>,
    seq: u64,
}

impl Lane {
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            pace,
            arm: Arm::Down,
            hold: Hold::Free,
            on_loop: None,
            waiting: VecDeque::new(),
            drives_through_at_ms: None,
            falls_at_ms: None,
            next_car_at_ms: None,
            seq: 0,
        }
    }

    /// When the lane next does something by itself.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        let arm = match self.arm {
            Arm::Rising { until_ms } | Arm::Falling { until_ms } => Some(until_ms),
            Arm::Up | Arm::Down => None,
        };
        [arm, self.drives_through_at_ms, self.falls_at_ms, self.next_car_at_ms].into_iter().flatten().min()
    }

    /// What the lane looks like to who has just connected.
    pub(crate) fn present(&self) -> Vec<Effect> {
        vec![barrier("down"), occupied(self.on_loop.as_ref())]
    }

    /// Lets time pass and does one thing.
    pub(crate) fn step(&mut self, now_ms: u64, input: Input) -> Result<Vec<Effect>, Refused> {
        let mut effects = Vec::new();
        self.pass_time(now_ms, &mut effects);
        match input {
            Input::Tick => {}
            Input::Arrive(_) if self.waiting.len() >= MOST_WAITING => return Err(Refused::LaneFull),
            Input::Arrive(car) if self.on_loop.is_some() || self.next_car_at_ms.is_some() => {
                self.waiting.push_back(car);
            }
            Input::Arrive(car) => self.drive_up(now_ms, car, &mut effects),
            Input::Leave => self.leave(now_ms, "backward", &mut effects)?,
            Input::Raise => self.raise(now_ms, &mut effects),
            Input::Hold => {
                self.hold = Hold::Held;
                self.falls_at_ms = None;
                self.raise(now_ms, &mut effects);
            }
            Input::Lower => {
                self.hold = Hold::Free;
                self.lower(now_ms, &mut effects);
            }
        }
        Ok(effects)
    }

    fn pass_time(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        while let Some(due_ms) = self.due_ms().filter(|due_ms| *due_ms <= now_ms) {
            match self.arm {
                Arm::Rising { until_ms } if until_ms == due_ms => {
                    self.is_up(due_ms, effects);
                    continue;
                }
                Arm::Falling { until_ms } if until_ms == due_ms => {
                    self.arm = Arm::Down;
                    effects.extend([barrier("down"), Effect::ArmIsDown]);
                    continue;
                }
                _ => {}
            }
            if self.drives_through_at_ms == Some(due_ms) {
                // The loop is occupied whenever a car is about to drive through.
                let _ = self.leave(due_ms, "forward", effects);
                if self.hold == Hold::Free {
                    self.lower(due_ms, effects);
                }
            } else if self.next_car_at_ms == Some(due_ms) {
                self.next_car_at_ms = None;
                if let Some(car) = self.waiting.pop_front() {
                    self.drive_up(due_ms, car, effects);
                }
            } else {
                self.falls_at_ms = None;
                self.lower(due_ms, effects);
            }
        }
    }

    fn drive_up(&mut self, now_ms: u64, car: Car, effects: &mut Vec<Effect>) {
        self.seq += 1;
        let read = json!({
            "seq": self.seq, "plate": car.plate, "colour": car.colour, "confidence": 0.98, "direction": "approach",
        });
        self.on_loop = Some(car);
        effects.extend([occupied(self.on_loop.as_ref()), Effect::Say(Speaker::Camera, "event/plate", read)]);
        if self.arm == Arm::Up {
            self.falls_at_ms = None;
            self.drives_through_at_ms = Some(now_ms + self.pace.drive_ms);
        }
    }

    fn leave(&mut self, now_ms: u64, direction: &str, effects: &mut Vec<Effect>) -> Result<(), Refused> {
        self.on_loop.take().ok_or(Refused::NoCar)?;
        self.drives_through_at_ms = None;
        if !self.waiting.is_empty() {
            self.next_car_at_ms = Some(now_ms + self.pace.drive_ms);
        }
        if self.arm == Arm::Up && self.hold == Hold::Free {
            self.falls_at_ms = Some(now_ms + self.pace.stay_up_ms);
        }
        self.seq += 1;
        let passed = json!({"seq": self.seq, "direction": direction});
        effects.extend([Effect::Say(Speaker::Barrier, "event/passed", passed), occupied(self.on_loop.as_ref())]);
        Ok(())
    }

    fn raise(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        match self.arm {
            Arm::Up => {
                if let Some(falls_at_ms) = &mut self.falls_at_ms {
                    *falls_at_ms = now_ms + self.pace.stay_up_ms;
                }
                effects.push(Effect::ArmIsUp);
            }
            Arm::Rising { .. } => {}
            Arm::Down | Arm::Falling { .. } => {
                if self.arm != Arm::Down {
                    effects.push(Effect::NeverDown);
                }
                self.arm = Arm::Rising { until_ms: now_ms + self.pace.travel_ms };
                effects.push(barrier("moving"));
            }
        }
    }

    fn is_up(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        self.arm = Arm::Up;
        effects.extend([barrier("up"), Effect::ArmIsUp]);
        if self.on_loop.is_some() {
            self.drives_through_at_ms = Some(now_ms + self.pace.drive_ms);
        } else if self.hold == Hold::Free {
            self.falls_at_ms = Some(now_ms + self.pace.stay_up_ms);
        }
    }

    fn lower(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        self.falls_at_ms = None;
        self.drives_through_at_ms = None;
        match self.arm {
            Arm::Down => effects.push(Effect::ArmIsDown),
            Arm::Falling { .. } => {}
            Arm::Up | Arm::Rising { .. } => {
                if self.arm != Arm::Up {
                    effects.push(Effect::NeverUp);
                }
                self.arm = Arm::Falling { until_ms: now_ms + self.pace.travel_ms };
                effects.push(barrier("moving"));
            }
        }
    }
}

fn barrier(position: &str) -> Effect {
    Effect::Say(Speaker::Barrier, "state/barrier", json!({"position": position}))
}

fn occupied(car: Option<&Car>) -> Effect {
    Effect::Say(Speaker::Barrier, "state/loop", json!({"occupied": car.is_some()}))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { travel_ms: 100, drive_ms: 50, stay_up_ms: 1_000 };

    fn car(plate: &str) -> Input {
        Input::Arrive(Car { plate: plate.to_owned(), colour: "blue".to_owned() })
    }

    /// What is said, as `topic value`, and what is proved.
    fn words(effects: &[Effect]) -> Vec<String> {
        let word = |body: &Value| {
            ["position", "plate", "direction", "occupied"]
                .iter()
                .find_map(|key| body.get(*key))
                .map(ToString::to_string)
                .unwrap_or_default()
        };
        effects
            .iter()
            .map(|effect| match effect {
                Effect::Say(_, topic, body) => format!("{topic} {}", word(body).replace('"', "")),
                other => format!("{other:?}"),
            })
            .collect()
    }

    fn run(lane: &mut Lane, now_ms: u64, input: Input) -> Vec<String> {
        words(&lane.step(now_ms, input).expect("the lane takes it"))
    }

    #[test]
    fn a_car_is_read_let_through_and_the_arm_falls_behind_it() {
        let mut lane = Lane::new(PACE);
        assert_eq!(run(&mut lane, 0, car("粤C12345")), ["state/loop true", "event/plate 粤C12345"]);
        assert_eq!(lane.due_ms(), None, "a closed barrier keeps the car");
        assert_eq!(run(&mut lane, 10, Input::Raise), ["state/barrier moving"]);
        assert_eq!(run(&mut lane, 110, Input::Tick), ["state/barrier up", "ArmIsUp"]);
        let through = ["event/passed forward", "state/loop false", "state/barrier moving"];
        assert_eq!(run(&mut lane, 160, Input::Tick), through);
        assert_eq!(run(&mut lane, 260, Input::Tick), ["state/barrier down", "ArmIsDown"]);
        assert_eq!(lane.due_ms(), None);
    }

    #[test]
    fn a_car_that_backs_out_passes_backward() {
        let mut lane = Lane::new(PACE);
        run(&mut lane, 0, car("粤C12345"));
        assert_eq!(run(&mut lane, 10, Input::Leave), ["event/passed backward", "state/loop false"]);
        assert_eq!(lane.step(20, Input::Leave), Err(Refused::NoCar));
    }

    #[test]
    fn cars_come_one_behind_the_other_and_the_queue_is_bounded() {
        let mut lane = Lane::new(PACE);
        for _ in 0..=MOST_WAITING {
            lane.step(0, car("粤C12345")).expect("room");
        }
        assert_eq!(lane.step(0, car("粤C12345")), Err(Refused::LaneFull));
        run(&mut lane, 10, Input::Leave);
        assert_eq!(run(&mut lane, 60, Input::Tick), ["state/loop true", "event/plate 粤C12345"]);
    }

    #[test]
    fn an_arm_that_is_held_stays_up_until_it_is_released() {
        let mut lane = Lane::new(PACE);
        run(&mut lane, 0, Input::Hold);
        assert_eq!(run(&mut lane, 9_000, Input::Tick), ["state/barrier up", "ArmIsUp"]);
        assert_eq!(lane.due_ms(), None);
        assert_eq!(run(&mut lane, 9_001, Input::Lower), ["state/barrier moving"]);
    }

    #[test]
    fn an_arm_raised_for_nobody_falls_by_itself() {
        let mut lane = Lane::new(PACE);
        run(&mut lane, 0, Input::Raise);
        run(&mut lane, 100, Input::Tick);
        assert_eq!(run(&mut lane, 1_100, Input::Tick), ["state/barrier moving"]);
    }

    #[test]
    fn an_arm_that_turns_round_says_that_it_was_never_up() {
        let mut lane = Lane::new(PACE);
        run(&mut lane, 0, Input::Raise);
        assert_eq!(run(&mut lane, 50, Input::Lower), ["NeverUp", "state/barrier moving"]);
        assert_eq!(run(&mut lane, 60, Input::Raise), ["NeverDown", "state/barrier moving"]);
    }
}
