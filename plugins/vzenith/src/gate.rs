//! The camera's lane as the box is told of it: plates, inputs, the arm, whether the camera is there.
//!
//! It owns what is remembered between two words of the camera. It must not know how they come.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use tollhouse_field::{Arm, Orders, Position, Presence, Switches};
use tollhouse_sdk::{EmitError, Host, LogLevel, Reply};

use crate::config::{Config, Means};
use crate::deed::{Deed, What, position};
use crate::heard::{Freshness, Genuineness, Plate, rfc3339};

/// So many plates are remembered, so that one that comes again is told in the same words.
const MOST_REMEMBERED: usize = 64;

/// See the module.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) host: Host,
    pub(crate) config: Config,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    arm: Arm,
    orders: Orders,
    presence: Presence,
    heard_at: Instant,
    /// Levels of the inputs that have spoken.
    inputs: BTreeMap<u8, bool>,
    /// The camera's clock less ours, from the last plate that came at once.
    clock_ahead: Option<TimeDelta>,
    told: VecDeque<(String, Value)>,
}

impl Gate {
    pub(crate) fn new(host: Host, config: Config) -> Self {
        let state = State {
            arm: Arm::new(config.travel_ms.into()),
            orders: Orders::default(),
            presence: Presence::new(host, config.devices()),
            heard_at: Instant::now(),
            inputs: BTreeMap::new(),
            clock_ahead: None,
            told: VecDeque::new(),
        };
        Self { host, config, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The camera has said something.
    pub(crate) fn is_there(&self) {
        let mut state = self.lock();
        state.heard_at = Instant::now();
        state.presence.online("the camera is there");
    }

    /// The way to the camera is broken.
    pub(crate) fn is_away(&self, why: &str) {
        self.lock().presence.offline(why);
    }

    /// Looks whether anything is overdue.
    pub(crate) fn time_passed(&self) {
        let now_ms = self.host.now_ms();
        let mut state = self.lock();
        state.orders.time_passed(now_ms);
        let silent = Duration::from_millis(self.config.silent_after_ms.into());
        if state.heard_at.elapsed() > silent {
            state.presence.offline(&format!("the camera has said nothing for {} s", silent.as_secs()));
        }
        if self.config.sees(Means::Up) || self.config.sees(Means::Down) {
            self.stands(&mut state, now_ms);
        }
    }

    fn tell(&self, device: &str, topic: &str, body: &Value) {
        if let Err(fault) = self.host.emit(device, topic, body) {
            self.host.log(LogLevel::Warn, &format!("the host did not take {topic}: {fault:?}"));
        }
    }

    /// Tells of a plate; `reply` when the camera waits for the answer.
    pub(crate) fn plate(&self, plate: &Plate, reply: Option<Reply<'_>>) -> Result<(), EmitError> {
        let camera = &self.config.camera;
        if plate.genuineness == Genuineness::Fake {
            let body = json!({"alarm": "fake_plate", "text": format!("{} is a picture of a plate", plate.license)});
            return self.host.emit_with_picture(camera, "event/alarm", &body, &plate.picture);
        }
        let body = self.body(plate);
        match reply {
            Some(reply) => self.host.emit_for_reply(camera, "event/plate", &body, &plate.picture, reply),
            None => self.host.emit_with_picture(camera, "event/plate", &body, &plate.picture),
        }
    }

    /// The event's body; for one that comes again the same as before, since it carries a time of sending.
    fn body(&self, plate: &Plate) -> Value {
        let mut state = self.lock();
        if let Some((_, body)) = state.told.iter().find(|(event_id, _)| *event_id == plate.event_id) {
            return body.clone();
        }
        let mut body = json!({"event_id": plate.event_id, "plate": plate.license, "colour": plate.colour});
        if let Some(confidence) = plate.confidence {
            body["confidence"] = confidence.into();
        }
        let now = Utc::now();
        match plate.freshness {
            Freshness::Live => state.clock_ahead = plate.at.map(|at| at - now),
            Freshness::Backlog => body["backlog"] = true.into(),
        }
        if let Some(at) = plate.at {
            let sent_at = match plate.freshness {
                // It came at once: by the camera's own clock it was sent when it was read.
                Freshness::Live => Some(at),
                // What the camera's clock says now, as far as we know it.
                Freshness::Backlog => state.clock_ahead.and_then(|ahead| now.checked_add_signed(ahead)),
            };
            body["at"] = rfc3339(at).into();
            if let Some(sent_at) = sent_at {
                body["sent_at"] = rfc3339(sent_at).into();
            }
        }
        if state.told.len() >= MOST_REMEMBERED {
            state.told.pop_front();
        }
        state.told.push_back((plate.event_id.clone(), body.clone()));
        body
    }

    /// An input has changed.
    pub(crate) fn input(&self, source: i64, value: i64) {
        let now_ms = self.host.now_ms();
        let lane = self.config.barrier.as_ref().unwrap_or(&self.config.camera);
        let mut state = self.lock();
        for input in self.config.inputs.iter().filter(|input| i64::from(input.source) == source) {
            let active = value == input.active;
            let before = state.inputs.insert(input.source, active);
            if before == Some(active) {
                continue;
            }
            match input.means {
                Means::Up | Means::Down => self.stands(&mut state, now_ms),
                Means::Loop => self.tell(lane, "state/loop", &json!({"occupied": active})),
                Means::Passage => {
                    self.tell(lane, "state/loop", &json!({"occupied": active}));
                    if before == Some(true) {
                        self.tell(lane, "event/passed", &json!({"direction": "forward"}));
                    }
                }
                Means::Button if active => self.tell(&self.config.camera, "event/button", &json!({"button": "help"})),
                Means::Button => {}
            }
        }
    }

    /// The camera tells where the barrier is.
    pub(crate) fn gate_status(&self, status: i64) {
        let Some(position) = position(&self.config, status) else { return };
        let (now_ms, mut state) = (self.host.now_ms(), self.lock());
        let switches = Switches { up: position == Position::Up, down: position == Position::Down };
        self.seen(&mut state, now_ms, switches);
    }

    fn stands(&self, state: &mut State, now_ms: u64) {
        if self.config.gate_status.is_some() {
            return state.orders.time_passed(now_ms);
        }
        let says = |means| {
            let mut of_kind = self.config.inputs.iter().filter(|input| input.means == means);
            of_kind.any(|input| state.inputs.get(&input.source) == Some(&true))
        };
        let switches = Switches { up: says(Means::Up), down: says(Means::Down) };
        if !state.inputs.is_empty() {
            self.seen(state, now_ms, switches);
        }
    }

    fn seen(&self, state: &mut State, now_ms: u64, switches: Switches) {
        let changed = state.arm.seen(now_ms, switches);
        if let (Some(position), Some(barrier)) = (changed, &self.config.barrier) {
            self.tell(barrier, "state/barrier", &json!({"position": position.word()}));
        }
        let at = state.arm.position();
        state.orders.stand(now_ms, |_| at);
    }

    /// The camera has taken these.
    pub(crate) fn taken(&self, deeds: Vec<Deed>) {
        let now_ms = self.host.now_ms();
        let mut state = self.lock();
        for Deed { pending, device, what, .. } in deeds {
            let What::Relay(relay) = what else {
                pending.complete(tollhouse_sdk::Completion::Accepted);
                continue;
            };
            state.arm.moves(now_ms);
            let until_ms = now_ms + u64::from(self.config.travel_ms);
            state.orders.taken(pending, &device, 0, relay.goal(&self.config), until_ms);
        }
    }
}
