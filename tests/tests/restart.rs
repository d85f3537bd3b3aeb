//! Asserts that the box may be killed at any moment. The story that it tells is the one every box in a guard-house will
//! live through: cars are driving at all lanes, somebody pulls the plug, and when the light is back each car that was
//! let in has its decision on record, each opening its cause, and no car two stays.
//!
//! `TOLLHOUSE_KILLS` says how often; `tests/run kill --times 200` is the long run.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;
use tollhouse_tests::{
    Answer, Entry, Exit, Gathered, Http, Journal, PATIENCE, Site, TestDevice, TheBox, UpTime, eventually, plate_number,
};

/// Kills in an ordinary run.
const KILLS: usize = 30;
/// Lanes under load.
const LANES: usize = 8;
/// Exits under load, whose cars owe something.
const EXITS: usize = 3;
/// Cars that wait inside for each exit and each kill: more than an exit lets out between two kills.
const CARS_A_KILL: usize = 12;
/// So many of them come in before the test waits for the lane.
const CARS_AT_A_TIME: usize = 240;
/// Since when they are inside.
const INSIDE_FOR: Duration = Duration::from_secs(110 * 60);
/// The latest moment of a kill after the box was ready; the earliest is at once.
const LATEST_KILL_MS: u64 = 400;
/// A car that the box forgot would wait for ever; one that waits for a restart does not wait so long. What counts is the
/// time that the box is up.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// Between two looks at whether a car still has patience.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How often a camera reads a car again that stands there since a long absence of the box.
const READ_AGAIN_EVERY: Duration = Duration::from_secs(2);

/// What all lanes share with the one who kills.
#[derive(Default)]
struct Watch {
    /// No further car is to come.
    stop: AtomicBool,
    /// Cars that came in.
    driven: AtomicUsize,
    up_time: UpTime,
}

impl Watch {
    /// A car has been read, and waits.
    fn waits(&self) -> Waiting<'_> {
        let until = self.up_time.until(Instant::now()) + LONGEST_WAIT;
        Waiting { watch: self, until, absences: self.up_time.long_absences(), read_at: Instant::now() }
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

/// One car that waits for its opening.
struct Waiting<'a> {
    watch: &'a Watch,
    /// On the box's own clock.
    until: Duration,
    absences: usize,
    read_at: Instant,
}

impl Waiting<'_> {
    fn is_over(&self) -> bool {
        self.watch.up_time.until(Instant::now()) >= self.until
    }

    /// After a long absence of the box, and only then, the camera reads the car again, as every camera does all the time.
    fn read_again(&mut self, camera: &TestDevice, plate: &str) {
        if self.watch.up_time.long_absences() == self.absences || self.read_at.elapsed() < READ_AGAIN_EVERY {
            return;
        }
        self.read_at = Instant::now();
        camera.publish(&camera.plate(plate));
    }
}

/// Cars that drive through one entry until they are told to stop. Each waits for its own opening, through every restart.
fn drive(lane: &Entry, number: usize, watch: &Watch) -> Vec<String> {
    let _ending = Ending { watch, when: When::Panicking };
    let mut events = Vec::new();
    for car in 0.. {
        if watch.stops() {
            break;
        }
        let before = lane.openings();
        let plate = plate_number(number * 50_000 + car);
        let event = lane.camera.plate(&plate);
        lane.camera.publish(&event);
        let mut waiting = watch.waits();
        let opened = loop {
            if let Some(opened) = lane.barrier.command("open", before, LOOK_AGAIN) {
                break opened;
            }
            assert!(!waiting.is_over(), "no opening for {} although the box came back", event.event_id);
            waiting.read_again(&lane.camera, &plate);
        };
        assert!(lane.barrier.has_answered(&opened, PATIENCE), "the broker is there all the time");
        lane.camera.publish(&lane.camera.passed());
        events.push(event.event_id);
        watch.driven.fetch_add(1, Ordering::Relaxed);
    }
    events
}

/// Cars that owe something leave through one exit, each paying for itself, through every restart.
fn leave(lane: &Exit, number: usize, http: &Http, plates: &[String], watch: &Watch) -> Vec<String> {
    let _ending = Ending { watch, when: When::Panicking };
    let mut events = Vec::new();
    for plate in plates {
        if watch.stops() {
            break;
        }
        let before = lane.openings();
        let event = lane.camera.plate(plate);
        lane.camera.publish(&event);
        let mut waiting = watch.waits();
        let opened = loop {
            let paid = pay_what_is_due(http, number, plate);
            if let Some(opened) = lane.barrier.command("open", before, Duration::from_millis(10)) {
                break opened;
            }
            assert!(!waiting.is_over(), "no opening for {plate} although it pays; its last try: {paid:?}");
            waiting.read_again(&lane.camera, plate);
        };
        assert!(lane.barrier.has_answered(&opened, PATIENCE), "the broker is there all the time");
        lane.camera.publish(&lane.camera.passed());
        events.push(event.event_id);
    }
    events
}

/// One try of a driver's phone; what did not go on, if it did not. The box may be down at any step; an order may have
/// been paid by an earlier try.
fn pay_what_is_due(http: &Http, lane: usize, plate: &str) -> Result<(), String> {
    let done = |asked: Result<Answer, _>| match asked {
        Ok(answer) if answer.status < 300 => Ok(answer),
        Ok(answer) => Err(format!("{answer:?}")),
        Err(fault) => Err(format!("{fault:?}")),
    };
    let bill = done(http.try_get(&format!("/api/v1/pay/lanes/out-{lane}")))?.json();
    if bill["plate"] != plate || bill["state"] != "due" {
        return Err(format!("the page shows {bill}"));
    }
    let bill_id = bill["bill_id"].as_str().expect("a bill has an id");
    let orders = format!("/api/v1/pay/bills/{bill_id}/orders");
    let order = done(http.try_post(&orders, plate_key(bill_id).as_str(), &json!({"provider": "sandbox"})))?;
    let order_id = order.field("order_id");
    done(http.try_post(&format!("/sandbox/orders/{order_id}/pay"), &order_id, &json!({}))).map(|_| ())
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
    let watch = Watch::default();
    watch.up_time.began(Instant::now());
    let nothing_comes: Gathered<()> = Gathered::default();

    let events: Vec<String> = std::thread::scope(|scope| {
        let watch = &watch;
        let driving: Vec<_> =
            (0..).zip(&lanes).map(|(number, lane)| scope.spawn(move || drive(lane, number, watch))).collect();
        let leaving: Vec<_> = (1..)
            .zip(exits.iter().zip(&inside))
            .map(|(number, (exit, plates))| {
                let http = &http;
                scope.spawn(move || leave(exit, number, http, plates, watch))
            })
            .collect();
        // Whatever becomes of this thread, the cars are told to stop.
        let ending = Ending { watch, when: When::Always };
        for kill in 1..=kills {
            // The moment itself: nothing is awaited but time.
            nothing_comes.wait(Duration::from_millis(chance.below(LATEST_KILL_MS)), |_| None::<()>);
            kill_and_start_again(&mut site, watch, &format!("after kill {kill} of {kills}, seed {seed}"));
            if kill % 10 == 0 {
                println!("{kill} kills, {} cars", watch.driven.load(Ordering::Relaxed));
            }
            if watch.stops() {
                println!("a car waits in vain: no more kills after {kill}");
                break;
            }
        }
        let so_far = watch.driven.load(Ordering::Relaxed);
        eventually("cars to drive on after the last kill", LONGEST_WAIT, || {
            (watch.stops() || watch.driven.load(Ordering::Relaxed) > so_far + LANES).then_some(())
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

/// One kill, the proof that nothing was lost, and the next life. The cars' patience does not run meanwhile.
fn kill_and_start_again(site: &mut Site, watch: &Watch, when: &str) {
    site.the_box.kill();
    watch.up_time.ended(Instant::now());
    TheBox::verify(&site.data).unwrap_or_else(|fault| panic!("{when}: {fault}"));
    site.start_again();
    watch.up_time.began(Instant::now());
}

/// Cars that came in some time ago and owe something; the broker has their events, and the books have them.
fn come_in(lane: &Entry, exit: usize, cars: usize) -> Vec<String> {
    let plates: Vec<String> = (0..cars).map(|car| plate_number(500_000 + exit * 50_000 + car)).collect();
    // A long run needs thousands: so many at a time as a lane decides while somebody waits.
    for (number, plates) in plates.chunks(CARS_AT_A_TIME).enumerate() {
        for plate in plates {
            lane.camera.publish(&lane.camera.plate_captured(plate, INSIDE_FOR));
        }
        lane.another_car(&plate_number(700_000 + exit * 10_000 + number));
    }
    plates
}

/// When the end of a thread is the end of all.
#[derive(PartialEq, Eq)]
enum When {
    Always,
    Panicking,
}

struct Ending<'a> {
    watch: &'a Watch,
    when: When,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if self.when == When::Always || std::thread::panicking() {
            self.watch.stop.store(true, Ordering::Release);
        }
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
