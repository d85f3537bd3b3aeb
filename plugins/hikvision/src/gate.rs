//! The camera's lane as the box is told of it: plates and their pictures, the arm, whether the camera is there.
//!
//! It owns what is remembered between two words of the camera. It must not know how they come.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;
use tollhouse_field::{Arm, Goal, Orders, Position, Presence, Switches};
use tollhouse_sdk::{Completion, EmitError, Host, LogLevel, Pending};

use crate::config::Config;
use crate::event::{Heard, Plate, read};
use crate::multipart::Part;

/// See the module.
pub(crate) struct Gate {
    pub(crate) host: Host,
    pub(crate) config: Config,
    state: Mutex<State>,
}

struct State {
    arm: Arm,
    orders: Orders,
    presence: Presence,
    signal: Signal,
    alarmed: bool,
}

/// Whether the barrier tells where its arm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    NotYet,
    None,
    Present,
}

/// The pictures that follow a plate: which event they belong to, and how large the largest so far was.
#[derive(Debug, Default)]
pub(crate) struct Pictures(Option<(String, usize)>);

impl Gate {
    pub(crate) fn new(host: Host, config: Config) -> Self {
        let state = State {
            arm: Arm::new(config.travel_ms.into()),
            orders: Orders::default(),
            presence: Presence::new(host, config.devices()),
            signal: Signal::NotYet,
            alarmed: false,
        };
        Self { host, config, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_there(&self) {
        self.lock().presence.online("the camera is there");
    }

    pub(crate) fn is_away(&self, why: &str) {
        self.lock().presence.offline(&format!("the camera at {} is away: {why}", self.config.address));
    }

    /// The camera refuses user or password; said once, since nothing more is tried.
    pub(crate) fn is_locked_out(&self) {
        self.is_away("it refuses user or password");
        if !std::mem::replace(&mut self.lock().alarmed, true) {
            let body =
                json!({"alarm": "login_refused", "text": "user or password is wrong; the driver has stopped trying"});
            self.tell("event/alarm", &self.config.camera, &body);
        }
    }

    fn tell(&self, topic: &str, device: &str, body: &serde_json::Value) {
        if let Err(fault) = self.host.emit(device, topic, body) {
            self.host.log(LogLevel::Warn, &format!("the host did not take {topic}: {fault:?}"));
        }
    }

    /// A part of what the camera sends: an alert, or a picture that belongs to the plate before it. The plate does not
    /// wait for its pictures.
    pub(crate) fn part(&self, part: &Part, pictures: &mut Pictures) -> Result<(), EmitError> {
        let jpeg = part.body.starts_with(&[0xFF, 0xD8]);
        if !jpeg && !part.content_type.starts_with("image/") {
            return match read(&part.body) {
                Some(Heard::Plate(plate)) => {
                    pictures.0 = Some((plate.event_id.clone(), 0));
                    self.plate(&plate)
                }
                Some(Heard::Alive) => Ok(()),
                None => {
                    self.host.log(LogLevel::Debug, &format!("a part of {} bytes is no alert", part.body.len()));
                    Ok(())
                }
            };
        }
        match &mut pictures.0 {
            // The plate alone comes first and is small, the whole car follows.
            Some((event_id, largest)) if jpeg && part.body.len() > *largest => {
                *largest = part.body.len();
                let topic = format!("blob/{event_id}");
                self.host.emit_with_picture(&self.config.camera, &topic, &json!({}), &part.body)
            }
            _ => Ok(()),
        }
    }

    fn plate(&self, plate: &Plate) -> Result<(), EmitError> {
        let mut body = json!({"event_id": plate.event_id, "plate": plate.license, "colour": plate.colour,
            "direction": plate.direction});
        if let Some(confidence) = plate.confidence {
            body["confidence"] = confidence.into();
        }
        if let Some(at) = &plate.at {
            // It comes at once, or not at all: by the camera's own clock it was sent when it was read.
            body["at"] = at.as_str().into();
            body["sent_at"] = at.as_str().into();
        }
        self.host.emit(&self.config.camera, "event/plate", &body)
    }

    /// The camera has taken a command that wants the arm somewhere.
    pub(crate) fn taken(&self, pending: Pending, device: &str, goal: Goal) {
        let now_ms = self.host.now_ms();
        let mut state = self.lock();
        state.arm.moves(now_ms);
        let goal = if state.signal == Signal::None { Goal::Nowhere } else { goal };
        state.orders.taken(pending, device, 0, goal, now_ms + u64::from(self.config.travel_ms));
    }

    /// The barrier's status: 0 no signal, 1 closed, 2 open.
    pub(crate) fn status(&self, status: u8) -> Position {
        let now_ms = self.host.now_ms();
        let mut state = self.lock();
        state.signal = if status == 0 { Signal::None } else { Signal::Present };
        let changed = state.arm.seen(now_ms, Switches { up: status == 2, down: status == 1 });
        if let (Some(position), Some(barrier)) = (changed, &self.config.barrier) {
            self.tell("state/barrier", barrier, &json!({"position": position.word()}));
        }
        let at = state.arm.position();
        state.orders.stand(now_ms, |_| at);
        at
    }

    pub(crate) fn time_passed(&self) {
        self.lock().orders.time_passed(self.host.now_ms());
    }

    /// Done, and seen to be.
    pub(crate) fn done(pending: Pending) {
        pending.complete(Completion::Confirmed);
    }
}
