//! What only the whole tariff shows: time that nothing prices, rates and schemes of which neither goes before the other,
//! what can never be taken, what contradicts itself.
//!
//! Refuses, and does not warn: warnings are the linter's, and the examples are the engine's. It must not know how a file
//! is written; it tells faults by the lines that the values keep.

mod days;
mod limits;
mod rates;
mod schemes;

use super::model::TariffFile;
use super::parse::Faults;

/// How many combinations of day, time, vehicle and area are looked at before a tariff is refused as too intricate. The
/// worst shipped tariff needs a thousandth.
const MOST_WORK: u64 = 10_000_000;

/// Tells everything that the whole tariff shows to be wrong.
pub(super) fn whole(tariff: &TariffFile, faults: &Faults<'_>) {
    limits::check(tariff, faults);
    schemes::check(tariff, faults);
    for scheme in &tariff.schemes {
        rates::check(tariff, scheme, faults);
    }
}

/// What is left of the work that one check may do.
struct Budget(u64);

impl Budget {
    fn new() -> Self {
        Self(MOST_WORK)
    }

    /// Whether there is enough left; it is used up.
    fn spend(&mut self, work: usize) -> bool {
        let work = u64::try_from(work).unwrap_or(u64::MAX);
        let enough = self.0 >= work;
        self.0 = self.0.saturating_sub(work);
        enough
    }
}

/// How specific something is, selector by selector; 0 is 'any'.
type Levels<const N: usize> = [u8; N];

/// Whether one goes before another: nowhere less specific, and somewhere more.
fn beats<const N: usize>(one: &Levels<N>, other: &Levels<N>) -> bool {
    one != other && one.iter().zip(other).all(|(a, b)| a >= b)
}

/// Times of day at which an answer may change, from midnight, with the ends of the stretches between them.
fn stretches(marks: impl Iterator<Item = u32>) -> Vec<(u32, u32)> {
    let mut marks: Vec<u32> = marks.map(|mark| mark % 86_400).chain([0]).collect();
    marks.sort_unstable();
    marks.dedup();
    let ends = marks.iter().copied().skip(1).chain([86_400]);
    marks.iter().copied().zip(ends).collect()
}

/// 07:00, or 07:00:30.
fn clock(second: u32) -> String {
    let shown = format!("{:02}:{:02}", second / 3_600 % 24, second / 60 % 60);
    if second.is_multiple_of(60) { shown } else { format!("{shown}:{:02}", second % 60) }
}
