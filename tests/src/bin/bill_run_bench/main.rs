//! The bill run of a large estate in a running box: how long, how much memory, how much disk, and what the lanes notice.
//! `tests/run bill-run-bench` builds and runs it; docs/benchmarks.md has the figures and the goals.
//!
//! This process is the load: cameras and barriers of all lanes, by the benchmark of the lanes.

#[path = "../lane_bench/load.rs"]
mod load;
#[path = "../lane_bench/wire.rs"]
mod wire;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tempfile::TempDir;
use tollhouse_tests::{Mosquitto, TheBox, configuration, eventually, large_estate};

use load::{EVENTS_A_CAR, GIVE_UP, Load};

const USAGE: &str = "bill_run_bench: the bill run of a large estate, and what the lanes notice of it

  --cards N   cards, each with one space and one bill a month (100000)
  --lanes N   entry lanes (64)
  --rate N    cars per second at them (100)
  --data DIR  where the box writes (a temporary folder): choose a disk, not a memory file system
";
/// As of which days it is run: the first month, and then the second while cars drive.
const RUNS: [&str; 2] = ["2026-01-10", "2026-02-10"];
/// Cars are let in for so long without a run.
const BEFORE: Duration = Duration::from_secs(10);

struct Settings {
    cards: u32,
    lanes: usize,
    rate: u32,
    place: Option<String>,
}

fn settings(mut arguments: impl Iterator<Item = String>) -> Result<Settings, String> {
    let mut settings = Settings { cards: 100_000, lanes: 64, rate: 100, place: None };
    while let Some(name) = arguments.next() {
        if matches!(name.as_str(), "--help" | "-h") {
            return Err(String::new());
        }
        let value = arguments.next().ok_or_else(|| format!("{name} wants a value\n"))?;
        let fault = |_| format!("{name} wants a number, not {value:?}\n");
        match name.as_str() {
            "--cards" => settings.cards = value.parse().map_err(fault)?,
            "--lanes" => settings.lanes = value.parse().map_err(fault)?,
            "--rate" => settings.rate = value.parse().map_err(fault)?,
            "--data" => settings.place = Some(value),
            _ => return Err(format!("{name} is unknown\n")),
        }
    }
    Ok(settings)
}

fn main() {
    let settings = match settings(std::env::args().skip(1)) {
        Ok(settings) => settings,
        Err(fault) => {
            eprint!("{fault}{USAGE}");
            std::process::exit(if fault.is_empty() { 0 } else { 2 });
        }
    };
    let folder = settings.place.as_ref().map_or_else(TempDir::new, TempDir::new_in).expect("a folder to write in");
    let data = folder.path().join("data");
    let began = Instant::now();
    large_estate::make(&data, settings.cards);
    println!("{} cards made in {:.1} s, {}", settings.cards, began.elapsed().as_secs_f64(), mebibytes(&data));
    let broker = Mosquitto::start();
    let address = broker.address();
    let config = |http| format!("{}\n[bills]\nrun = \"off\"\n", configuration(http, address, &data, settings.lanes));
    let mut the_box = TheBox::run(folder.path(), config);
    let mut load = Load::connect(address, settings.lanes);
    eventually("all devices to be there", GIVE_UP, || {
        let report = the_box.http.get("/readyz").json();
        let absent = report["degraded"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
        (!absent.into_iter().any(|device| device.contains("-in-"))).then_some(())
    });
    println!("{} events of devices for each car; memory of the box before: {}", EVENTS_A_CAR, memory(&the_box));
    let quiet = load.drive(settings.rate, BEFORE);
    println!("{:.0} cars a second are let in", quiet.per_second);
    row("lanes without a run", &quiet.latency);
    run(&data, RUNS[0], &the_box);
    let over = Arc::new(AtomicBool::new(false));
    let (told, place) = (Arc::clone(&over), data.clone());
    let process = the_box.process_id();
    let running = std::thread::spawn(move || {
        let took = drawn(&place, RUNS[1]);
        told.store(true, Ordering::Release);
        took
    });
    let (mut during, mut cars) = (load::durations(), 0);
    while !over.load(Ordering::Acquire) {
        let step = load.drive(settings.rate, Duration::from_secs(1));
        during.add(&step.latency).expect("histograms of one shape");
        cars += step.cars;
    }
    let took = running.join().expect("the run ends");
    row("lanes during a run", &during);
    println!(
        "a run while {cars} cars drive in: {:.2} s; memory of the box at most {}",
        took.as_secs_f64(),
        peak(process)
    );
    let (status, _) = the_box.terminate();
    println!("the box ended with {status}; {}", mebibytes(&data));
    match TheBox::verify(&data) {
        Ok(()) => println!("verify: its books are true"),
        Err(fault) => {
            println!("verify: {fault}");
            std::process::exit(1);
        }
    }
}

/// One run with nothing else to do, and what it costs.
fn run(data: &Path, as_of: &str, the_box: &TheBox) {
    let before = bytes(data);
    let took = drawn(data, as_of);
    let grown = (bytes(data) - before) >> 20;
    println!(
        "a run alone: {:.2} s, {grown} MiB written to files, memory of the box at most {}",
        took.as_secs_f64(),
        peak(the_box.process_id())
    );
}

/// Asks the running box for a run, and says how long it took.
fn drawn(data: &Path, as_of: &str) -> Duration {
    let began = Instant::now();
    let output = TheBox::command(&["bill", "run", "--as-of", as_of, "--data", &data.display().to_string()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    print!("{}", String::from_utf8_lossy(&output.stdout));
    began.elapsed()
}

fn row(what: &str, latency: &Histogram<u64>) {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a run are far below 2^52")]
    let ms = |micros: u64| micros as f64 / 1000.0;
    let at = |quantile: f64| ms(latency.value_at_quantile(quantile));
    println!(
        "{what}: {} cars, ms from plate to opening: p50 {:.2}, p99 {:.2}, p99.9 {:.2}, max {:.2}",
        latency.len(),
        at(0.5),
        at(0.99),
        at(0.999),
        ms(latency.max())
    );
}

fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(
            |entry| {
                if entry.path().is_dir() { bytes(&entry.path()) } else { entry.metadata().map_or(0, |meta| meta.len()) }
            },
        )
        .sum()
}

fn mebibytes(folder: &Path) -> String {
    format!("{} MiB of files", bytes(folder) >> 20)
}

fn status_line(process: u32, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or(": unknown");
    let kib: u64 = line.trim_matches([':', '\t', ' ', 'k', 'B']).trim().parse().unwrap_or(0);
    format!("{} MiB", kib >> 10)
}

fn memory(the_box: &TheBox) -> String {
    status_line(the_box.process_id(), "VmRSS")
}

fn peak(process: u32) -> String {
    status_line(process, "VmHWM")
}
