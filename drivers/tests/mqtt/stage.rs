//! What a test of the link needs around it: a sink and an observer that tell the test everything, a clock that the test
//! moves, and a device that it plays.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rumqttc::{AsyncClient, Event, MqttOptions, NetworkOptions, Packet, Publish, QoS};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tollhouse_core::id::{CommandId, DeviceId, LotId};
use tollhouse_drivers::event::{Availability, DeviceEvent, Presence, What};
use tollhouse_drivers::link::LinkState;
use tollhouse_drivers::mqtt::{MqttConfig, MqttLink};
use tollhouse_drivers::{Clock, DeviceCommand, EventSink, Observer, Refused};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const DEVICES: [&str; 2] = ["cam", "bar"];

/// Waits for what must come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not come in time"))
}

/// What an observer hears.
#[derive(Debug, PartialEq)]
pub(crate) enum Noticed {
    Refused(Option<String>, Refused),
    Gap(u64),
    Offset(i64),
    Link(LinkState),
    Presence(Presence),
    Picture(String, usize),
}

struct Told {
    noticed: UnboundedSender<Noticed>,
    events: UnboundedSender<DeviceEvent>,
}

impl EventSink for Told {
    fn offer(&self, event: DeviceEvent) -> Result<(), DeviceEvent> {
        self.events.send(event).map_err(|unsent| unsent.0)
    }
}

impl Observer for Told {
    fn refused(&self, device: Option<&DeviceId>, reason: Refused, _: &str) {
        self.tell(Noticed::Refused(device.map(ToString::to_string), reason));
    }
    fn gap(&self, _: &DeviceId, missing: u64) {
        self.tell(Noticed::Gap(missing));
    }
    fn clock_offset(&self, _: &DeviceId, offset_ms: i64) {
        self.tell(Noticed::Offset(offset_ms));
    }
    fn link(&self, name: &str, state: LinkState) {
        assert_eq!(name, "mqtt");
        self.tell(Noticed::Link(state));
    }
    fn presence(&self, _: &DeviceId, presence: Presence) {
        self.tell(Noticed::Presence(presence));
    }
    fn picture(&self, _: &DeviceId, event_id: &str, jpeg: &[u8]) {
        self.tell(Noticed::Picture(event_id.to_owned(), jpeg.len()));
    }
}

impl Told {
    fn tell(&self, noticed: Noticed) {
        // A test that has seen enough does not listen any more.
        let _ = self.noticed.send(noticed);
    }
}

/// A link under test, with everything that it says.
pub(crate) struct Stage {
    pub(crate) link: MqttLink,
    events: UnboundedReceiver<DeviceEvent>,
    noticed: UnboundedReceiver<Noticed>,
    now: Arc<Mutex<DateTime<Utc>>>,
}

impl Stage {
    /// Starts a link; it is connected when this returns.
    pub(crate) async fn connected(port: u16) -> Self {
        let mut stage = Self::start(port);
        stage.until(&Noticed::Link(LinkState::Up)).await;
        stage
    }

    pub(crate) fn start(port: u16) -> Self {
        let (told_events, events) = unbounded_channel();
        let (told_noticed, noticed) = unbounded_channel();
        let told = Arc::new(Told { noticed: told_noticed, events: told_events });
        let now = Arc::new(Mutex::new(start_time()));
        let clock_now = Arc::clone(&now);
        let clock: Clock = Arc::new(move || *clock_now.lock().expect("no panic"));
        let devices = DEVICES.iter().map(|name| name.parse().expect("a name")).collect();
        let lot = LotId::new("lot").expect("a name");
        let config = MqttConfig::new("127.0.0.1", port, lot, devices);
        let sink: Arc<dyn EventSink> = told.clone();
        Self { link: MqttLink::start(config, clock, sink, told), events, noticed, now }
    }

    pub(crate) async fn event(&mut self) -> DeviceEvent {
        soon("an event", self.events.recv()).await.expect("the link lives")
    }

    /// The next event, which must be a plate's or a passage's, by its id; its receipt stays open.
    pub(crate) async fn event_id(&mut self) -> (String, DeviceEvent) {
        let event = self.event().await;
        let id = match &event.what {
            What::Plate(read) => read.head.event_id.to_string(),
            What::Passed(passed) => passed.head.event_id.to_string(),
            other => panic!("neither plate nor passage: {other:?}"),
        };
        (id, event)
    }

    /// The next event's availability; its receipt is done.
    pub(crate) async fn availability(&mut self) -> Availability {
        let event = self.event().await;
        let What::Availability(availability) = event.what else { panic!("no availability: {:?}", event.what) };
        event.receipt.done();
        availability
    }

    pub(crate) async fn noticed(&mut self) -> Noticed {
        soon("a notice", self.noticed.recv()).await.expect("the link lives")
    }

    /// Waits until the observer hears this, and forgets what it heard before.
    pub(crate) async fn until(&mut self, expected: &Noticed) {
        while self.noticed().await != *expected {}
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        *self.now.lock().expect("no panic") += by;
    }

    /// Sends `open` with a text that names it, to expire so many seconds after the start of the test.
    pub(crate) fn open(&self, name: &str, expires_s: i64) {
        let command = DeviceCommand {
            device: "bar".parse().expect("a name"),
            cmd_id: CommandId::from_bytes([7; 16]),
            name: "open",
            args: serde_json::json!({ "name": name }),
            expires_at: start_time() + TimeDelta::seconds(expires_s),
        };
        tollhouse_drivers::DeviceLink::send(&self.link, command).expect("the outbox has room");
    }
}

pub(crate) fn start_time() -> DateTime<Utc> {
    "2026-03-01T02:00:00Z".parse().expect("a time")
}

/// A client that a test plays: a device, or a bystander who listens.
pub(crate) struct Client {
    connection: AsyncClient,
    heard: UnboundedReceiver<Publish>,
    acknowledged: UnboundedReceiver<()>,
    poll: tokio::task::JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.poll.abort();
    }
}

impl Client {
    /// Connects with a session that lasts, and listens to `filter`; the subscription stands when this returns.
    pub(crate) async fn listening(port: u16, name: &str, filter: &str) -> Self {
        let mut options = MqttOptions::new(name, "127.0.0.1", port);
        options.set_clean_session(false).set_max_packet_size(3 << 20, 3 << 20);
        let (client, mut events) = AsyncClient::new(options, 1000);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        events.set_network_options(network);
        let (tell_heard, heard) = unbounded_channel();
        let (tell_acknowledged, acknowledged) = unbounded_channel();
        let (tell_subscribed, mut subscribed) = unbounded_channel();
        let poll = tokio::spawn(async move {
            let mut again = tokio::time::interval(Duration::from_millis(20));
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::Publish(publish))) => drop(tell_heard.send(publish)),
                    Ok(Event::Incoming(Packet::PubAck(_))) => drop(tell_acknowledged.send(())),
                    Ok(Event::Incoming(Packet::SubAck(_))) => drop(tell_subscribed.send(())),
                    Ok(_) => {}
                    Err(_) => drop(again.tick().await),
                }
            }
        });
        let client = Self { connection: client, heard, acknowledged, poll };
        client.connection.subscribe(filter, QoS::AtLeastOnce).await.expect("the client lives");
        soon("a subscription", subscribed.recv()).await;
        client
    }

    /// A client that listens to nothing that anybody says.
    pub(crate) async fn speaking(port: u16, name: &str) -> Self {
        Self::listening(port, name, "nobody/speaks/here").await
    }

    /// Publishes and waits until the broker has it.
    pub(crate) async fn publish(&mut self, tail: &str, body: impl Into<Vec<u8>>) {
        self.connection.publish(topic(tail), QoS::AtLeastOnce, false, body).await.expect("the client lives");
        soon("an acknowledgement", self.acknowledged.recv()).await;
    }

    pub(crate) async fn retain(&mut self, tail: &str, body: &str) {
        self.connection.publish(topic(tail), QoS::AtLeastOnce, true, body).await.expect("the client lives");
        soon("an acknowledgement", self.acknowledged.recv()).await;
    }

    pub(crate) async fn heard(&mut self) -> Publish {
        soon("a message", self.heard.recv()).await.expect("the client lives")
    }

    /// The name in the next command, as [`Stage::open`] wrote it.
    pub(crate) async fn command(&mut self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.heard().await.payload).expect("JSON");
        body["args"]["name"].as_str().expect("a name").to_owned()
    }
}

pub(crate) fn topic(tail: &str) -> String {
    format!("tollhouse/v1/lot/{tail}")
}

pub(crate) fn plate(event_id: &str) -> String {
    format!(r#"{{"event_id":"{event_id}","plate":"粤C12345"}}"#)
}
