//! Owns the two floors under every figure of the benchmark: what the broker takes for a round trip, and what the disk takes
//! to keep four kibibytes. It must not know the box.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::load::durations;
use crate::wire::{self, Letters, Retained};

const APPENDS: u32 = 2000;
const BLOCK: [u8; 4096] = [0x5a; 4096];

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
    let (sender, mut receiver) = wire::connect(broker, "floor", "floor/echo".to_owned());
    let mut took = durations();
    let (began, between) = (Instant::now(), Duration::from_secs(1) / rate);
    let mut trips = 0_u32;
    let mut letters = Letters::default();
    // Nothing ever comes through it: it waits for the moment alone.
    let (_open, moment) = channel::<()>();
    while began.elapsed() < length {
        letters.publish(&sender, "floor/echo".to_owned(), Retained::No, "x".repeat(300));
        let before = Instant::now();
        sender.send(&mut letters);
        receiver.receive(&mut letters).expect("the broker answers");
        record(&mut took, before.elapsed());
        sender.send(&mut letters);
        trips += 1;
        let _ = moment.recv_timeout((began + between * trips).saturating_duration_since(Instant::now()));
    }
    (took, f64::from(trips) / began.elapsed().as_secs_f64())
}

fn record(histogram: &mut Histogram<u64>, took: Duration) {
    histogram.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
}
