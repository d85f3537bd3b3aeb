//! Asserts that the box may be killed at any moment. The story that it tells is the one every box in a guard-house will
//! live through: cars are driving at all lanes, somebody pulls the plug, and when the light is back each car that was
//! let in has its decision on record, each opening its cause, and no car two stays.
//!
//! `TOLLHOUSE_KILLS` says how often; `tests/run kill --times 200` is the long run.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;
use tollhouse_tests::{
    Entry, Exit, Gathered, Http, Journal, PATIENCE, Site, TestDevice, TheBox, eventually, plate_number,
};

/// Kills in an ordinary run.
const KILLS: usize = 30;
/// Lanes under load.
const LANES: usize = 8;
/// Exits under load, whose cars owe something.
const EXITS: usize = 3;
/// Cars that wait inside for each exit and each kill: more than an exit lets out between two kills.
const CARS_A_KILL: usize = 12;
/// Since when they are inside.
const INSIDE_FOR: Duration = Duration::from_secs(110 * 60);
/// The latest moment of a kill after the box was ready; the earliest is at once.
const LATEST_KILL_MS: u64 = 400;
/// A car that the box forgot would wait for ever; one that waits for a restart does not wait so long.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Cars that drive through one entry until they are told to stop. Each waits for its own opening, through every restart.
fn drive(lane: &Entry, number: usize, stop: &AtomicBool, driven: &AtomicUsize) -> Vec<String> {
    let mut events = Vec::new();
    for car in 0.. {
        if stop.load(Ordering::Acquire) {
            break;
        }
        let before = lane.openings();
        let event = lane.camera.plate(&plate_number(number * 50_000 + car));
        lane.camera.publish(&event);
        let opened = lane.barrier.command("open", before, LONGEST_WAIT);
        let opened = opened.unwrap_or_else(|| panic!("no opening for {} although the box came back", event.event_id));
        assert!(lane.barrier.has_answered(&opened, PATIENCE), "the broker is there all the time");
        lane.camera.publish(&lane.camera.passed());
        events.push(event.event_id);
        driven.fetch_add(1, Ordering::Relaxed);
    }
    events
}

/// Cars that owe something leave through one exit, each paying for itself, through every restart.
fn leave(lane: &Exit, number: usize, http: &Http, plates: &[String], stop: &AtomicBool) -> Vec<String> {
    let mut events = Vec::new();
    for plate in plates {
        if stop.load(Ordering::Acquire) {
            break;
        }
        let before = lane.openings();
        let event = lane.camera.plate(plate);
        lane.camera.publish(&event);
        let deadline = Instant::now() + LONGEST_WAIT;
        let opened = loop {
            pay_what_is_due(http, number, plate);
            if let Some(opened) = lane.barrier.command("open", before, Duration::from_millis(10)) {
                break opened;
            }
            assert!(Instant::now() < deadline, "no opening for {plate} although it pays");
        };
        assert!(lane.barrier.has_answered(&opened, PATIENCE), "the broker is there all the time");
        lane.camera.publish(&lane.camera.passed());
        events.push(event.event_id);
    }
    events
}

/// One try of a driver's phone. The box may be down at any step; an order may have been paid by an earlier try.
fn pay_what_is_due(http: &Http, lane: usize, plate: &str) -> Option<()> {
    let shown = http.try_get(&format!("/api/v1/pay/lanes/out-{lane}")).ok().filter(|answer| answer.status == 200)?;
    let bill = shown.json();
    if bill["plate"] != plate || bill["state"] != "due" {
        return None;
    }
    let bill_id = bill["bill_id"].as_str().expect("a bill has an id");
    let orders = format!("/api/v1/pay/bills/{bill_id}/orders");
    let order = http.try_post(&orders, plate_key(bill_id).as_str(), &json!({"provider": "sandbox"})).ok()?;
    let order_id = Some(order.status).filter(|status| *status < 300).map(|_| order.field("order_id"))?;
    http.try_post(&format!("/sandbox/orders/{order_id}/pay"), &order_id, &json!({})).ok().map(|_| ())
}

/// One key for a bill: a try that is repeated gives the same order.
fn plate_key(bill_id: &str) -> String {
    format!("bill-{bill_id}")
}

/// Numbers that look like chance, all from one seed that a failure can be repeated with.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

#[test]
fn a_box_that_is_killed_at_any_moment_loses_nothing_and_does_nothing_twice() {
    let kills = number_from("TOLLHOUSE_KILLS").map_or(KILLS, |kills| usize::try_from(kills).expect("a small number"));
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").subsec_nanos();
    let seed = number_from("TOLLHOUSE_SEED").unwrap_or(u64::from(clock) | 1);
    println!("seed {seed}: TOLLHOUSE_SEED={seed} kills at the same moments");
    let mut chance = Chance(seed);
    let mut site = Site::installed(LANES);
    let lanes: Vec<Entry> = (1..=LANES).map(|number| Entry::connect(site.broker, number)).collect();
    let exits: Vec<Exit> = (1..=EXITS).map(|number| Exit::connect(site.broker, number)).collect();
    let inside: Vec<Vec<String>> = (0..EXITS).map(|exit| come_in(&lanes[exit], exit, kills * CARS_A_KILL)).collect();
    let http = site.http().clone();
    let (stop, driven) = (AtomicBool::new(false), AtomicUsize::new(0));
    let nothing_comes: Gathered<()> = Gathered::default();

    let events: Vec<String> = std::thread::scope(|scope| {
        let driving: Vec<_> = (0..)
            .zip(&lanes)
            .map(|(number, lane)| {
                scope.spawn({
                    let (stop, driven) = (&stop, &driven);
                    move || drive(lane, number, stop, driven)
                })
            })
            .collect();
        let leaving: Vec<_> = (1..)
            .zip(exits.iter().zip(&inside))
            .map(|(number, (exit, plates))| {
                let (stop, http) = (&stop, &http);
                scope.spawn(move || leave(exit, number, http, plates, stop))
            })
            .collect();
        // Whatever becomes of this thread, the cars are told to stop.
        let ending = Ending(&stop);
        for kill in 1..=kills {
            // The moment itself: nothing is awaited but time.
            nothing_comes.wait(Duration::from_millis(chance.below(LATEST_KILL_MS)), |_| None::<()>);
            site.the_box.kill();
            TheBox::verify(&site.data)
                .unwrap_or_else(|fault| panic!("after kill {kill} of {kills}, seed {seed}: {fault}"));
            site.start_again();
            if kill % 10 == 0 {
                println!("{kill} kills, {} cars", driven.load(Ordering::Relaxed));
            }
        }
        let so_far = driven.load(Ordering::Relaxed);
        eventually("cars to drive on after the last kill", LONGEST_WAIT, || {
            (driven.load(Ordering::Relaxed) > so_far + LANES).then_some(())
        });
        drop(ending);
        let left: Vec<String> = leaving.into_iter().flat_map(|lane| lane.join().expect("all who paid left")).collect();
        println!("{} cars paid and left", left.len());
        assert!(left.len() >= kills, "payments were under way at the kills: {} cars", left.len());
        let came = driving.into_iter().flat_map(|lane| lane.join().expect("a lane's cars all came in"));
        came.chain(left).collect()
    });
    site.end_and_verify();
    let barriers = lanes.iter().map(|lane| &lane.barrier).chain(exits.iter().map(|lane| &lane.barrier));
    compare(&Journal::read(&site.data), barriers, &events);
}

/// Cars that came in some time ago and owe something; the broker has their events, and the books have them.
fn come_in(lane: &Entry, exit: usize, cars: usize) -> Vec<String> {
    let plates: Vec<String> = (0..cars).map(|car| plate_number(500_000 + exit * 50_000 + car)).collect();
    for plate in &plates {
        lane.camera.publish(&lane.camera.plate_captured(plate, INSIDE_FOR));
    }
    lane.another_car(&plate_number(700_000 + exit));
    plates
}

struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The wire against the journal.
fn compare<'a>(journal: &Journal, barriers: impl Iterator<Item = &'a TestDevice>, events: &[String]) {
    let mut openings = 0;
    for barrier in barriers {
        for command in barrier.commands("open") {
            assert!(journal.commands.contains(&command.cmd_id), "{} was commanded and never decided", command.cmd_id);
            openings += 1;
        }
    }
    for event in events {
        assert!(journal.events.contains(event), "{event} was acknowledged and is not in the journal");
    }
    for (plate, stays) in &journal.stays {
        assert_eq!(stays.len(), 1, "{plate} came in once and has the stays {stays:?}");
    }
    assert_eq!(journal.decided_twice, Vec::<String>::new(), "each event is decided once");
    assert!(!events.is_empty() && openings >= events.len(), "each car has an opening");
    println!("{} cars, {openings} openings, {} journal entries", events.len(), journal.entries);
}
