//! The thread that talks to the board: safe state first, then commands and looks at the inputs, until the line breaks.
//!
//! It owns the line and every promise made about an output: what is switched on is switched off again, or seen to be off.
//! After any failed talk the line is dropped and opened anew. It must not know what the lane does with what it tells.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use serde_json::json;
use tollhouse_field::{Backoff, Goal, Orders, Presence};
use tollhouse_sdk::{Command, Host, LogLevel, Pending, Refusal, Status};

use crate::config::{Config, Output, Pulse};
use crate::frame::{Board, TalkError};
use crate::lane::{Lane, Say};
use crate::pdu::{Level, Request, Response};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long after its end a pulse of the board's is seen to.
const STUCK_AFTER_MS: u64 = 1_000;
/// A command in doubt is given up so long before its deadline, so that the lane hears of it in time.
const ANSWER_AHEAD_MS: u64 = 300;
/// The outputs are looked at so often where no input is wired, to notice that the board is gone.
const LOOK_AT_OUTPUTS_MS: u64 = 1_000;

/// A command on its way to the board.
pub(crate) struct Job {
    pub(crate) command: Command,
    pub(crate) pending: Pending,
}

/// Why the talk with a board ended.
enum End {
    /// The driver stops.
    Stopped,
    /// The line is of no use any more.
    Lost(String),
}

/// What is still to be done about a coil that was switched on.
struct Due {
    at_ms: u64,
    coil: u16,
    what: Off,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Off {
    /// Switch it off.
    Switch,
    /// See whether the board has, and switch it off if not.
    See,
}

/// See the module.
pub(crate) struct Worker {
    host: Host,
    config: Config,
    jobs: Receiver<Job>,
    lane: Lane,
    orders: Orders,
    presence: Presence,
    due: Vec<Due>,
}

impl Worker {
    pub(crate) fn new(host: Host, config: Config, jobs: Receiver<Job>) -> Self {
        let (lane, presence) = (Lane::new(&config), Presence::new(host, config.devices()));
        Self { host, config, jobs, lane, orders: Orders::default(), presence, due: Vec::new() }
    }

    /// Runs until the sender of jobs is dropped.
    pub(crate) fn run(mut self) {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            match self.connect_and_talk(&mut backoff) {
                End::Stopped => return,
                End::Lost(why) => self.host.log(LogLevel::Warn, &why),
            }
            // What was switched on is off once the board is in its safe state again.
            self.due.clear();
            self.lane.forget();
            if let End::Stopped = self.pause(backoff.next_pause()) {
                return;
            }
        }
    }

    /// Waits before the next attempt; there is no board, so what is asked for meanwhile is refused.
    fn pause(&mut self, length: Duration) -> End {
        let until_ms = self.host.now_ms() + millis(length);
        loop {
            let left_ms = until_ms.saturating_sub(self.host.now_ms());
            if left_ms == 0 {
                return End::Lost(String::new());
            }
            match self.jobs.recv_timeout(Duration::from_millis(left_ms)) {
                Ok(job) => {
                    let words = format!("the board at {} does not answer", self.config.line);
                    job.pending.refuse(&Refusal::new(Status::Offline, words));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return End::Stopped,
            }
            self.orders.time_passed(self.host.now_ms());
        }
    }

    fn connect_and_talk(&mut self, backoff: &mut Backoff) -> End {
        let within = Duration::from_millis(self.config.answer_ms.into());
        let mut board = match Board::connect(&self.config.line, self.config.unit, within) {
            Ok(board) => board,
            Err(fault) => return self.away(&fault.to_string()),
        };
        // First of all: whoever died here before us may have left an output on.
        match board.ask(&self.config.outputs.safe_state()) {
            Ok(Response::Exception(code)) => {
                return self.away(&format!("it refuses the safe state of its outputs: {}", exception(code)));
            }
            Ok(_) => {}
            Err(fault) => return self.away(&fault.to_string()),
        }
        if let Err(fault) = self.look(&mut board) {
            return self.away(&fault);
        }
        self.presence.online(&format!("the board at {} answers", self.config.line));
        backoff.reset();
        let end = self.talk(&mut board);
        if let End::Stopped = end {
            // Nobody watches the outputs from here on. A board that does not hear it cannot be helped.
            let _ = board.ask(&self.config.outputs.safe_state());
        }
        end
    }

    fn away(&mut self, why: &str) -> End {
        let words = format!("the board at {} is away: {why}", self.config.line);
        self.presence.offline(&words);
        End::Lost(words)
    }

    fn talk(&mut self, board: &mut Board) -> End {
        let every_ms = match self.config.input_range() {
            Some(_) => self.config.poll_ms.into(),
            None => LOOK_AT_OUTPUTS_MS,
        };
        let mut look_at_ms = self.host.now_ms() + every_ms;
        loop {
            let wake_ms = self.due.iter().map(|due| due.at_ms).fold(look_at_ms, u64::min);
            let wait_ms = wake_ms.saturating_sub(self.host.now_ms());
            let done = match self.jobs.recv_timeout(Duration::from_millis(wait_ms)) {
                Ok(job) => self.command(board, job),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => return End::Stopped,
            };
            let done = done.and_then(|()| self.see_to_outputs(board)).and_then(|()| {
                if self.host.now_ms() < look_at_ms {
                    return Ok(());
                }
                look_at_ms = self.host.now_ms() + every_ms;
                self.look(board)
            });
            if let Err(fault) = done {
                return End::Lost(format!("the board at {} is connected to anew: {fault}", self.config.line));
            }
            self.orders.time_passed(self.host.now_ms());
        }
    }

    /// Looks at the inputs, or where none is wired at the outputs, and tells what has changed.
    fn look(&mut self, board: &mut Board) -> Result<(), String> {
        let inputs = self.config.input_range().map(|(first, count)| Request::ReadInputs { first, count });
        let request = inputs.unwrap_or_else(|| self.config.outputs.look());
        let levels = match board.ask(&request) {
            Ok(Response::Bits(levels)) => levels,
            Ok(Response::Exception(code)) => return Err(format!("it does not show its inputs: {}", exception(code))),
            Ok(Response::Written) => return Err("it answers a look with a write".to_owned()),
            Err(fault) => return Err(fault.to_string()),
        };
        if !matches!(request, Request::ReadInputs { .. }) {
            return Ok(());
        }
        let now_ms = self.host.now_ms();
        for say in self.lane.seen(now_ms, &levels) {
            self.tell(&say);
        }
        self.orders.stand(now_ms, |barrier| self.lane.position(barrier));
        Ok(())
    }

    fn tell(&self, say: &Say) {
        if let Err(fault) = self.host.emit(&say.device, say.topic, &say.body) {
            self.host.log(LogLevel::Warn, &format!("the host did not take {}: {fault:?}", say.topic));
        }
    }

    fn command(&mut self, board: &mut Board, job: Job) -> Result<(), String> {
        let Job { command, pending } = job;
        if self.host.now_ms() >= command.deadline_ms {
            pending.refuse(&Refusal::new(Status::Timeout, "it came too late to the board"));
            return Ok(());
        }
        let (barrier, action) = match action(&self.config, &command) {
            Ok(found) => found,
            Err(refusal) => {
                pending.refuse(&refusal);
                return Ok(());
            }
        };
        let now_ms = self.host.now_ms();
        let travel_ms: u64 = self.config.barriers[barrier].travel_ms.into();
        match board.ask(&action.request) {
            Ok(Response::Exception(code)) => {
                pending.refuse(&Refusal::new(Status::Rejected, format!("the board refuses: {}", exception(code))));
            }
            Ok(_) => {
                self.lane.moves(barrier, now_ms);
                self.orders.taken(pending, &command.device, barrier, action.goal, now_ms + travel_ms);
                self.due.extend(action.pulse.map(|pulse| due(&pulse, now_ms)));
            }
            Err(fault) => {
                // Not again: a barrier with one button for both ways would turn round.
                let until_ms = command.deadline_ms.saturating_sub(ANSWER_AHEAD_MS).min(now_ms + travel_ms);
                self.orders.doubtful(pending, barrier, action.goal, until_ms);
                return Err(fault.to_string());
            }
        }
        Ok(())
    }

    /// Ends the pulses that are the driver's to end, and looks after those that are the board's.
    fn see_to_outputs(&mut self, board: &mut Board) -> Result<(), String> {
        let now_ms = self.host.now_ms();
        while let Some(place) = self.due.iter().position(|due| due.at_ms <= now_ms) {
            let Due { coil, what, .. } = self.due.swap_remove(place);
            if what == Off::See && self.is_off(board, coil).map_err(|fault| fault.to_string())? {
                continue;
            }
            let off = Request::WriteCoil { coil, level: Level::Off };
            match board.ask(&off).map_err(|fault| fault.to_string())? {
                Response::Exception(code) => return Err(format!("coil {coil} stays on: {}", exception(code))),
                _ if what == Off::See => self.stuck(coil),
                _ => {}
            }
        }
        Ok(())
    }

    fn is_off(&self, board: &mut Board, coil: u16) -> Result<bool, TalkError> {
        let seen = board.ask(&self.config.outputs.look())?;
        let place = self.config.outputs.place(coil);
        let on =
            matches!((&seen, place), (Response::Bits(levels), Some(place)) if levels.get(place) == Some(&Level::On));
        Ok(!on)
    }

    fn stuck(&self, coil: u16) {
        let words =
            format!("coil {coil} did not switch off by itself: set its auto-off in the board; the driver has done it");
        self.host.log(LogLevel::Error, &words);
        let barrier = self
            .config
            .barriers
            .iter()
            .find(|barrier| barrier.open.coil == coil || barrier.close.is_some_and(|close| close.coil == coil));
        if let Some(barrier) = barrier {
            let body = json!({"alarm": "output_stuck", "text": words});
            self.tell(&Say { device: barrier.device.clone(), topic: "event/alarm", body });
        }
    }
}

/// What a command does to the board.
struct Action {
    request: Request,
    goal: Goal,
    pulse: Option<Output>,
}

fn action(config: &Config, command: &Command) -> Result<(usize, Action), Refusal> {
    let unsupported = |words: &str| Err(Refusal::new(Status::Unsupported, format!("{}: {words}", command.device)));
    let Some(place) = config.barriers.iter().position(|barrier| barrier.device == command.device) else {
        return unsupported("no barrier of this board");
    };
    let barrier = &config.barriers[place];
    let up = if barrier.up.is_some() { Goal::Up } else { Goal::Nowhere };
    let down = if barrier.down.is_some() { Goal::Down } else { Goal::Nowhere };
    let pulsed = |output: Output, goal| Action { request: output.begin(), goal, pulse: Some(output) };
    let level = |coil, level, goal| Action { request: Request::WriteCoil { coil, level }, goal, pulse: None };
    let action = match (command.name.as_str(), barrier.close, barrier.hold) {
        ("open", ..) => pulsed(barrier.open, up),
        ("close", Some(close), _) => pulsed(close, down),
        ("hold", _, Some(coil)) => level(coil, Level::On, up),
        // The barrier falls when it finds it safe to: no time is promised.
        ("release", _, Some(coil)) => level(coil, Level::Off, Goal::Nowhere),
        ("close", None, _) => return unsupported("no output closes it"),
        ("hold" | "release", _, None) => return unsupported("no output holds it"),
        (other, ..) => return unsupported(&format!("it cannot {other}")),
    };
    Ok((place, action))
}

fn due(output: &Output, now_ms: u64) -> Due {
    let end_ms = now_ms + output.length_ms();
    match output.pulse {
        Pulse::Driver { .. } => Due { at_ms: end_ms, coil: output.coil, what: Off::Switch },
        _ => Due { at_ms: end_ms + STUCK_AFTER_MS, coil: output.coil, what: Off::See },
    }
}

/// Modbus Application Protocol 1.1b3, 7.
fn exception(code: u8) -> String {
    let words = match code {
        1 => "it does not know the function",
        2 => "it has no such address",
        3 => "it does not take the value",
        4 => "it has failed",
        6 => "it is busy",
        10 | 11 => "the gateway does not reach it",
        _ => "no reason known",
    };
    format!("exception {code}, {words}")
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
