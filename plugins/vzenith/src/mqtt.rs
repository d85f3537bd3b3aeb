//! The camera behind an MQTT broker: its words come by topic, its commands go by topic, and each has a reply with a code.
//!
//! It owns the thread that talks to the broker, and what waits for a reply. It must not know what a command is for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rumqttc::{Client, Connection, Event, MqttOptions, NetworkOptions, Packet, Publish, QoS, RecvTimeoutError};
use serde::Deserialize;
use serde_json::{Value, json};
use tollhouse_field::{Backoff, StopSignal};
use tollhouse_sdk::{Completion, LogLevel, Pending, Refusal, Status, WhitelistPart};

use crate::config::{Config, Link, TopicOrder};
use crate::deed::{Deed, message};
use crate::desk::ANSWER_AHEAD_MS;
use crate::gate::Gate;
use crate::heard::{self, Heard, License};
use crate::list::{Coming, Job};

/// A plate with two pictures in base64.
const MAX_PACKET_BYTES: usize = 6 * 1024 * 1024;
/// How long the thread listens before it looks whether it is to stop: less than a stop may take.
const LISTEN: Duration = Duration::from_millis(900);
/// A camera that has not replied by then will not.
const REPLY_WITHIN_MS: u64 = 3_000;
const MOST_WAITING: usize = 64;
/// A part of the list goes out in several messages; the box waits for 30 s.
const LIST_WITHIN_MS: u64 = 28_000;

/// See the module.
pub(crate) struct Talk {
    gate: Arc<Gate>,
    client: Client,
    serial: String,
    connected: AtomicBool,
    serial_first: AtomicBool,
    /// Commands that the camera has not replied to, with when they are given up.
    waiting: Mutex<BTreeMap<String, (u64, Deed)>>,
    list: Mutex<List>,
}

/// The camera's list of plates: what has come of it, and the part on its way with the id of its last message.
#[derive(Default)]
struct List {
    coming: Coming,
    job: Option<(String, Job)>,
    numbered: u64,
}

/// Whether a reply was one of the list's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heeded {
    Yes,
    No,
}

/// What the last part of a topic says.
#[derive(Debug, PartialEq, Eq)]
enum Topic<'a> {
    Up(&'a str),
    Reply,
}

impl Talk {
    /// For the camera and broker of a configuration; the connection is to be handed to [`Talk::run`].
    pub(crate) fn new(gate: Arc<Gate>) -> Option<(Self, Connection)> {
        let Config { serial, link: Link::Mqtt { broker, user, password, topics }, camera, .. } = &gate.config else {
            return None;
        };
        let (serial, order) = (serial.clone()?, *topics);
        let mut options = MqttOptions::new(format!("tollhouse-{camera}"), broker.ip().to_string(), broker.port());
        // What the broker would keep for us while we are away would open for cars that have gone.
        options.set_clean_session(true);
        options.set_keep_alive(Duration::from_secs(15));
        options.set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES);
        if !user.is_empty() {
            options.set_credentials(user, password);
        }
        let (client, mut connection) = Client::new(options, MOST_WAITING);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(1);
        connection.eventloop.set_network_options(network);
        let talk = Self {
            gate,
            client,
            serial,
            connected: AtomicBool::new(false),
            serial_first: AtomicBool::new(order == TopicOrder::SerialFirst),
            waiting: Mutex::default(),
            list: Mutex::default(),
        };
        Some((talk, connection))
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, (u64, Deed)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Talks until it is told to stop.
    pub(crate) fn run(&self, mut connection: Connection, stop: &StopSignal) {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        while !stop.is_stopped() {
            match connection.recv_timeout(LISTEN) {
                Ok(Ok(Event::Incoming(Packet::ConnAck(_)))) => {
                    backoff.reset();
                    self.subscribe();
                }
                Ok(Ok(Event::Incoming(Packet::Publish(publish)))) => self.heard(&publish),
                Ok(Ok(_)) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Err(fault)) => {
                    self.connected.store(false, Ordering::Release);
                    self.gate.is_away(&format!("the broker is away: {fault}"));
                    stop.pause(backoff.next_pause());
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn subscribe(&self) {
        let serial = &self.serial;
        let topics = [format!("device/{serial}/message"), format!("{serial}/device/message")];
        for topic in topics.iter().flat_map(|topic| [format!("{topic}/up/#"), format!("{topic}/down/+/reply")]) {
            if let Err(fault) = self.client.try_subscribe(topic, QoS::AtLeastOnce) {
                return self.gate.host.log(LogLevel::Error, &format!("no subscription: {fault}"));
            }
        }
        self.connected.store(true, Ordering::Release);
        self.gate.host.log(LogLevel::Info, "connected to the broker");
    }

    fn heard(&self, publish: &Publish) {
        let Some((order, topic)) = topic(&publish.topic, &self.serial) else { return };
        // A plate that the broker kept would open for a car that has gone.
        if publish.retain {
            return self.gate.host.log(LogLevel::Warn, &format!("{} is retained and was left out", publish.topic));
        }
        self.serial_first.store(order == TopicOrder::SerialFirst, Ordering::Relaxed);
        self.gate.is_there();
        match topic {
            Topic::Reply => self.replied(&publish.payload),
            Topic::Up("keep_alive") => {}
            Topic::Up(name) => match heard::read(&publish.payload, License::Base64, &self.serial) {
                Some(Heard::Plate(plate)) => {
                    if let Err(fault) = self.gate.plate(&plate, None) {
                        self.gate.host.log(LogLevel::Warn, &format!("the host did not take a plate: {fault:?}"));
                    }
                }
                Some(Heard::Input { source, value }) => self.gate.input(source, value),
                Some(Heard::GateStatus(status)) => self.gate.gate_status(status),
                Some(Heard::Alive) => {}
                None => self.gate.host.log(LogLevel::Warn, &format!("{name}: no message that can be read")),
            },
        }
    }

    fn replied(&self, payload: &[u8]) {
        #[derive(Deserialize)]
        struct Said {
            code: i64,
            id: String,
        }
        let Ok(Said { code, id }) = serde_json::from_slice(payload) else {
            return self.gate.host.log(LogLevel::Warn, "a reply without code or id");
        };
        if self.list_replied(&id, code, payload) == Heeded::Yes {
            return;
        }
        match self.waiting().remove(&id) {
            Some((_, deed)) if code == 200 => self.gate.taken(vec![deed]),
            Some((_, deed)) => {
                deed.pending.refuse(&Refusal::new(Status::Rejected, format!("the camera refuses with code {code}")));
            }
            None => {}
        }
    }

    /// Sends a command.
    pub(crate) fn send(&self, deed: Deed) {
        let refuse = |deed: Deed, status, words: &str| deed.pending.refuse(&Refusal::new(status, words));
        if !self.connected.load(Ordering::Acquire) {
            return refuse(deed, Status::Offline, "the broker is away");
        }
        let Some((name, body)) = message(&self.gate.config, &deed, chrono::Utc::now().timestamp()) else {
            return refuse(deed, Status::Unsupported, "it cannot be done over MQTT");
        };
        let mut waiting = self.waiting();
        if waiting.len() >= MOST_WAITING {
            return refuse(deed, Status::Busy, "too many commands wait for the camera");
        }
        let topic = self.down(name);
        // Not to be kept by the broker: an open that comes minutes late opens for nobody.
        match self.client.try_publish(topic, QoS::AtMostOnce, false, body.to_string()) {
            Ok(()) => {
                let until_ms =
                    deed.deadline_ms.saturating_sub(ANSWER_AHEAD_MS).min(self.gate.host.now_ms() + REPLY_WITHIN_MS);
                waiting.insert(deed.pending.cmd_id().to_owned(), (until_ms, deed));
            }
            Err(_) => refuse(deed, Status::Busy, "the way to the broker is full"),
        }
    }

    /// Carries a part of the list to the camera.
    pub(crate) fn list(&self, part: &WhitelistPart, pending: Pending) {
        let refuse = |pending: Pending, status, words: &str| pending.refuse(&Refusal::new(status, words));
        if !self.connected.load(Ordering::Acquire) {
            return refuse(pending, Status::Offline, "the broker is away");
        }
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if list.job.is_some() {
            return refuse(pending, Status::Busy, "a part is on its way already");
        }
        let Ok(whole) = list.coming.take(part) else {
            return refuse(pending, Status::Invalid, "a part out of order");
        };
        let until_ms = self.gate.host.now_ms() + LIST_WITHIN_MS;
        let mut job = Job::new(pending, until_ms, part, whole, self.gate.config.zone());
        match job.next() {
            Some(body) => self.list_sends(&mut list, job, &body),
            // An empty part that is not the last one.
            None => job.pending.complete(Completion::Confirmed),
        }
    }

    fn list_sends(&self, list: &mut List, job: Job, body: &Value) {
        list.numbered += 1;
        let id = format!("{}-{}", job.pending.cmd_id(), list.numbered);
        let name = "white_list_operator";
        let message = json!({"id": id, "sn": self.serial, "name": name, "version": "1.0",
            "timestamp": chrono::Utc::now().timestamp(), "payload": {"type": name, "body": body}});
        match self.client.try_publish(self.down(name), QoS::AtLeastOnce, false, message.to_string()) {
            Ok(()) => list.job = Some((id, job)),
            Err(_) => job.pending.refuse(&Refusal::new(Status::Busy, "the way to the broker is full")),
        }
    }

    /// A reply, perhaps to a message of the list: then the next one goes out.
    fn list_replied(&self, id: &str, code: i64, payload: &[u8]) -> Heeded {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, mut job)) = list.job.take_if(|(waits_for, _)| waits_for == id) else { return Heeded::No };
        if code != 200 {
            let words = format!("the camera refuses its list with code {code}");
            job.pending.refuse(&Refusal::new(Status::Rejected, words));
            return Heeded::Yes;
        }
        job.replied(&serde_json::from_slice(payload).unwrap_or_default());
        match job.next() {
            Some(body) => self.list_sends(&mut list, job, &body),
            None => job.pending.complete(Completion::Confirmed),
        }
        Heeded::Yes
    }

    /// Where the camera listens for a command.
    fn down(&self, name: &str) -> String {
        if self.serial_first.load(Ordering::Relaxed) {
            format!("{}/device/message/down/{name}", self.serial)
        } else {
            format!("device/{}/message/down/{name}", self.serial)
        }
    }

    /// Gives up what was not replied to.
    pub(crate) fn time_passed(&self) {
        let now_ms = self.gate.host.now_ms();
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, job)) = list.job.take_if(|(_, job)| job.until_ms <= now_ms) {
            job.pending.refuse(&Refusal::new(Status::Timeout, "the camera did not take its list in time"));
        }
        drop(list);
        let mut waiting = self.waiting();
        let overdue: Vec<String> =
            waiting.iter().filter(|(_, (until_ms, _))| *until_ms <= now_ms).map(|(id, _)| id.clone()).collect();
        for (_, deed) in overdue.iter().filter_map(|id| waiting.remove(id)) {
            deed.pending.refuse(&Refusal::new(Status::Timeout, "the camera did not reply: nobody knows what it did"));
        }
    }
}

/// Which order a topic of this camera has, and what it is about; `None` for those of others.
fn topic<'a>(topic: &'a str, serial: &str) -> Option<(TopicOrder, Topic<'a>)> {
    let mut parts = topic.split('/');
    let order = match (parts.next()?, parts.next()?) {
        ("device", named) if named == serial => TopicOrder::DeviceFirst,
        (named, "device") if named == serial => TopicOrder::SerialFirst,
        _ => return None,
    };
    match (parts.next()?, parts.next()?, parts.next()?, parts.next(), parts.next()) {
        ("message", "up", name, None, None) => Some((order, Topic::Up(name))),
        ("message", "down", _, Some("reply"), None) => Some((order, Topic::Reply)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_of_either_order_are_the_cameras_and_others_are_not() {
        use TopicOrder::{DeviceFirst, SerialFirst};
        let cases = [
            ("device/s-1/message/up/ivs_result", Some((DeviceFirst, Topic::Up("ivs_result")))),
            ("s-1/device/message/up/keep_alive", Some((SerialFirst, Topic::Up("keep_alive")))),
            ("device/s-1/message/down/gpio_out/reply", Some((DeviceFirst, Topic::Reply))),
            ("device/s-1/message/down/gpio_out", None),
            ("device/s-2/message/up/ivs_result", None),
            ("device/s-1/message/up/ivs_result/more", None),
            ("device/s-1", None),
            ("", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(topic(text, "s-1"), wanted, "{text}");
        }
    }
}
