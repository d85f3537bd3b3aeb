//! The benchmark: from the publish of a plate event to the arrival of the open command, over a real mosquitto on loopback,
//! with each decision durable before its command. `tests/run bench` builds and runs it.
//!
//! This process is the load: cameras and barriers of all lanes. Box and broker are processes of their own. The two floors
//! that no box can get under are measured in the same run, since machines and disks differ from hour to hour.

mod floor;
mod load;
mod processor;
mod wire;

use std::time::Duration;

use hdrhistogram::Histogram;
use tempfile::TempDir;
use tollhouse_tests::{Mosquitto, TheBox, configuration, eventually};

use load::{EVENTS_A_CAR, GIVE_UP};
use processor::Processor;

const USAGE: &str = "lane_bench: plate event to open command, over a real mosquitto

  --lanes N       entry lanes (256)
  --seconds N     length of each step (8), longer where fewer than 300 cars would come: a percentile wants a crowd
  --rates A,B,..  cars per second of each step (5,100,500,1000,2000,4000,8000,12000,16000,20000,24000);
                  the run ends with the first step that is not kept up with
  --durable-broker  the broker writes out all that it holds after each change, as on an installed box
  --data DIR      where box and floor write (a temporary folder): choose a disk, not a memory file system
";

/// So many cars at least make a step: the third slowest of them is its p99.
const FEWEST_CARS: u64 = 300;
/// A step counts as kept up with when so much of what was asked was done in its time.
const KEPT_UP: f64 = 0.97;

struct Settings {
    lanes: usize,
    seconds: u64,
    rates: Vec<u32>,
    place: Option<String>,
    durable_broker: bool,
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
    let broker = if settings.durable_broker { Mosquitto::start_durable() } else { Mosquitto::start() };
    println!("{} cores, {} lanes, {} s a step", cores(), settings.lanes, settings.seconds);
    println!("events: plate, answer of the barrier, passing; each durable before anything follows from it");
    println!("box, broker, load: microseconds of one core for a car");
    print!("{:<34}{:>10}{:>10}{:>10}{:>10}{:>10}", "", "done/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms");
    println!("{:>10}{:>8}{:>8}{:>8}", "events/s", "box", "broker", "load");
    let (appends, per_second) = floor::append_and_sync(folder.path());
    row("floor: 4 KiB append + fdatasync", per_second, &appends);
    println!();
    for rate in [5, 100] {
        let (trips, per_second) =
            floor::broker_round_trip(broker.address(), rate, Duration::from_secs(settings.seconds));
        row(&format!("floor: broker round trip, {rate}/s"), per_second, &trips);
        println!();
    }
    let data = folder.path().join("data");
    let mut the_box = TheBox::run(folder.path(), |http| configuration(http, broker.address(), &data, settings.lanes));
    let mut load = load::Load::connect(broker.address(), settings.lanes);
    // The devices' sign-ins are work too: the first car must not wait behind five hundred of them.
    eventually("all devices to be there", GIVE_UP, || {
        let report = the_box.http.get("/readyz").json();
        let absent = report["degraded"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
        (!absent.into_iter().any(|device| device.contains("-in-"))).then_some(())
    });
    let processor = Processor::of([the_box.process_id(), broker.process_id(), std::process::id()]);
    let mut best = 0.0_f64;
    for rate in settings.rates {
        let before = processor.used();
        let step = load.drive(rate, Duration::from_secs(settings.seconds.max(FEWEST_CARS.div_ceil(u64::from(rate)))));
        row(&format!("lanes: {rate} cars/s"), step.per_second, &step.latency);
        processor.row_since(&before, step.per_second, step.cars);
        best = best.max(step.per_second);
        if step.per_second < f64::from(rate) * KEPT_UP {
            println!("{rate} cars/s are not kept up with");
            break;
        }
    }
    println!("most: {best:.0} cars/s, {:.0} events/s", best * EVENTS_A_CAR);
    let (status, took) = the_box.terminate();
    println!("the box ended with {status} after {:.1} s", took.as_secs_f64());
    match TheBox::verify(&data) {
        Ok(()) => println!("verify: its books are true"),
        Err(fault) => {
            println!("verify: {fault}");
            std::process::exit(1);
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Latencies are recorded in microseconds.
fn row(what: &str, per_second: f64, latency: &Histogram<u64>) {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a run are far below 2^52")]
    let ms = |micros: u64| micros as f64 / 1000.0;
    let at = |quantile: f64| ms(latency.value_at_quantile(quantile));
    let (p50, p99, p999, max) = (at(0.5), at(0.99), at(0.999), ms(latency.max()));
    print!("{what:<34}{per_second:>10.0}{p50:>10.2}{p99:>10.2}{p999:>10.2}{max:>10.2}");
}

fn settings(mut arguments: impl Iterator<Item = String>) -> Result<Settings, String> {
    let rates = vec![5, 100, 500, 1000, 2000, 4000, 8000, 12_000, 16_000, 20_000, 24_000];
    let mut settings = Settings { lanes: 256, seconds: 8, rates, place: None, durable_broker: false };
    while let Some(name) = arguments.next() {
        if matches!(name.as_str(), "--help" | "-h") {
            return Err(String::new());
        }
        if name == "--durable-broker" {
            settings.durable_broker = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{name} wants a value\n"))?;
        let fault = |_| format!("{name} wants a number, not {value:?}\n");
        match name.as_str() {
            "--lanes" => settings.lanes = value.parse().map_err(fault)?,
            "--seconds" => settings.seconds = value.parse().map_err(fault)?,
            "--rates" => settings.rates = value.split(',').map(str::parse).collect::<Result<_, _>>().map_err(fault)?,
            "--data" => settings.place = Some(value),
            _ => return Err(format!("{name} is unknown\n")),
        }
    }
    if settings.lanes == 0 || settings.seconds == 0 || settings.rates.contains(&0) {
        return Err("lanes, seconds and rates are above 0\n".to_owned());
    }
    Ok(settings)
}
