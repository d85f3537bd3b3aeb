//! Asserts that the box may be killed at any moment. The story that it tells is the one every box in a guard-house will
//! live through: cars are driving at all lanes, somebody pulls the plug, and when the light is back each car that was
//! let in has its decision on record, each opening its cause, and no car two stays.
//!
//! `TOLLHOUSE_KILLS` says how often; `tests/run kill --times 200` is the long run.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tollhouse_tests::{Entry, Gathered, Journal, PATIENCE, Site, TheBox, eventually, plate_number};

/// Kills in an ordinary run.
const KILLS: usize = 30;
/// Lanes under load.
const LANES: usize = 8;
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
        driving.into_iter().flat_map(|lane| lane.join().expect("a lane's cars all came in")).collect()
    });
    site.end_and_verify();
    compare(&Journal::read(&site.data), &lanes, &events);
}

struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The wire against the journal.
fn compare(journal: &Journal, lanes: &[Entry], events: &[String]) {
    let mut openings = 0;
    for lane in lanes {
        for command in lane.barrier.commands("open") {
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
    assert!(journal.stays.len() >= events.len() && openings >= events.len(), "each car has a stay and an opening");
    println!("{} cars, {openings} openings, {} journal entries", events.len(), journal.entries);
}
