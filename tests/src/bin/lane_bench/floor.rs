//! Owns the two floors under every figure of the benchmark: what the broker takes for a round trip, and what the disk takes
//! to keep four kibibytes. It must not know the box.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rumqttc::{Event, Incoming, QoS};

use crate::load::{connect, durations};

const APPENDS: u32 = 2000;
const BLOCK: [u8; 4096] = [0x5a; 4096];
const GIVE_UP: Duration = Duration::from_secs(10);

/// Appends and syncs one block after the other. Microseconds each, and how many a second.
pub(crate) fn append_and_sync(folder: &Path) -> (Histogram<u64>, f64) {
    let mut file = File::create(folder.join("floor")).expect("a file can be made");
    let mut took = durations();
    let began = Instant::now();
    for _ in 0..APPENDS {
        let before = Instant::now();
        file.write_all(&BLOCK).and_then(|()| file.sync_data()).expect("the disk takes it");
        record(&mut took, before.elapsed());
    }
    (took, f64::from(APPENDS) / began.elapsed().as_secs_f64())
}

/// Publishes so often a second and waits for each to come back, over the same client as the lanes'.
pub(crate) fn broker_round_trip(broker: SocketAddr, rate: u32, length: Duration) -> (Histogram<u64>, f64) {
    let (client, mut connection) = connect(broker, "floor");
    let (tell, told) = channel();
    client.subscribe("floor/echo", QoS::AtLeastOnce).expect("a fresh queue has room");
    std::thread::spawn(move || {
        while let Ok(Ok(news)) = connection.recv() {
            let wanted = matches!(news, Event::Incoming(Incoming::SubAck(_) | Incoming::Publish(_)));
            if wanted && tell.send(Instant::now()).is_err() {
                return;
            }
        }
    });
    told.recv_timeout(GIVE_UP).expect("the broker takes the subscription");
    let mut took = durations();
    let (began, between) = (Instant::now(), Duration::from_secs(1) / rate);
    let mut trips = 0_u32;
    while began.elapsed() < length {
        let before = Instant::now();
        client.publish("floor/echo", QoS::AtLeastOnce, false, vec![b'x'; 300]).expect("the connection lives");
        record(&mut took, told.recv_timeout(GIVE_UP).expect("the broker answers") - before);
        trips += 1;
        // Nothing comes before the next is sent: this waits for the moment alone.
        let _ = told.recv_timeout((began + between * trips).saturating_duration_since(Instant::now()));
    }
    let _ = client.try_disconnect();
    (took, f64::from(trips) / began.elapsed().as_secs_f64())
}

fn record(histogram: &mut Histogram<u64>, took: Duration) {
    histogram.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
}
