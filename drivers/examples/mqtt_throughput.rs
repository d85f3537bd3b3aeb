//! How many events a second come through broker and link, acknowledged: `cargo run --release -p tollhouse-drivers
//! --example mqtt_throughput -- HOST PORT [EVENTS]`, against a broker that is already running.
//!
//! The publisher is a thread with its own connection; the sink finishes each event at once, or, with `late` as a fourth
//! argument, from another thread, as the store's writer would.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use chrono::Utc;
use rumqttc::{Client, Event, MqttOptions, NetworkOptions, Packet, QoS};
use tokio::sync::Notify;
use tollhouse_core::id::{DeviceId, LotId};
use tollhouse_drivers::event::{DeviceEvent, Presence};
use tollhouse_drivers::link::LinkState;
use tollhouse_drivers::mqtt::{MqttConfig, MqttLink};
use tollhouse_drivers::{EventSink, Observer, Refused};

struct Counter {
    seen: AtomicUsize,
    expected: usize,
    finished: Notify,
    up: Notify,
    late: Option<std::sync::mpsc::SyncSender<DeviceEvent>>,
}

impl EventSink for Counter {
    fn offer(&self, event: DeviceEvent) -> Result<(), DeviceEvent> {
        match &self.late {
            Some(late) => late.try_send(event).map_err(|full| match full {
                std::sync::mpsc::TrySendError::Full(event) | std::sync::mpsc::TrySendError::Disconnected(event) => {
                    event
                }
            })?,
            None => event.receipt.done(),
        }
        if self.seen.fetch_add(1, Ordering::Relaxed) + 1 == self.expected {
            self.finished.notify_one();
        }
        Ok(())
    }
}

impl Observer for Counter {
    fn refused(&self, _: Option<&DeviceId>, reason: Refused, detail: &str) {
        eprintln!("refused: {reason:?} {detail}");
    }
    fn gap(&self, _: &DeviceId, missing: u64) {
        eprintln!("{missing} events are missing");
    }
    fn clock_offset(&self, _: &DeviceId, _: i64) {}
    fn link(&self, _: &str, state: LinkState) {
        if state == LinkState::Up {
            self.up.notify_one();
        }
    }
    fn presence(&self, _: &DeviceId, _: Presence) {}
    fn picture(&self, _: &DeviceId, _: &str, _: &[u8]) {}
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let host = arguments.next().expect("HOST PORT [EVENTS] [late]");
    let port = arguments.next().and_then(|port| port.parse().ok()).expect("a port");
    let events = arguments.next().and_then(|events| events.parse().ok()).unwrap_or(200_000);
    let late = arguments.next().map(|_| {
        let (late, waiting) = std::sync::mpsc::sync_channel::<DeviceEvent>(4096);
        std::thread::spawn(move || waiting.into_iter().for_each(|event| event.receipt.done()));
        late
    });
    let counter = Arc::new(Counter {
        seen: AtomicUsize::new(0),
        expected: events,
        finished: Notify::new(),
        up: Notify::new(),
        late,
    });
    let lot = LotId::new("bench").expect("a name");
    let config = MqttConfig::new(&host, port, lot, vec!["cam".parse().expect("a name")]);
    let link = MqttLink::start(config, Arc::new(Utc::now), counter.clone(), counter.clone());
    counter.up.notified().await;

    let began = Instant::now();
    let publisher = std::thread::spawn(move || publish(&host, port, events));
    counter.finished.notified().await;
    let seconds = began.elapsed().as_secs_f64();
    publisher.join().expect("the publisher does not panic");
    link.shutdown().await;
    println!(
        "{events} events in {seconds:.2} s: {:.0} a second",
        f64::from(u32::try_from(events).unwrap_or(0)) / seconds
    );
}

fn publish(host: &str, port: u16, events: usize) {
    let mut options = MqttOptions::new("bench-cam", host, port);
    options.set_inflight(500);
    let (client, mut connection) = Client::new(options, 1000);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    connection.eventloop.set_network_options(network);
    let feeder = std::thread::spawn(move || {
        for seq in 0..events {
            let body = format!(
                r#"{{"event_id":"e-{seq}","boot_id":"b","seq":{seq},"at":"2026-03-01T02:00:00.000Z",
                "sent_at":"2026-03-01T02:00:00.010Z","plate":"粤C{:05}","colour":"blue","confidence":0.97}}"#,
                seq % 100_000
            );
            client.publish("tollhouse/v1/bench/cam/event/plate", QoS::AtLeastOnce, false, body).expect("connected");
        }
        client
    });
    let mut acknowledged = 0;
    for event in connection.iter() {
        if matches!(event.expect("the broker stays"), Event::Incoming(Packet::PubAck(_))) {
            acknowledged += 1;
            if acknowledged == events {
                break;
            }
        }
    }
    drop(feeder.join());
}
