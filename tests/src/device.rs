//! Owns a device that a test plays over MQTT: it publishes as contracts tell, keeps every command that reaches it, and
//! knows which of its events the broker has acknowledged. It must not know what a lane is.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset, SecondsFormat, TimeDelta, Utc};
use rumqttc::{Client, Connection, Event, Incoming, MqttOptions, NetworkOptions, Outgoing, Publish, QoS};
use serde_json::{Value, json};

use crate::wait::{Gathered, PATIENCE};

/// The lot of the sample estate, and of every configuration that the tests write.
pub const LOT: &str = "demo";

/// What the broker lets pass, so that a test can send what the box must refuse.
const MOST_BYTES: usize = 3 << 20;

/// Requests that may wait for the connection; a test that sends more waits itself.
const WAITING_REQUESTS: usize = 4096;

/// The lot's time, in which its devices write.
const HOURS_EAST: i32 = 8;

/// Whether the broker keeps a message for those who come later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retained {
    /// Kept.
    Yes,
    /// Passed on and forgotten.
    No,
}

/// What a device does with a command by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    /// Nothing: the test answers, or does not.
    Silent,
    /// Accepts and confirms each command once.
    Obliging,
}

/// A command that reached a device.
#[derive(Clone, Debug)]
pub struct Command {
    /// What is to be done: open, display, ...
    pub name: String,
    /// Its id.
    pub cmd_id: String,
    /// The whole body.
    pub body: Value,
    /// When it arrived.
    pub arrived: Instant,
}

/// An event, ready to be published, as often as one likes.
#[derive(Clone, Debug)]
pub struct DeviceEvent {
    /// The last part of its topic: plate, passed, ...
    pub kind: &'static str,
    /// Its id.
    pub event_id: String,
    /// The whole body.
    pub body: Value,
}

/// A device and its connection.
pub struct TestDevice {
    /// Its id, which is user name and client id too.
    pub id: String,
    boot_id: String,
    sequence: AtomicU64,
    client: Client,
    shared: Arc<Shared>,
}

/// What the thread that polls the connection shares with the test.
#[derive(Debug)]
struct Shared {
    topic_root: String,
    manners: Manners,
    stopping: AtomicBool,
    /// Commands in the order of their arrival, repetitions too.
    commands: Gathered<Command>,
    /// Ids of events that the broker has acknowledged.
    acknowledged: Gathered<String>,
    /// Connections that were made and subscribed.
    subscribed: Gathered<Instant>,
    /// What was handed to the client and has no packet number yet, in order; held while handing over, so that orders agree.
    handed: Mutex<VecDeque<String>>,
}

impl TestDevice {
    /// Connects, subscribes to its commands, and says that it is there.
    pub fn connect(broker: SocketAddr, id: &str, kind: &str, manners: Manners) -> Self {
        let mut options = MqttOptions::new(id, broker.ip().to_string(), broker.port());
        options.set_keep_alive(Duration::from_secs(30)).set_credentials(id, "demo");
        options.set_max_packet_size(MOST_BYTES, MOST_BYTES).set_clean_session(false).set_inflight(1000);
        let (client, mut connection) = Client::new(options, WAITING_REQUESTS);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        connection.eventloop.set_network_options(network);
        let shared = Arc::new(Shared {
            topic_root: format!("tollhouse/v1/{LOT}/{id}/"),
            manners,
            stopping: AtomicBool::new(false),
            commands: Gathered::default(),
            acknowledged: Gathered::default(),
            subscribed: Gathered::default(),
            handed: Mutex::default(),
        });
        let boot_id = format!("boot-{}", Utc::now().timestamp_micros());
        let device = Self { id: id.to_owned(), boot_id, sequence: AtomicU64::new(0), client: client.clone(), shared };
        let shared = Arc::clone(&device.shared);
        std::thread::spawn(move || poll(&mut connection, &client, &shared));
        device.await_connection(1);
        device.introduce(kind);
        device
    }

    fn introduce(&self, kind: &str) {
        let meta = json!({"kinds": [kind], "vendor": "tollhouse", "model": "test", "firmware": "1", "serial": self.id,
            "boot_id": self.boot_id, "commands": ["open", "close", "display"], "events": ["plate", "passed"]});
        self.send("meta", meta.to_string().as_bytes(), Retained::Yes);
        let availability = json!({"state": "online", "boot_id": self.boot_id});
        self.send("availability", availability.to_string().as_bytes(), Retained::Yes);
    }

    /// Says that it goes, as its last will would.
    ///
    /// # Panics
    /// When the connection's thread is gone.
    pub fn leave(&self) {
        let availability = json!({"state": "offline", "boot_id": self.boot_id});
        self.send("availability", availability.to_string().as_bytes(), Retained::Yes);
    }

    /// Waits until it has connected and subscribed so many times, the first included.
    ///
    /// # Panics
    /// When that does not come.
    pub fn await_connection(&self, times: usize) {
        let there = self.shared.subscribed.wait(PATIENCE, |all| (all.len() >= times).then_some(()));
        assert!(there.is_some(), "{} did not get its connection number {times}", self.id);
    }

    /// Publishes any bytes below its own topic.
    ///
    /// # Panics
    /// When the connection's thread is gone.
    pub fn send(&self, below: &str, payload: &[u8], retained: Retained) {
        self.hand_over(&format!("{}{below}", self.shared.topic_root), payload, retained, below.to_owned());
    }

    /// Publishes an event.
    ///
    /// # Panics
    /// When the connection's thread is gone.
    pub fn publish(&self, event: &DeviceEvent) {
        let topic = format!("{}event/{}", self.shared.topic_root, event.kind);
        self.hand_over(&topic, event.body.to_string().as_bytes(), Retained::No, event.event_id.clone());
    }

    fn hand_over(&self, topic: &str, payload: &[u8], retained: Retained, id: String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut handed = self.shared.handed.lock().unwrap_or_else(PoisonError::into_inner);
            let retain = retained == Retained::Yes;
            // Never one that blocks: the thread that makes room wants the same lock.
            if self.client.try_publish(topic, QoS::AtLeastOnce, retain, payload).is_ok() {
                handed.push_back(id);
                return;
            }
            drop(handed);
            assert!(Instant::now() < deadline, "{} could not publish {topic}", self.id);
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// A plate read now.
    pub fn plate(&self, plate: &str) -> DeviceEvent {
        self.plate_captured(plate, Duration::ZERO)
    }

    /// A plate that was captured some time ago and is sent only now.
    pub fn plate_captured(&self, plate: &str, ago: Duration) -> DeviceEvent {
        self.event(
            "plate",
            ago,
            json!({"plate": plate, "colour": "blue", "confidence": 0.97,
            "candidates": [], "direction": "approach"}),
        )
    }

    /// The car has left the lane, forward.
    pub fn passed(&self) -> DeviceEvent {
        self.event("passed", Duration::ZERO, json!({"direction": "forward"}))
    }

    fn event(&self, kind: &'static str, ago: Duration, mut body: Value) -> DeviceEvent {
        let seq = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        let event_id = format!("{}-{}-{seq}", self.id, self.boot_id);
        let sent_at = Utc::now();
        let at = sent_at - TimeDelta::from_std(ago).expect("a test's times are small");
        body["event_id"] = json!(event_id);
        body["boot_id"] = json!(self.boot_id);
        body["seq"] = json!(seq);
        body["at"] = json!(local(at));
        body["sent_at"] = json!(local(sent_at));
        DeviceEvent { kind, event_id, body }
    }

    /// Answers a command.
    pub fn acknowledge(&self, command: &Command, state: &str) {
        self.send(&format!("ack/{}", command.cmd_id), json!({"state": state}).to_string().as_bytes(), Retained::No);
    }

    /// Waits for the command of this name with this number, counted from 0 over different ids. Nothing when `patience` passes.
    pub fn command(&self, name: &str, number: usize, patience: Duration) -> Option<Command> {
        self.shared.commands.wait(patience, |all| distinct(all, name).get(number).cloned())
    }

    /// Waits for a command that `wanted` likes, of any time. Nothing when `patience` passes.
    pub fn command_like(&self, name: &str, patience: Duration, wanted: impl Fn(&Command) -> bool) -> Option<Command> {
        let like = |command: &&Command| command.name == name && wanted(command);
        self.shared.commands.wait(patience, |all| all.iter().find(like).cloned())
    }

    /// The different commands of this name that have arrived so far.
    pub fn commands(&self, name: &str) -> Vec<Command> {
        self.shared.commands.look(|all| distinct(all, name))
    }

    /// Whether the broker has acknowledged this event, waiting for it.
    pub fn was_acknowledged(&self, event: &DeviceEvent, patience: Duration) -> bool {
        let found = |all: &[String]| all.contains(&event.event_id).then_some(());
        self.shared.acknowledged.wait(patience, found).is_some()
    }

    /// Waits until the broker has both answers of an obliging device to this command.
    pub fn has_answered(&self, command: &Command, patience: Duration) -> bool {
        let answer = format!("ack/{}", command.cmd_id);
        let both = |all: &[String]| (all.iter().filter(|id| **id == answer).count() >= 2).then_some(());
        self.shared.acknowledged.wait(patience, both).is_some()
    }

    /// The ids of all events that the broker has acknowledged.
    pub fn acknowledged(&self) -> Vec<String> {
        self.shared.acknowledged.look(<[String]>::to_vec)
    }
}

impl fmt::Debug for TestDevice {
    fn fmt(&self, form: &mut fmt::Formatter<'_>) -> fmt::Result {
        form.debug_struct("TestDevice").field("id", &self.id).field("boot_id", &self.boot_id).finish_non_exhaustive()
    }
}

impl Drop for TestDevice {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        // A connection that is down already needs no goodbye.
        let _ = self.client.try_disconnect();
    }
}

/// A plate for each number, all different.
pub fn plate_number(number: usize) -> String {
    let letter = char::from(b"ABCDEFGH"[number / 100_000 % 8]);
    format!("粤{letter}{:05}", number % 100_000)
}

/// A plate as pages show it: with the dot that stands on the car's own.
pub fn plate_on_a_screen(plate: &str) -> String {
    let letters: Vec<char> = plate.chars().collect();
    let (region, serial) = letters.split_at(2);
    format!("{}·{}", region.iter().collect::<String>(), serial.iter().collect::<String>())
}

/// A time as devices write it: RFC 3339 with milliseconds and the lot's offset.
fn local(time: DateTime<Utc>) -> String {
    let zone = FixedOffset::east_opt(HOURS_EAST * 3600).expect("eight hours east is an offset");
    time.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Millis, false)
}

fn distinct(all: &[Command], name: &str) -> Vec<Command> {
    let mut found: Vec<Command> = Vec::new();
    for command in all.iter().filter(|command| command.name == name) {
        if found.iter().all(|known| known.cmd_id != command.cmd_id) {
            found.push(command.clone());
        }
    }
    found
}

/// The life of a connection, in a thread of its own, until the device is dropped.
fn poll(connection: &mut Connection, client: &Client, shared: &Shared) {
    let mut numbers: HashMap<u16, String> = HashMap::new();
    while let Ok(news) = connection.recv() {
        if shared.stopping.load(Ordering::Acquire) && !matches!(news, Ok(Event::Outgoing(Outgoing::Publish(_)))) {
            return;
        }
        match news {
            Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                // From the polling thread only what cannot block: the queue may be full of a test's own messages.
                let _ = client.try_subscribe(format!("{}cmd/+", shared.topic_root), QoS::AtLeastOnce);
            }
            Ok(Event::Incoming(Incoming::SubAck(_))) => shared.subscribed.push(Instant::now()),
            Ok(Event::Incoming(Incoming::Publish(publish))) => receive(&publish, client, shared),
            // A number that is known goes out again after a new connection.
            Ok(Event::Outgoing(Outgoing::Publish(number))) => {
                if let std::collections::hash_map::Entry::Vacant(place) = numbers.entry(number) {
                    let mut handed = shared.handed.lock().unwrap_or_else(PoisonError::into_inner);
                    place.insert(handed.pop_front().unwrap_or_default());
                }
            }
            Ok(Event::Incoming(Incoming::PubAck(ack))) => {
                if let Some(id) = numbers.remove(&ack.pkid) {
                    shared.acknowledged.push(id);
                }
            }
            Ok(_) => {}
            // The broker is away; a moment between two tries keeps the machine free.
            Err(_) => std::thread::park_timeout(Duration::from_millis(20)),
        }
    }
}

fn receive(publish: &Publish, client: &Client, shared: &Shared) {
    let Some(name) = publish.topic.strip_prefix(&shared.topic_root).and_then(|below| below.strip_prefix("cmd/")) else {
        return;
    };
    let body: Value = serde_json::from_slice(&publish.payload).unwrap_or_default();
    let cmd_id = body["cmd_id"].as_str().unwrap_or_default().to_owned();
    let seen_before = shared.commands.look(|all| all.iter().any(|known| known.cmd_id == cmd_id));
    if shared.manners == Manners::Obliging && !seen_before {
        let topic = format!("{}ack/{cmd_id}", shared.topic_root);
        let mut handed = shared.handed.lock().unwrap_or_else(PoisonError::into_inner);
        for state in ["accepted", "confirmed"] {
            let payload = json!({"state": state}).to_string();
            if client.try_publish(&topic, QoS::AtLeastOnce, false, payload).is_ok() {
                handed.push_back(format!("ack/{cmd_id}"));
            }
        }
    }
    shared.commands.push(Command { name: name.to_owned(), cmd_id, body, arrived: Instant::now() });
}
