//! Owns the cars: so many a second over all lanes, each passing before the next comes to its lane.
//! It must not know what answers them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use hdrhistogram::Histogram;
use serde_json::Value;
use tollhouse_tests::{LOT, plate_number};

use crate::wire::{self, Letters, Retained, Sender as Broker};

/// A barrier that has not opened by then never will.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(10);

/// What the devices say of one car: its plate, the barrier's answer, its passing.
pub(crate) const EVENTS_A_CAR: f64 = 3.0;

/// What one step has shown.
pub(crate) struct Step {
    /// Cars that were let in, per second of the step.
    pub(crate) per_second: f64,
    /// Cars that were let in.
    pub(crate) cars: u64,
    /// Microseconds from publish to arrival.
    pub(crate) latency: Histogram<u64>,
}

/// All lanes' cameras and barriers behind one connection.
pub(crate) struct Load {
    broker: Broker,
    /// When the car that waits in a lane was published.
    waiting: Arc<Mutex<Vec<Option<Instant>>>>,
    /// Lanes whose car has passed, with what its opening took.
    opened: Receiver<(usize, Duration)>,
    free: VecDeque<usize>,
    cars: usize,
}

/// For microseconds up to a minute.
pub(crate) fn durations() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("a minute in microseconds with three digits is allowed")
}

impl Load {
    /// Connects and says that all devices are there.
    pub(crate) fn connect(broker: SocketAddr, lanes: usize) -> Self {
        let (broker, receiver) = wire::connect(broker, "lane-bench", format!("tollhouse/v1/{LOT}/+/cmd/open"));
        let waiting = Arc::new(Mutex::new(vec![None; lanes]));
        let (tell, opened) = channel();
        let (answering, shared) = (broker.clone(), Arc::clone(&waiting));
        std::thread::spawn(move || answer(receiver, &answering, &shared, &tell));
        let mut letters = Letters::default();
        for lane in 0..lanes {
            for kind in ["cam", "gate"] {
                let topic = format!("tollhouse/v1/{LOT}/{kind}-in-{}/availability", lane + 1);
                let body = r#"{"state":"online","boot_id":"bench"}"#.to_owned();
                letters.publish(&broker, topic, Retained::Yes, body);
            }
        }
        broker.send(&mut letters);
        Self { broker, waiting, opened, free: (0..lanes).collect(), cars: 0 }
    }

    /// Lets so many cars come each second for so long, and waits for the last to pass.
    pub(crate) fn drive(&mut self, rate: u32, length: Duration) -> Step {
        let mut latency = durations();
        let began = Instant::now();
        let cars = u64::from(rate) * length.as_secs();
        let between = length / u32::try_from(cars).unwrap_or(u32::MAX);
        let (mut sent, mut passed, mut due) = (0, 0, began);
        while passed < cars {
            let now = Instant::now();
            // What is not sent in its time counts against the box: twice the length, then it has not kept up.
            let sending = sent < cars && now < began + length * 2;
            if sending && now >= due && !self.free.is_empty() {
                let mut letters = Letters::default();
                while sent < cars && now >= due && !self.free.is_empty() {
                    self.send_car(&mut letters);
                    (sent, due) = (sent + 1, due + between);
                }
                self.broker.send(&mut letters);
                self.gather(Duration::ZERO, &mut passed, &mut latency);
                continue;
            }
            if !sending && passed == sent {
                break;
            }
            let patience = if sending && !self.free.is_empty() { due.saturating_duration_since(now) } else { GIVE_UP };
            let any = self.gather(patience, &mut passed, &mut latency);
            if !any && patience == GIVE_UP {
                eprintln!("{} cars were not let in within {GIVE_UP:?}", sent - passed);
                break;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "cars of one run are far below 2^52")]
        let per_second = passed as f64 / began.elapsed().max(length).as_secs_f64();
        Step { per_second, cars: passed, latency }
    }

    /// Takes in the lanes that have become free, waiting for the first so long. Tells whether there was any.
    fn gather(&mut self, patience: Duration, passed: &mut u64, latency: &mut Histogram<u64>) -> bool {
        let mut next = self.opened.recv_timeout(patience).ok();
        let any = next.is_some();
        while let Some((lane, took)) = next {
            self.free.push_back(lane);
            *passed += 1;
            latency.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            next = self.opened.try_recv().ok();
        }
        any
    }

    fn send_car(&mut self, letters: &mut Letters) {
        // The lane that has been free for longest.
        let lane = self.free.pop_front().expect("asked only when one is free");
        self.cars += 1;
        let now = moment();
        let topic = format!("tollhouse/v1/{LOT}/cam-in-{}/event/plate", lane + 1);
        let body = format!(
            r#"{{"event_id":"plate-{}-{}","boot_id":"bench","at":"{now}","sent_at":"{now}","plate":"{}","colour":"blue","confidence":0.97,"direction":"approach"}}"#,
            lane + 1,
            self.cars,
            plate_number(self.cars),
        );
        letters.publish(&self.broker, topic, Retained::No, body);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)[lane] = Some(Instant::now());
    }
}

fn moment() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, false)
}

/// All barriers: each open command is confirmed, and its car passes at once.
fn answer(
    mut receiver: wire::Receiver,
    broker: &Broker,
    waiting: &Mutex<Vec<Option<Instant>>>,
    tell: &Sender<(usize, Duration)>,
) {
    let (mut passages, mut answers) = (0_u64, Letters::default());
    while let Some(commands) = receiver.receive(&mut answers) {
        let arrived = Instant::now();
        let mut opened = vec![];
        for command in commands {
            let device = command.topic.split('/').nth(3).unwrap_or_default();
            let Some(number) = device.strip_prefix("gate-in-").and_then(|number| number.parse::<usize>().ok()) else {
                continue;
            };
            // A command that comes again finds nobody waiting.
            let Some(sent) = waiting.lock().unwrap_or_else(PoisonError::into_inner)[number - 1].take() else {
                continue;
            };
            let body: Value = serde_json::from_slice(&command.payload).unwrap_or_default();
            let topic = format!("tollhouse/v1/{LOT}/{device}/ack/{}", body["cmd_id"].as_str().unwrap_or_default());
            answers.publish(broker, topic, Retained::No, r#"{"state":"confirmed"}"#.to_owned());
            passages += 1;
            let now = moment();
            let passed = format!(
                r#"{{"event_id":"passed-{number}-{passages}","boot_id":"bench","at":"{now}","sent_at":"{now}","direction":"forward"}}"#
            );
            answers.publish(broker, format!("tollhouse/v1/{LOT}/{device}/event/passed"), Retained::No, passed);
            opened.push((number - 1, arrived - sent));
        }
        broker.send(&mut answers);
        if opened.into_iter().any(|lane| tell.send(lane).is_err()) {
            return;
        }
    }
}
