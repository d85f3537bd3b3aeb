//! Chance from a seed (splitmix64): the same seed, the same story. It knows nothing of what it decides about.

use chrono::TimeDelta;

/// A seeded source of chance.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end as u64)).expect("below a usize")
    }

    /// Whether something with this chance in a thousand happens.
    pub(crate) fn happens(&mut self, permille: u64) -> bool {
        self.next() % 1_000 < permille
    }

    /// A time between the two, in milliseconds, both included.
    pub(crate) fn ms(&mut self, from: i64, to: i64) -> TimeDelta {
        let span = u64::try_from(to - from + 1).expect("from is before to");
        TimeDelta::milliseconds(from + i64::try_from(self.next() % span).expect("a span of milliseconds"))
    }
}
