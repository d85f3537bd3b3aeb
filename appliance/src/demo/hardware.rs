//! The simulated hardware of lanes `in-1` and `out-1`: a camera, a barrier and a display that speak MQTT over the real
//! broker, like a vendor's would. One client plays all five devices.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rumqttc::{AsyncClient, Event, MqttOptions, NetworkOptions, Packet, Publish, QoS};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::estate::LOT;
use crate::clock::BoxClock;

/// The devices and what they are.
const DEVICES: [(&str, &str, &[&str]); 5] = [
    ("cam-in-1", "camera", &["snapshot"]),
    ("gate-in-1", "barrier", &["open", "close"]),
    ("cam-out-1", "camera", &["snapshot"]),
    ("gate-out-1", "barrier", &["open", "close"]),
    ("display-out-1", "display", &["display"]),
];
/// How long an arm takes, and a car to drive through.
const TRAVEL: Duration = Duration::from_millis(600);
const DRIVE: Duration = Duration::from_millis(800);

/// The hardware, as the cars' driver sees it.
#[derive(Clone)]
pub struct Hardware {
    client: AsyncClient,
    clock: BoxClock,
    speed: u32,
    boot: String,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    opened: Mutex<HashMap<String, u64>>,
    moved: Notify,
    counter: Mutex<u64>,
}

impl Hardware {
    /// Signs the devices in. Their task runs until the process ends.
    pub fn start(broker: SocketAddr, clock: BoxClock, speed: u32) -> Self {
        let mut options = MqttOptions::new("demo-hardware", broker.ip().to_string(), broker.port());
        options.set_keep_alive(Duration::from_secs(30));
        let (client, mut events) = AsyncClient::new(options, 512);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        events.set_network_options(network);
        let boot = format!("boot-{}", clock.now().timestamp_millis());
        let hardware = Self { client, clock, speed, boot, inner: Arc::default() };
        let devices = hardware.clone();
        tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => devices.sign_in(),
                    Ok(Event::Incoming(Packet::Publish(publish))) => devices.command(&publish),
                    Ok(_) => {}
                    Err(fault) => {
                        tracing::debug!(%fault, "the demo's hardware lost the broker");
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                }
            }
        });
        hardware
    }

    fn topic(device: &str, tail: &str) -> String {
        format!("tollhouse/v1/{LOT}/{device}/{tail}")
    }

    fn time(at: DateTime<Utc>) -> String {
        at.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    fn publish(&self, device: &str, tail: &str, retain: Retain, body: &Value) {
        let retain = retain == Retain::Yes;
        let sent = self.client.try_publish(Self::topic(device, tail), QoS::AtLeastOnce, retain, body.to_string());
        if let Err(fault) = sent {
            tracing::warn!(%fault, "the demo's hardware could not speak");
        }
    }

    fn sign_in(&self) {
        for (device, kind, commands) in DEVICES {
            let meta = json!({
                "kinds": [kind], "vendor": "Tollhouse", "model": "demo", "firmware": "1", "serial": device,
                "boot_id": self.boot, "commands": commands, "events": [],
            });
            self.publish(device, "meta", Retain::Yes, &meta);
            let here = json!({ "state": "online", "boot_id": self.boot });
            self.publish(device, "availability", Retain::Yes, &here);
            if let Err(fault) = self.client.try_subscribe(Self::topic(device, "cmd/+"), QoS::AtLeastOnce) {
                tracing::warn!(%fault, "the demo's hardware could not subscribe");
            }
        }
    }

    fn command(&self, publish: &Publish) {
        let mut parts = publish.topic.rsplit('/');
        let (Some(name), Some("cmd"), Some(device)) = (parts.next(), parts.next(), parts.next()) else { return };
        let Ok(body) = serde_json::from_slice::<Value>(&publish.payload) else { return };
        let Some(cmd_id) = body["cmd_id"].as_str() else { return };
        self.publish(device, &format!("ack/{cmd_id}"), Retain::No, &json!({ "state": "accepted" }));
        if name == "open" {
            let (hardware, device, cmd_id) = (self.clone(), device.to_owned(), cmd_id.to_owned());
            tokio::spawn(async move { hardware.raise(&device, &cmd_id).await });
        }
    }

    async fn raise(&self, barrier: &str, cmd_id: &str) {
        self.position(barrier, "moving");
        tokio::time::sleep(TRAVEL / self.speed).await;
        self.position(barrier, "up");
        self.publish(barrier, &format!("ack/{cmd_id}"), Retain::No, &json!({ "state": "confirmed" }));
        *self.opened().entry(barrier.to_owned()).or_default() += 1;
        self.inner.moved.notify_waiters();
        tokio::time::sleep(DRIVE / self.speed).await;
        let event = self.event(self.clock.now(), self.clock.now());
        self.publish(barrier, "event/passed", Retain::No, &with(event, &json!({ "direction": "forward" })));
        self.position(barrier, "down");
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, HashMap<String, u64>> {
        self.inner.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn position(&self, barrier: &str, position: &str) {
        let state = json!({ "position": position, "at": Self::time(self.clock.now()) });
        self.publish(barrier, "state/arm", Retain::Yes, &state);
    }

    fn event(&self, at: DateTime<Utc>, sent_at: DateTime<Utc>) -> Value {
        let mut counter = self.inner.counter.lock().unwrap_or_else(PoisonError::into_inner);
        *counter += 1;
        let event_id = format!("{}-{counter}", self.boot);
        json!({ "event_id": event_id, "boot_id": self.boot, "at": Self::time(at), "sent_at": Self::time(sent_at) })
    }

    /// The camera of a lane reads a plate now.
    pub fn read(&self, lane: &str, plate: &str, colour: &str) {
        self.read_late(lane, plate, colour, TimeDelta::zero());
    }

    /// The camera of a lane sends a read that it kept for so long.
    pub fn read_late(&self, lane: &str, plate: &str, colour: &str, age: TimeDelta) {
        let now = self.clock.now();
        let read = json!({ "plate": plate, "colour": colour, "confidence": 0.97, "direction": "approach" });
        self.publish(&format!("cam-{lane}"), "event/plate", Retain::No, &with(self.event(now - age, now), &read));
    }

    /// How often the barrier of a lane has opened so far.
    pub fn openings(&self, lane: &str) -> u64 {
        self.opened().get(&format!("gate-{lane}")).copied().unwrap_or(0)
    }

    /// Waits until the barrier of a lane has opened more often than `before`, or the time is over.
    pub async fn opens(&self, lane: &str, before: u64, within: Duration) -> Opened {
        let waiting = async {
            loop {
                let moved = self.inner.moved.notified();
                if self.openings(lane) > before {
                    return;
                }
                moved.await;
            }
        };
        if tokio::time::timeout(within, waiting).await.is_ok() { Opened::Yes } else { Opened::NotYet }
    }
}

/// Whether a message stays on the broker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Retain {
    Yes,
    No,
}

/// Whether a barrier opened in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It did.
    Yes,
    /// It did not.
    NotYet,
}

fn with(mut event: Value, more: &Value) -> Value {
    if let (Some(event), Some(more)) = (event.as_object_mut(), more.as_object()) {
        event.extend(more.clone());
    }
    event
}
