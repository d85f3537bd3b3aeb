//! The thread that works the barrier and the voice, and looks where the arm is: an answer of OK proves nothing, since a
//! locked unit gives it too.
//!
//! It owns what is asked of the camera. It must not know how plates come.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use serde_json::Value;
use tollhouse_field::{Goal, Pause, Position, StopSignal};
use tollhouse_sdk::{Command, Completion, LogLevel, Pending, Refusal, Status};

use crate::device::{AskError, Device};
use crate::gate::Gate;
use crate::xml::{Texts, escaped};

/// How often the arm is looked at after a command.
const LOOK: Duration = Duration::from_millis(200);
/// An answer takes at most so long, and the lane has to hear of it before the deadline.
const ANSWER_AHEAD_MS: u64 = 1_500;
const MAX_VOICE_CHARS: usize = 200;

/// A command on its way to the camera.
pub(crate) struct Job {
    pub(crate) command: Command,
    pub(crate) pending: Pending,
}

/// Carries out commands until their sender is gone.
pub(crate) fn run(gate: &Gate, device: &Device, jobs: &Receiver<Job>, stop: &StopSignal) {
    let control = Control { gate, device, stop };
    let every_ms = u64::from(gate.config.status_every_ms);
    let (mut look_at_ms, mut busy_until_ms) = (gate.host.now_ms(), 0);
    loop {
        let now_ms = gate.host.now_ms();
        let wait_ms = look_at_ms.saturating_sub(now_ms);
        match jobs.recv_timeout(Duration::from_millis(wait_ms)) {
            Ok(job) => {
                control.command(job);
                let now_ms = gate.host.now_ms();
                (look_at_ms, busy_until_ms) = (now_ms, now_ms + u64::from(gate.config.travel_ms));
            }
            Err(RecvTimeoutError::Timeout) => {
                control.look();
                let now_ms = gate.host.now_ms();
                let look = u64::try_from(LOOK.as_millis()).unwrap_or(u64::MAX);
                look_at_ms = now_ms + if now_ms < busy_until_ms { look.min(every_ms) } else { every_ms };
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
        gate.time_passed();
    }
}

struct Control<'a> {
    gate: &'a Gate,
    device: &'a Device,
    stop: &'a StopSignal,
}

impl Control<'_> {
    fn target(&self, what: &str) -> String {
        format!("/ISAPI/Parking/channels/{}/{what}", self.gate.config.channel)
    }

    /// Asks the camera to do something; `Err` says why it has not.
    fn put(&self, what: &str, body: &str) -> Result<(), Refusal> {
        let (status, answer) = match self.device.ask_whole("PUT", &self.target(what), body) {
            Ok(answered) => answered,
            Err(fault) => return Err(self.away(&fault)),
        };
        self.gate.is_there();
        let texts = Texts::read(&answer).unwrap_or_default();
        let code = texts.get("statuscode");
        if status == 200 && code.is_none_or(|code| code == "1") {
            return Ok(());
        }
        let words = texts.get("substatuscode").or_else(|| texts.get("statusstring")).unwrap_or("no reason given");
        Err(Refusal::new(Status::Rejected, format!("the camera refuses: {status}, {words:.100}")))
    }

    fn away(&self, fault: &AskError) -> Refusal {
        match fault {
            AskError::LockedOut => self.gate.is_locked_out(),
            AskError::Line(_) => self.gate.is_away(&fault.to_string()),
        }
        let late = matches!(fault, AskError::Line(line) if line.kind() == std::io::ErrorKind::TimedOut);
        let status = if late { Status::Timeout } else { Status::Offline };
        Refusal::new(status, format!("the camera does not answer: {fault}"))
    }

    fn barrier(&self, mode: &str) -> Result<(), Refusal> {
        self.put("barrierGate", &format!("<BarrierGate><ctrlMode>{mode}</ctrlMode></BarrierGate>"))
    }

    /// Where the arm is; told when it has changed.
    fn look(&self) -> Option<Position> {
        self.gate.config.barrier.as_ref()?;
        match self.device.ask_whole("GET", &self.target("barrierGate/barrierGateStatus"), "") {
            Ok((200, answer)) => {
                self.gate.is_there();
                let status = Texts::read(&answer)?.get("barriergatestatus")?.parse().ok()?;
                Some(self.gate.status(status))
            }
            Ok((status, _)) => {
                self.gate.host.log(LogLevel::Debug, &format!("no status of the barrier: {status}"));
                None
            }
            Err(fault) => {
                self.away(&fault);
                None
            }
        }
    }

    fn command(&self, job: Job) {
        let Job { command, pending } = job;
        if self.gate.host.now_ms() >= command.deadline_ms {
            return pending.refuse(&Refusal::new(Status::Timeout, "it came too late to the camera"));
        }
        let is_barrier = self.gate.config.barrier.as_deref() == Some(command.device.as_str());
        let done = match command.name.as_str() {
            "open" if is_barrier => self.barrier("open").map(|()| Some(Goal::Up)),
            "close" if is_barrier => self.barrier("close").map(|()| Some(Goal::Down)),
            "release" if is_barrier => {
                self.barrier("unlock").and_then(|()| self.barrier("close")).map(|()| Some(Goal::Down))
            }
            "hold" if is_barrier => return self.hold(pending, &command),
            "speak" if command.device == self.gate.config.camera => self.speak(&command).map(|()| None),
            other => {
                let words = format!("{} cannot {other}", command.device);
                Err(Refusal::new(Status::Unsupported, words))
            }
        };
        match done {
            Ok(Some(goal)) => self.gate.taken(pending, &command.device, goal),
            Ok(None) => pending.complete(Completion::Accepted),
            Err(refusal) => pending.refuse(&refusal),
        }
    }

    /// Opened, seen open, and only then locked: a locked unit opens no more.
    fn hold(&self, pending: Pending, command: &Command) {
        if let Err(refusal) = self.barrier("open") {
            return pending.refuse(&refusal);
        }
        let until_ms = command
            .deadline_ms
            .saturating_sub(ANSWER_AHEAD_MS)
            .min(self.gate.host.now_ms() + u64::from(self.gate.config.travel_ms));
        while self.look() != Some(Position::Up) {
            if self.gate.host.now_ms() >= until_ms || self.stop.pause(LOOK) == Pause::Stopped {
                return pending.refuse(&Refusal::new(Status::Timeout, "the arm was not seen up in time: not locked"));
            }
        }
        match self.barrier("lock") {
            Ok(()) => Gate::done(pending),
            Err(refusal) => pending.refuse(&refusal),
        }
    }

    fn speak(&self, command: &Command) -> Result<(), Refusal> {
        let text = command.args.get("text").and_then(Value::as_str).filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| Refusal::new(Status::Invalid, "speak needs a text"))?;
        let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_VOICE_CHARS).collect();
        let element = &self.gate.config.voice_element;
        let body = format!("<VoiceBroadcastInfo><{element}>{}</{element}></VoiceBroadcastInfo>", escaped(&text));
        self.put("voiceBroadcastInfo", &body)
    }
}
