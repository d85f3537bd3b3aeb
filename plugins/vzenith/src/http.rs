//! The camera that posts: a plate waits for its answer, a poll for something to do, everything else is a sign of life.
//!
//! It owns what each post is answered. It must not know how a command came.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tollhouse_field::http::{Delivery, Handler, Request, Response};
use tollhouse_sdk::{LogLevel, Refusal, Reply, Status};

use crate::deed::{Deed, More, answer};
use crate::desk::Desk;
use crate::gate::Gate;
use crate::heard::{self, Freshness, Genuineness, Heard, License, Plate};

/// The longest post: a plate with its two pictures in base64.
pub(crate) const MOST_POST_BYTES: usize = 6 * 1024 * 1024;

/// See the module.
pub(crate) struct Posts {
    pub(crate) gate: Arc<Gate>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) answer_within: Duration,
    pub(crate) comet_hold: Duration,
    pub(crate) tokens: AtomicU64,
}

impl Handler for Posts {
    type Debt = Vec<Deed>;

    fn answer(&self, request: Request) -> (Response, Vec<Deed>) {
        if !self.is_ours(&request.body) {
            self.gate.host.log(LogLevel::Warn, &format!("{} posts as another camera", request.from));
            return (refusal(400), Vec::new());
        }
        self.gate.is_there();
        match heard::read(&request.body, License::Plain, self.gate.config.serial.as_deref().unwrap_or("camera")) {
            Some(Heard::Plate(plate)) => self.plate(&plate),
            Some(Heard::Input { source, value }) => {
                self.gate.input(source, value);
                (ok(&json!({"status": "ok"})), Vec::new())
            }
            Some(Heard::GateStatus(_) | Heard::Alive) | None if request.head.target.contains("comet") => self.poll(),
            Some(Heard::GateStatus(_) | Heard::Alive) | None => (ok(&json!({"status": "ok"})), Vec::new()),
        }
    }

    fn delivered(&self, deeds: Vec<Deed>, delivery: Delivery) {
        match delivery {
            Delivery::Sent => self.gate.taken(deeds),
            Delivery::Lost => deeds.into_iter().for_each(|deed| {
                deed.pending.refuse(&Refusal::new(Status::Offline, "the camera hung up before it was answered"));
            }),
        }
    }
}

impl Posts {
    /// Forms and unnumbered messages are taken as they come.
    fn is_ours(&self, body: &[u8]) -> bool {
        let wanted = self.gate.config.serial.as_deref();
        wanted.is_none_or(|wanted| heard::serial(body).is_none_or(|named| named == wanted))
    }

    fn plate(&self, plate: &Plate) -> (Response, Vec<Deed>) {
        let waits = plate.freshness == Freshness::Live && plate.genuineness == Genuineness::Plate;
        let barrier = self.gate.config.barrier.as_deref().filter(|_| waits);
        let told = match barrier {
            Some(barrier) => self.ask(plate, barrier),
            None => self.gate.plate(plate, None).map(|()| Vec::new()),
        };
        match told {
            Ok(deeds) => {
                let more = (plate.freshness == Freshness::Backlog).then_some(More::Send);
                (ok(&answer(&self.gate.config, &deeds, Some(plate.number), more)), deeds)
            }
            // The box has not got it: the camera keeps it and sends it again.
            Err(fault) => {
                self.gate.host.log(LogLevel::Warn, &format!("the host did not take a plate: {fault:?}"));
                (refusal(503), Vec::new())
            }
        }
    }

    fn ask(&self, plate: &Plate, barrier: &str) -> Result<Vec<Deed>, tollhouse_sdk::EmitError> {
        let token = format!("vz-{}", self.tokens.fetch_add(1, Ordering::Relaxed));
        let by = Instant::now() + self.answer_within;
        let wait_ms = u64::try_from(self.answer_within.as_millis()).unwrap_or(u64::MAX);
        let by_ms = self.gate.host.now_ms().saturating_add(wait_ms);
        self.desk.expect(&token);
        let told = self.gate.plate(plate, Some(Reply { token: &token, by_ms, opens: Some(barrier) }));
        // Also when it was not told: the token goes.
        let deeds = self.desk.decided(&token, if told.is_ok() { by } else { Instant::now() });
        told.map(|()| deeds)
    }

    fn poll(&self) -> (Response, Vec<Deed>) {
        let deeds = self.desk.polled(self.comet_hold);
        let said =
            if deeds.is_empty() { json!({"status": "ok"}) } else { answer(&self.gate.config, &deeds, None, None) };
        (ok(&said), deeds)
    }
}

fn ok(body: &Value) -> Response {
    Response { status: 200, content_type: "application/json", body: body.to_string().into_bytes() }
}

fn refusal(status: u16) -> Response {
    Response { status, content_type: "application/json", body: b"{}".to_vec() }
}
