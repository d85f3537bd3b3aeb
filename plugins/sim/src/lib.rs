//! A camera, barrier, display and loop of one lane, simulated behind the driver ABI.
//!
//! Besides the usual commands it takes `x-arrive` `{"plate","colour"}` (a car drives up, is read, and drives through
//! once the barrier is up) and `x-leave` (it backs out). It owns the thread that lets the lane's time pass; the lane
//! itself is in [`lane`]. It must not know the box.

mod config;
mod lane;

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use tollhouse_sdk::{Command, Completion, Confirmation, Driver, Host, LogLevel, Pending, Refusal, Status};

use config::{Config, Devices};
use lane::{Car, Effect, Input, Lane, Pace, Refused, Speaker};

/// What the camera sees when asked: a blue plate, 64 × 32.
const SNAPSHOT: &[u8] = include_bytes!("snapshot.jpg");
/// At most so many commands wait for the lane's thread.
const MOST_QUEUED: usize = 64;

/// One simulated lane.
struct Sim {
    host: Host,
    config: Config,
    worker: Option<(SyncSender<Job>, JoinHandle<()>)>,
}

struct Job {
    input: Input,
    answer: Answer,
}

/// When a command is answered for good.
enum Answer {
    /// As soon as the lane has taken it.
    AtOnce(Pending),
    /// When the arm is up.
    WhenUp(Pending),
    /// When the arm is down.
    WhenDown(Pending),
}

impl Driver for Sim {
    const DESCRIPTOR: &'static str = config::DESCRIPTOR;
    type Config = Config;

    fn create(host: Host, config: Config) -> Result<Self, Refusal> {
        Ok(Self { host, config, worker: None })
    }

    fn start(&mut self) -> Result<(), Refusal> {
        let (sender, jobs) = sync_channel(MOST_QUEUED);
        let worker = Worker::new(self.host, &self.config);
        let thread = std::thread::Builder::new()
            .name("sim-lane".to_owned())
            .spawn(move || worker.run(&jobs))
            .map_err(|fault| Refusal::new(Status::Internal, format!("no thread for the lane: {fault}")))?;
        self.worker = Some((sender, thread));
        Ok(())
    }

    fn command(&mut self, command: Command, pending: Pending) {
        let devices = &self.config.devices;
        let job = match role(devices, &command.device) {
            None => Err(Refusal::new(Status::Invalid, format!("no device {} here", command.device))),
            Some(Role::Display) if matches!(command.name.as_str(), "display" | "speak") => {
                self.host.log(LogLevel::Debug, &format!("{}: {}", command.name, command.args));
                return pending.complete(Completion::Confirmed);
            }
            Some(Role::Camera) if command.name == "snapshot" => return self.snapshot(&command.device, pending),
            Some(role) => job(role, &command),
        };
        let (input, answer) = match job {
            Ok(job) => job,
            Err(refusal) => return pending.refuse(&refusal),
        };
        let Some((sender, _)) = &self.worker else {
            return pending.refuse(&Refusal::new(Status::Offline, "the lane is not running"));
        };
        match sender.try_send(Job { input, answer: answer(pending) }) {
            Ok(()) => {}
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => {
                job.answer.pending().refuse(&Refusal::new(Status::Busy, "too many commands wait"));
            }
        }
    }

    fn stop(&mut self) {
        if let Some((sender, thread)) = self.worker.take() {
            drop(sender);
            // A panic of the lane's thread was logged by its own hook; there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

impl Sim {
    fn snapshot(&self, device: &str, pending: Pending) {
        let topic = format!("blob/{}", pending.cmd_id());
        match self.host.emit_with_picture(device, &topic, &json!({}), SNAPSHOT) {
            Ok(()) => pending.complete(Completion::Confirmed),
            Err(fault) => pending.refuse(&Refusal::new(Status::Internal, format!("{fault:?}"))),
        }
    }
}

/// Makes the answer of a command that the lane's thread is to carry out.
type AnswerBy = fn(Pending) -> Answer;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Camera,
    Barrier,
    Display,
}

fn role(devices: &Devices, device: &str) -> Option<Role> {
    if device == devices.barrier {
        Some(Role::Barrier)
    } else if device == devices.camera {
        Some(Role::Camera)
    } else {
        (devices.display.as_deref() == Some(device)).then_some(Role::Display)
    }
}

/// What a command does to the lane, and when it is answered.
fn job(role: Role, command: &Command) -> Result<(Input, AnswerBy), Refusal> {
    let text = |key: &str| command.args.get(key).and_then(Value::as_str).map(str::to_owned);
    match (command.name.as_str(), role) {
        ("x-arrive", _) => {
            let plate = text("plate").ok_or_else(|| Refusal::new(Status::Invalid, "x-arrive needs a plate"))?;
            let colour = text("colour").unwrap_or_else(|| "blue".to_owned());
            Ok((Input::Arrive(Car { plate, colour }), Answer::AtOnce))
        }
        ("x-leave", _) => Ok((Input::Leave, Answer::AtOnce)),
        ("open", Role::Barrier) => Ok((Input::Raise, Answer::WhenUp)),
        ("hold", Role::Barrier) => Ok((Input::Hold, Answer::WhenUp)),
        ("close" | "release", Role::Barrier) => Ok((Input::Lower, Answer::WhenDown)),
        (other, _) => Err(Refusal::new(Status::Unsupported, format!("{} does not {other}", command.device))),
    }
}

impl Answer {
    fn pending(self) -> Pending {
        match self {
            Self::AtOnce(pending) | Self::WhenUp(pending) | Self::WhenDown(pending) => pending,
        }
    }
}

/// The thread that lets the lane's time pass.
struct Worker {
    host: Host,
    devices: Devices,
    lane: Lane,
    wait_for_up: Vec<Confirmation>,
    wait_for_down: Vec<Confirmation>,
}

impl Worker {
    fn new(host: Host, config: &Config) -> Self {
        let pace = Pace {
            travel_ms: config.travel_ms.into(),
            drive_ms: config.drive_ms.into(),
            stay_up_ms: config.stay_up_ms.into(),
        };
        Self {
            host,
            devices: config.devices.clone(),
            lane: Lane::new(pace),
            wait_for_up: Vec::new(),
            wait_for_down: Vec::new(),
        }
    }

    fn run(mut self, jobs: &Receiver<Job>) {
        self.carry_out(self.lane.present());
        loop {
            let now_ms = self.host.now_ms();
            let wait_ms = self.lane.due_ms().map_or(60_000, |due_ms| due_ms.saturating_sub(now_ms));
            let job = match jobs.recv_timeout(Duration::from_millis(wait_ms)) {
                Ok(job) => Some(job),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.take(job);
        }
    }

    fn take(&mut self, job: Option<Job>) {
        let now_ms = self.host.now_ms();
        let Some(Job { input, answer }) = job else {
            // Time alone refuses nothing.
            let effects = self.lane.step(now_ms, Input::Tick).unwrap_or_default();
            return self.carry_out(effects);
        };
        match self.lane.step(now_ms, input) {
            Ok(effects) => {
                match answer {
                    Answer::AtOnce(pending) => pending.complete(Completion::Confirmed),
                    Answer::WhenUp(pending) => self.wait_for_up.push(pending.accept(&self.devices.barrier)),
                    Answer::WhenDown(pending) => self.wait_for_down.push(pending.accept(&self.devices.barrier)),
                }
                self.carry_out(effects);
            }
            Err(Refused::LaneFull) => answer.pending().refuse(&Refusal::new(Status::Busy, "the lane is full of cars")),
            Err(Refused::NoCar) => {
                answer.pending().refuse(&Refusal::new(Status::Rejected, "no car stands on the loop"));
            }
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.carry_out_one(effect);
        }
    }

    fn carry_out_one(&mut self, effect: Effect) {
        let give_up = |waiting: &mut Vec<Confirmation>| {
            waiting.drain(..).for_each(|confirmation| confirmation.fail("another command turned the arm round"));
        };
        match effect {
            Effect::Say(speaker, topic, body) => {
                let device = match speaker {
                    Speaker::Camera => &self.devices.camera,
                    Speaker::Barrier => &self.devices.barrier,
                };
                if let Err(fault) = self.host.emit(device, topic, &body) {
                    self.host.log(LogLevel::Warn, &format!("the host did not take {topic}: {fault:?}"));
                }
            }
            Effect::ArmIsUp => self.wait_for_up.drain(..).for_each(Confirmation::confirm),
            Effect::ArmIsDown => self.wait_for_down.drain(..).for_each(Confirmation::confirm),
            Effect::NeverUp => give_up(&mut self.wait_for_up),
            Effect::NeverDown => give_up(&mut self.wait_for_down),
        }
    }
}

tollhouse_sdk::export_driver!(Sim);
