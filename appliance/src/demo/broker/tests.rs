//! The embedded broker under the box's own link: sessions, late acknowledgements, retained messages.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, Publish, QoS};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tollhouse_core::id::{DeviceId, LotId};
use tollhouse_drivers::event::{DeviceEvent, Presence, What};
use tollhouse_drivers::link::LinkState;
use tollhouse_drivers::mqtt::{MqttConfig, MqttLink};
use tollhouse_drivers::{EventSink, Observer, Refused};

use super::*;

struct Told(UnboundedSender<DeviceEvent>, UnboundedSender<Refused>);

impl EventSink for Told {
    fn offer(&self, event: DeviceEvent) -> Result<(), DeviceEvent> {
        self.0.send(event).map_err(|unsent| unsent.0)
    }
}

impl Observer for Told {
    fn refused(&self, _: Option<&DeviceId>, reason: Refused, _: &str) {
        // A test that has seen enough does not listen any more.
        let _ = self.1.send(reason);
    }
    fn gap(&self, _: &DeviceId, _: u64) {}
    fn clock_offset(&self, _: &DeviceId, _: i64) {}
    fn link(&self, _: &str, _: LinkState) {}
    fn presence(&self, _: &DeviceId, _: Presence) {}
    fn picture(&self, _: &DeviceId, _: &str, _: &[u8]) {}
}

struct Stage {
    link: MqttLink,
    events: UnboundedReceiver<DeviceEvent>,
    refused: UnboundedReceiver<Refused>,
    presence: Option<Presence>,
}

impl Stage {
    fn start(broker: &EmbeddedBroker) -> Self {
        let ((tell, events), (tell_refused, refused)) = (unbounded_channel(), unbounded_channel());
        let told = Arc::new(Told(tell, tell_refused));
        let config = MqttConfig::new(
            broker.addr.ip().to_string(),
            broker.addr.port(),
            LotId::new("demo").expect("a name"),
            vec!["cam".parse().expect("a name")],
        );
        let clock = Arc::new(|| DateTime::<Utc>::UNIX_EPOCH);
        Self { link: MqttLink::start(config, clock, told.clone(), told), events, refused, presence: None }
    }

    /// The next event. A presence that is told again (what was retained, and the live message on its heels) is none.
    async fn event(&mut self) -> (String, DeviceEvent) {
        loop {
            let event = soon(self.events.recv()).await.expect("the link lives");
            let id = match &event.what {
                What::Plate(read) => read.head.event_id.to_string(),
                What::Availability(said) if self.presence.replace(said.presence) == Some(said.presence) => {
                    event.receipt.done();
                    continue;
                }
                What::Availability(said) => format!("{:?}", said.presence),
                other => panic!("not expected: {other:?}"),
            };
            return (id, event);
        }
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.expect("in time")
}

struct Camera {
    client: AsyncClient,
    acknowledged: UnboundedReceiver<()>,
    heard: UnboundedReceiver<Publish>,
}

impl Camera {
    fn at(broker: &EmbeddedBroker) -> Self {
        let options = MqttOptions::new("cam", broker.addr.ip().to_string(), broker.addr.port());
        let (client, mut events) = AsyncClient::new(options, 1000);
        let ((tell, acknowledged), (tell_heard, heard)) = (unbounded_channel(), unbounded_channel());
        tokio::spawn(async move {
            while let Ok(event) = events.poll().await {
                match event {
                    Event::Incoming(Packet::PubAck(_)) => drop(tell.send(())),
                    Event::Incoming(Packet::Publish(publish)) => drop(tell_heard.send(publish)),
                    _ => {}
                }
            }
        });
        Self { client, acknowledged, heard }
    }

    async fn publish(&mut self, tail: &str, retained: Retained, body: &str) {
        let retain = retained == Retained::Yes;
        let topic = format!("tollhouse/v1/demo/cam/{tail}");
        self.client.publish(topic, QoS::AtLeastOnce, retain, body).await.expect("the client lives");
        soon(self.acknowledged.recv()).await.expect("the client stays connected");
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Retained {
    Yes,
    No,
}

fn plate(id: &str) -> String {
    format!(r#"{{"event_id":"{id}","plate":"粤C12345"}}"#)
}

fn broker() -> EmbeddedBroker {
    EmbeddedBroker::start(([127, 0, 0, 1], 0).into()).expect("a broker")
}

#[test]
fn an_address_that_others_could_reach_is_refused() {
    let error = EmbeddedBroker::start(([0, 0, 0, 0], 1883).into()).expect_err("refused");
    assert!(matches!(error, BrokerError::NotLoopback(_)));
}

#[test]
fn a_port_in_use_is_reported_in_words_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = taken.local_addr().expect("an address");
    let error = EmbeddedBroker::start(addr).expect_err("in use").to_string();
    assert!(error.starts_with(&format!("port {} is in use: ", addr.port())), "{error}");
    assert!(error.contains("--mqtt 127.0.0.1:0"), "{error}");
}

#[test]
fn brokers_that_choose_their_port_stand_side_by_side() {
    let (one, two) = (broker(), broker());
    assert_ne!(one.addr.port(), two.addr.port());
    assert!(sign_in(one.addr).is_ok() && sign_in(two.addr).is_ok());
}

#[tokio::test]
async fn an_unfinished_event_comes_again_and_a_finished_one_does_not() {
    let broker = broker();
    let mut stage = Stage::start(&broker);
    let mut camera = Camera::at(&broker);
    // The first availability shows that the link has subscribed.
    camera.publish("availability", Retained::Yes, r#"{"state":"online","boot_id":"b"}"#).await;
    stage.event().await.1.receipt.done();
    camera.publish("event/plate", Retained::No, &plate("finished")).await;
    stage.event().await.1.receipt.done();
    camera.publish("event/plate", Retained::No, &plate("unfinished")).await;
    let (id, unfinished) = stage.event().await;
    assert_eq!(id, "unfinished");
    drop(stage);
    camera.publish("event/plate", Retained::No, &plate("meanwhile")).await;

    let mut stage = Stage::start(&broker);
    for expected in ["unfinished", "meanwhile"] {
        let (id, event) = stage.event().await;
        assert_eq!(id, expected);
        event.receipt.done();
    }
    unfinished.receipt.done();
    stage.link.shutdown().await;
}

#[tokio::test]
async fn events_finished_in_any_order_keep_the_connection_and_come_once() {
    let broker = broker();
    let mut stage = Stage::start(&broker);
    let mut camera = Camera::at(&broker);
    camera.publish("availability", Retained::Yes, r#"{"state":"online"}"#).await;
    stage.event().await.1.receipt.done();
    // Several times the hundred that may be in flight.
    let mut last_first = Vec::new();
    for n in 0..450 {
        camera.publish("event/plate", Retained::No, &plate(&format!("e{n}"))).await;
        let (id, event) = stage.event().await;
        assert_eq!(id, format!("e{n}"), "each comes once, in order");
        last_first.push(event.receipt);
        if last_first.len() == 90 {
            last_first.drain(..).rev().for_each(tollhouse_drivers::Receipt::done);
        }
    }
}

#[tokio::test]
async fn a_retained_availability_is_told_and_a_retained_command_is_cleared() {
    let broker = broker();
    let mut camera = Camera::at(&broker);
    camera.client.subscribe("tollhouse/v1/demo/cam/cmd/+", QoS::AtLeastOnce).await.expect("the client lives");
    camera.publish("availability", Retained::Yes, r#"{"state":"online","boot_id":"b"}"#).await;
    camera.publish("cmd/open", Retained::Yes, r#"{"cmd_id":"x"}"#).await;
    assert!(!soon(camera.heard.recv()).await.expect("a command").payload.is_empty());
    let mut stage = Stage::start(&broker);
    assert_eq!(stage.event().await.0, "Online");
    assert_eq!(soon(stage.refused.recv()).await, Some(Refused::Retained));
    assert!(soon(camera.heard.recv()).await.expect("the clearing").payload.is_empty());
}
