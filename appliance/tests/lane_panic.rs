//! Asserts that a lane whose actor panics is back within a second with nothing lost, and that its neighbours never notice.
//! The whole box runs in this process, over the embedded broker, with the demo's hardware at its lanes.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use rumqttc::{Client, MqttOptions, QoS};
use serde_json::json;
use tollhouse::actors::lot::messages::PanicLane;
use tollhouse::clock::BoxClock;
use tollhouse::demo::broker::EmbeddedBroker;
use tollhouse::demo::estate;
use tollhouse::demo::hardware::{Hardware, Opened};
use tollhouse::wiring::{self, Running};
use tollhouse_core::id::LaneId;
use tollhouse_core::record::Records;
use tollhouse_core::record::{Cause, Change, ChangeKind};
use tollhouse_core::stay::Stay;

/// The hardware moves so many times as fast as the demo's.
const HARDWARE_SPEED: u32 = 100;
const PATIENCE: Duration = Duration::from_secs(20);
const A_SECOND: Duration = Duration::from_secs(1);

struct Site {
    running: Running,
    hardware: Hardware,
    broker: SocketAddr,
}

impl Site {
    /// Lanes `in-1` and `out-1` of the sample estate, without its driver.
    async fn start(data: &Path) -> Self {
        let broker = EmbeddedBroker::start(([127, 0, 0, 1], 0).into()).expect("a broker").addr;
        let mut config = estate::config(([127, 0, 0, 1], 0).into(), broker, data, Path::new("none"), 1).expect("names");
        config.plugins.clear();
        config.lanes.retain(|lane| lane.id.as_str().ends_with('1'));
        let running = wiring::start(&config, BoxClock::start(1), None).expect("the box starts");
        let hardware = Hardware::start(broker, BoxClock::start(1), HARDWARE_SPEED);
        running.ready().await;
        let site = Self { running, hardware, broker };
        // A first car at each lane: everybody has signed in.
        for lane in ["in-1", "out-1"] {
            assert_eq!(site.drive(lane, "粤A00000").await, Opened::Yes, "{lane} opens");
        }
        site
    }

    async fn drive(&self, lane: &str, plate: &str) -> Opened {
        let before = self.hardware.openings(lane);
        self.hardware.read(lane, plate, "blue");
        self.hardware.opens(lane, before, PATIENCE).await
    }

    async fn panic(&self, lane: &str) {
        self.running.lot.send(PanicLane(LaneId::new(lane).expect("a name"))).await.expect("the lot is there");
    }

    async fn metric(&self, series: &str) -> u64 {
        let url = format!("http://{}/metrics", self.running.http);
        let asked = tokio::task::spawn_blocking(move || ureq::get(&url).call()?.body_mut().read_to_string());
        let text = asked.await.expect("asked").expect("answered");
        let value = text.lines().find_map(|line| line.strip_prefix(series)).map_or("0", str::trim);
        value.parse().expect("a number")
    }

    async fn reaches(&self, series: &str, wanted: u64) {
        let began = Instant::now();
        while self.metric(series).await < wanted {
            assert!(began.elapsed() < PATIENCE, "{series} does not reach {wanted}");
            tokio::task::yield_now().await;
        }
    }

    fn stays_of(&self, plate: &str) -> usize {
        let stays = self.running.store.snapshot().list::<Stay>("", 1000).expect("readable");
        stays.iter().filter(|stay| stay.record.plate.as_str() == plate).count()
    }
}

const RESTARTS_IN: &str = "tollhouse_lane_restarts_total{lane=\"in-1\"}";
const RESTARTS_OUT: &str = "tollhouse_lane_restarts_total{lane=\"out-1\"}";

#[test]
fn a_lane_that_panics_is_back_within_a_second_and_the_others_never_notice() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    actix::System::new().block_on(async {
        let site = Site::start(folder.path()).await;
        for round in 0..5 {
            let began = Instant::now();
            site.panic("in-1").await;
            // Both at once, while the lane is just coming back.
            let (into, out) = (format!("粤B0000{round}"), format!("粤C0000{round}"));
            let (opened, neighbour) = tokio::join!(site.drive("in-1", &into), site.drive("out-1", &out));
            assert_eq!((opened, neighbour), (Opened::Yes, Opened::Yes));
            assert!(began.elapsed() < A_SECOND, "{:?} for the lane to be back and open", began.elapsed());
            site.reaches(RESTARTS_IN, round + 1).await;
        }
        assert_eq!(site.metric(RESTARTS_OUT).await, 0, "the neighbour ran on");
        site.running.stop().await;
    });
}

#[test]
fn a_lane_that_panics_with_a_car_in_hand_opens_once_for_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    actix::System::new().block_on(async {
        let site = Site::start(folder.path()).await;
        let before = site.hardware.openings("in-1");
        // The store's writer is held, so the lane's commit stays open.
        let (held, is_held) = std::sync::mpsc::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let nothing = Change::new(ChangeKind::Housekeeping, Utc::now(), Cause::Time);
        let keep_waiting = move |_| {
            held.send(()).expect("the test waits");
            let _ = released.recv_timeout(PATIENCE);
        };
        site.running.store.submit(nothing, keep_waiting).expect("there is room");
        is_held.recv_timeout(PATIENCE).expect("the writer is held");

        // What comes after the read is refused and counted: by then the lane has the read.
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let read =
            json!({"event_id": "in-hand", "at": now, "sent_at": now, "plate": "粤D12345", "direction": "approach"});
        let broker = site.broker;
        let sent = std::thread::spawn(move || publish(broker, &[read.to_string(), "no event".to_owned()]));
        site.reaches("tollhouse_events_refused_total{device=\"cam-in-1\",reason=\"bad_json\"}", 1).await;
        sent.join().expect("published");
        site.panic("in-1").await;
        site.reaches(RESTARTS_IN, 1).await;
        assert_eq!(site.hardware.openings("in-1"), before, "nothing opens before it is durable");
        release.send(()).expect("the writer waits");

        assert_eq!(site.hardware.opens("in-1", before, A_SECOND).await, Opened::Yes, "the event in hand is decided");
        assert_eq!(site.drive("in-1", "粤E00001").await, Opened::Yes);
        assert_eq!(site.hardware.openings("in-1"), before + 2, "and once");
        assert_eq!(site.stays_of("粤D12345"), 1);
        site.running.stop().await;
    });
}

/// Publishes as `cam-in-1`, in this order, and waits until the broker has all of it.
fn publish(broker: SocketAddr, bodies: &[String]) {
    let options = MqttOptions::new("test-camera", broker.ip().to_string(), broker.port());
    let (client, mut connection) = Client::new(options, 10);
    for body in bodies {
        client
            .publish("tollhouse/v1/demo/cam-in-1/event/plate", QoS::AtLeastOnce, false, body.as_bytes())
            .expect("room");
    }
    let acknowledged =
        |news: &Result<rumqttc::Event, _>| matches!(news, Ok(rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_))));
    assert_eq!(connection.iter().filter(acknowledged).take(bodies.len()).count(), bodies.len());
}
