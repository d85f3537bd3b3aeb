//! Owns the cars: so many a second over all lanes, each passing before the next comes to its lane.
//! It must not know what answers them.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use hdrhistogram::Histogram;
use rumqttc::{Client, Connection, Event, Incoming, MqttOptions, NetworkOptions, QoS};
use serde_json::{Value, json};
use tollhouse_tests::{LOT, plate_number};

/// A barrier that has not opened by then never will.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(10);
const PACKET_BYTES: usize = 1 << 20;
const WAITING_REQUESTS: usize = 16_384;
const UNDER_WAY: u16 = 2000;

/// What one step has shown.
pub(crate) struct Step {
    /// Cars that were let in, per second of the step.
    pub(crate) per_second: f64,
    /// Microseconds from publish to arrival.
    pub(crate) latency: Histogram<u64>,
}

/// All lanes' cameras and barriers behind one connection.
pub(crate) struct Load {
    client: Client,
    /// When the car that waits in a lane was published.
    waiting: Arc<Mutex<Vec<Option<Instant>>>>,
    /// Lanes whose car has passed, with what its opening took.
    opened: Receiver<(usize, Duration)>,
    free: Vec<usize>,
    cars: usize,
}

/// For microseconds up to a minute.
pub(crate) fn durations() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("a minute in microseconds with three digits is allowed")
}

/// A connection as the cameras have it: no waiting for more bytes, enough under way at once.
pub(crate) fn connect(broker: SocketAddr, id: &str) -> (Client, Connection) {
    let mut options = MqttOptions::new(id, broker.ip().to_string(), broker.port());
    options
        .set_keep_alive(Duration::from_secs(60))
        .set_inflight(UNDER_WAY)
        .set_max_packet_size(PACKET_BYTES, PACKET_BYTES);
    let (client, mut connection) = Client::new(options, WAITING_REQUESTS);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    connection.eventloop.set_network_options(network);
    (client, connection)
}

impl Load {
    /// Connects and says that all devices are there.
    pub(crate) fn connect(broker: SocketAddr, lanes: usize) -> Self {
        let (client, mut connection) = connect(broker, "lane-bench");
        client.subscribe(format!("tollhouse/v1/{LOT}/+/cmd/open"), QoS::AtLeastOnce).expect("a fresh queue has room");
        let waiting = Arc::new(Mutex::new(vec![None; lanes]));
        let (tell, opened) = channel();
        let (ready, is_ready) = channel();
        let (answering, shared) = (client.clone(), Arc::clone(&waiting));
        std::thread::spawn(move || poll(&mut connection, &answering, &shared, &tell, &ready));
        is_ready.recv_timeout(GIVE_UP).expect("the broker takes the subscription");
        for lane in 0..lanes {
            for kind in ["cam", "gate"] {
                let topic = format!("tollhouse/v1/{LOT}/{kind}-in-{}/availability", lane + 1);
                let body = json!({"state": "online", "boot_id": "bench"}).to_string();
                client.publish(topic, QoS::AtLeastOnce, true, body).expect("the connection lives");
            }
        }
        Self { client, waiting, opened, free: (0..lanes).collect(), cars: 0 }
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
                self.send_car();
                (sent, due) = (sent + 1, due + between);
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
        Step { per_second, latency }
    }

    /// Takes in the lanes that have become free, waiting for the first so long. Tells whether there was any.
    fn gather(&mut self, patience: Duration, passed: &mut u64, latency: &mut Histogram<u64>) -> bool {
        let mut next = self.opened.recv_timeout(patience).ok();
        let any = next.is_some();
        while let Some((lane, took)) = next {
            self.free.push(lane);
            *passed += 1;
            latency.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            next = self.opened.try_recv().ok();
        }
        any
    }

    fn send_car(&mut self) {
        // The lane that has been free for longest.
        let lane = self.free.remove(0);
        self.cars += 1;
        let event = event("plate", lane, self.cars);
        let topic = format!("tollhouse/v1/{LOT}/cam-in-{}/event/plate", lane + 1);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)[lane] = Some(Instant::now());
        self.client.publish(topic, QoS::AtLeastOnce, false, event).expect("the connection lives");
    }
}

fn event(kind: &str, lane: usize, number: usize) -> String {
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, false);
    let mut body =
        json!({"event_id": format!("{kind}-{}-{number}", lane + 1), "boot_id": "bench", "at": now, "sent_at": now});
    if kind == "plate" {
        body["plate"] = json!(plate_number(number));
        body["colour"] = json!("blue");
        body["confidence"] = json!(0.97);
        body["direction"] = json!("approach");
    } else {
        body["direction"] = json!("forward");
    }
    body.to_string()
}

fn poll(
    connection: &mut Connection,
    client: &Client,
    waiting: &Mutex<Vec<Option<Instant>>>,
    tell: &Sender<(usize, Duration)>,
    ready: &Sender<()>,
) {
    let mut passages = 0;
    while let Ok(news) = connection.recv() {
        match news {
            Ok(Event::Incoming(Incoming::SubAck(_))) => drop(ready.send(())),
            Ok(Event::Incoming(Incoming::Publish(publish))) => {
                let arrived = Instant::now();
                let device = publish.topic.split('/').nth(3).unwrap_or_default();
                let Some(number) = device.strip_prefix("gate-in-").and_then(|number| number.parse::<usize>().ok())
                else {
                    continue;
                };
                let lane = number - 1;
                // A command that comes again finds nobody waiting.
                let Some(sent) = waiting.lock().unwrap_or_else(PoisonError::into_inner)[lane].take() else { continue };
                let body: Value = serde_json::from_slice(&publish.payload).unwrap_or_default();
                let cmd_id = body["cmd_id"].as_str().unwrap_or_default();
                passages += 1;
                let confirmed = json!({"state": "confirmed"}).to_string();
                let passed = event("passed", lane, passages);
                // From the thread that makes room nothing may wait for room; the queue is far longer than the lanes.
                let sent_both = client
                    .try_publish(
                        format!("tollhouse/v1/{LOT}/{device}/ack/{cmd_id}"),
                        QoS::AtLeastOnce,
                        false,
                        confirmed,
                    )
                    .and_then(|()| {
                        let topic = format!("tollhouse/v1/{LOT}/{device}/event/passed");
                        client.try_publish(topic, QoS::AtLeastOnce, false, passed)
                    });
                assert!(sent_both.is_ok(), "the queue of requests is full");
                if tell.send((lane, arrived - sent)).is_err() {
                    return;
                }
            }
            Ok(_) => {}
            Err(fault) => {
                eprintln!("the connection to the broker: {fault}");
                return;
            }
        }
    }
}
