//! The store's two possible forms side by side, in one run, for docs/decisions/0001-store.md:
//!
//! `cargo bench -p tollhouse --profile release --bench store`
//!
//! `STORE_BENCH_FOLDER` says on which disk (default: a temporary folder), `STORE_BENCH_SECONDS` how long each sustained
//! run takes (default 5).

mod passage;
mod plain;

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tollhouse::store::{Busy, Store, StoreOptions, Told};
use tollhouse_core::record::Change;

use passage::passage;
use plain::Plain;

const BATCHES: [u64; 3] = [1, 64, 512];
/// Interleaved, so that both see the same noise of the disk.
const ROUNDS: u64 = 3;

/// Either form, behind what the rest of the box sees.
trait Form {
    fn submit(&self, change: Change, told: Box<dyn FnOnce(Told) + Send>) -> Result<(), Busy>;
}

impl Form for Store {
    fn submit(&self, change: Change, told: Box<dyn FnOnce(Told) + Send>) -> Result<(), Busy> {
        Store::submit(self, change, told)
    }
}

fn main() {
    let folder = std::env::var_os("STORE_BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds = std::env::var("STORE_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let folder = tempfile::tempdir_in(folder).expect("a folder to measure in");
    let mut results: [Results; 3] = Default::default();
    for round in 0..ROUNDS {
        for (form, result) in results.iter_mut().enumerate() {
            let place = folder.path().join(format!("{round}-{form}"));
            // The disk's own pace just then: without it the columns of a shared machine cannot be compared.
            result.note("floor just before: 4 KiB append + fdatasync, p50".to_owned(), "ms", floor(folder.path()));
            match form {
                0 => {
                    let store = Store::open(&place, StoreOptions::default()).expect("opens");
                    measure(&store, result, seconds);
                    store.close();
                }
                1 => measure(&Plain::open(&place, plain::Repair::Quick), result, seconds),
                _ => measure(&Plain::open(&place, plain::Repair::Full), result, seconds),
            }
            std::fs::remove_dir_all(&place).expect("removes what it made");
        }
    }
    let names = ["journal file, redb behind it", "plain redb, quick repair", "plain redb, full repair"];
    println!("\n| what (medians over {ROUNDS} rounds) | {} |\n| --- | --- | --- | --- |", names.join(" | "));
    for line in 0..results[0].lines.len() {
        let cells: Vec<String> = results.iter().map(|result| result.cell(line)).collect();
        println!("| {} | {} |", results[0].lines[line].0, cells.join(" | "));
    }
}

/// What was measured of one form: a name, a unit, and one value a round.
#[derive(Default)]
struct Results {
    lines: Vec<(String, &'static str, Vec<f64>)>,
}

impl Results {
    fn note(&mut self, name: String, unit: &'static str, value: f64) {
        match self.lines.iter_mut().find(|(known, _, _)| *known == name) {
            Some((_, _, values)) => values.push(value),
            None => self.lines.push((name, unit, vec![value])),
        }
    }

    fn cell(&self, line: usize) -> String {
        let (_, unit, values) = &self.lines[line];
        let mut values = values.clone();
        values.sort_by(f64::total_cmp);
        format!("{:.3} {unit}", values[values.len() / 2])
    }
}

fn measure(form: &impl Form, results: &mut Results, seconds: u64) {
    let mut number = 0;
    for batch in BATCHES {
        let mut took: Vec<Duration> = vec![];
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(1) {
            took.push(burst(form, batch, &mut number));
        }
        results.note(format!("{batch} at once, all durable, p50"), "ms", percentile(&mut took, 50.0));
        results.note(format!("{batch} at once, all durable, p99"), "ms", percentile(&mut took, 99.0));
    }
    for rate in [100, 2_000] {
        let mut took = paced(form, rate, seconds, &mut number);
        for share in [50.0, 99.0, 99.9] {
            results.note(format!("{rate}/s, submit to told, p{share}"), "ms", percentile(&mut took, share));
        }
    }
    results.note("sustained".to_owned(), "/s", sustained(form, Duration::from_secs(seconds), &mut number));
}

/// Submits `batch` changes at once and waits until all are durable.
fn burst(form: &impl Form, batch: u64, number: &mut u64) -> Duration {
    let changes: Vec<Change> = (0..batch).map(|_| next(number)).collect();
    let (tell, told) = mpsc::channel();
    let began = Instant::now();
    for change in changes {
        let tell = tell.clone();
        form.submit(change, Box::new(move |outcome| tell.send(outcome).expect("heard"))).expect("room");
    }
    for _ in 0..batch {
        assert!(matches!(told.recv(), Ok(Told::Durable { .. })), "taken");
    }
    began.elapsed()
}

/// Submits at a steady rate, whatever the store does, and returns how long each took.
fn paced(form: &impl Form, rate: u64, seconds: u64, number: &mut u64) -> Vec<Duration> {
    let (tell, told) = mpsc::channel();
    let began = Instant::now();
    for index in 0..rate * seconds {
        let due =
            began + Duration::from_secs(1) * u32::try_from(index).expect("small") / u32::try_from(rate).expect("small");
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let (tell, change) = (tell.clone(), next(number));
        let submitted = Instant::now();
        let heard = move |_| tell.send(submitted.elapsed()).expect("heard");
        form.submit(change, Box::new(heard)).expect("room");
    }
    drop(tell);
    told.iter().collect()
}

/// Keeps the queue filled and counts what became durable.
fn sustained(form: &impl Form, time: Duration, number: &mut u64) -> f64 {
    const OUTSTANDING: u64 = 2_048;
    let (tell, told) = mpsc::channel();
    let (mut waiting, mut durable) = (0u64, 0u32);
    let began = Instant::now();
    while began.elapsed() < time {
        while waiting < OUTSTANDING {
            let tell = tell.clone();
            form.submit(next(number), Box::new(move |_| tell.send(()).expect("heard"))).expect("room");
            waiting += 1;
        }
        told.recv().expect("told");
        let heard = 1 + u32::try_from(told.try_iter().count()).expect("small");
        waiting -= u64::from(heard);
        durable += heard;
    }
    let rate = f64::from(durable) / began.elapsed().as_secs_f64();
    (0..waiting).for_each(|_| told.recv().expect("told"));
    rate
}

fn next(number: &mut u64) -> Change {
    *number += 1;
    passage(*number)
}

fn percentile(took: &mut [Duration], share: f64) -> f64 {
    took.sort_unstable();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let index = ((took.len() as f64 * share / 100.0) as usize).min(took.len() - 1);
    took[index].as_secs_f64() * 1_000.0
}

fn floor(folder: &Path) -> f64 {
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(true).write(true).open(folder.join("floor")).expect("a file");
    let mut took = vec![];
    for index in 0..500u64 {
        let began = Instant::now();
        file.write_all_at(&[1; 4096], index * 4096).expect("written");
        file.sync_data().expect("synced");
        took.push(began.elapsed());
    }
    percentile(&mut took, 50.0)
}
