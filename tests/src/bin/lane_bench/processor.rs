//! Owns how much of the processor each process of the benchmark has used, as Linux counts it. On a machine that is shared, this
//! says more of the box than how many cars it took in an hour when others were at work. It must not know what they do.

use std::fs;

use crate::load::EVENTS_A_CAR;

/// Linux counts in hundredths of a second (`USER_HZ`), whatever its own clock does.
const TICKS_A_SECOND: f64 = 100.0;
/// User and system time are the 14th and 15th field of `/proc/PID/stat` (proc_pid_stat(5)); the first two are before these.
const USER_AFTER_NAME: usize = 11;

/// The processes that are watched: box, broker and load.
pub(crate) struct Processor {
    processes: [u32; 3],
}

impl Processor {
    pub(crate) fn of(processes: [u32; 3]) -> Self {
        Self { processes }
    }

    /// Ticks that each has used since it began.
    pub(crate) fn used(&self) -> [u64; 3] {
        self.processes.map(ticks)
    }

    /// The end of a step's row: events a second, and microseconds of a core that a car took of each process.
    pub(crate) fn row_since(&self, before: &[u64; 3], cars_a_second: f64, cars: u64) {
        let now = self.used();
        #[expect(clippy::cast_precision_loss, reason = "ticks and cars of a run are far below 2^52")]
        let micros =
            |place: usize| (now[place] - before[place]) as f64 / TICKS_A_SECOND * 1_000_000.0 / cars.max(1) as f64;
        let events = cars_a_second * EVENTS_A_CAR;
        println!("{events:>10.0}{:>8.0}{:>8.0}{:>8.0}", micros(0), micros(1), micros(2));
    }
}

fn ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("a process that runs has a stat file");
    // The name stands in brackets and may hold blanks.
    let (_, after) = stat.rsplit_once(") ").expect("the name is in brackets");
    after.split(' ').skip(USER_AFTER_NAME).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}
