//! The list of plates (白名单) that a camera may let in by itself while the box is away, made from the gate passes.
//!
//! Owns what stands on the list, its revision and its parts, and in [`Push`] the way of one list to one camera. It knows
//! nothing of links, and decides about no car: at the lane the passes themselves do.

mod push;

pub use push::{Part, Push, Pushed, Said};

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::id::AreaId;
use crate::pass::{GatePass, Grants, OverduePolicy};
use crate::plate::Plate;

/// The most plates in one part, as the driver ABI says (`TOLLHOUSE_WHITELIST_MAX_PLATES`).
pub const PLATES_IN_A_PART: usize = 200;
/// So many hexadecimal digits name a revision.
const REVISION_DIGITS: usize = 16;

/// A plate on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub plate: Plate,
    /// From when on; always, when there is none.
    pub from: Option<DateTime<Utc>>,
    /// Until when, excluded; for ever, when there is none.
    pub until: Option<DateTime<Utc>>,
}

/// When a pass lets its car in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// From when on; always, when there is none.
    pub from: Option<DateTime<Utc>>,
    /// Until when, excluded; for ever, when there is none.
    pub until: Option<DateTime<Utc>>,
}

impl Admission {
    /// Whether it does at that moment.
    pub fn holds_at(&self, at: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// Never.
    const NEVER: Self = Self { from: None, until: Some(DateTime::<Utc>::MIN_UTC) };

    /// Whether it is the one to hold against another of the same plate: now rather than later, then the longer one.
    fn is_better_than(&self, other: &Self, now: DateTime<Utc>) -> bool {
        let rank =
            |of: &Self| (of.until.is_none_or(|until| now < until), of.holds_at(now), of.until.is_none(), of.until);
        rank(self) > rank(other)
    }
}

/// A list, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whitelist {
    revision: String,
    plates: Vec<Listed>,
    /// Passes that found no room on it.
    pub left_out: usize,
}

impl GatePass {
    /// From when until when a car may be let in on this pass alone, whatever happens to its bills meanwhile.
    pub fn admits(&self) -> Option<Admission> {
        let days = |count: u16| TimeDelta::days(i64::from(count));
        let (from, until) = match &self.grants {
            Grants::Blocked { .. } => return None,
            Grants::Free { until } => (None, *until),
            Grants::Owned { overdue: OverduePolicy::OpenAndWarn, .. } => (None, None),
            Grants::Owned { paid_until, grace_days, .. } => (None, Some(*paid_until + days(*grace_days))),
            Grants::Rented { from, until, grace_days, .. } => (Some(*from), Some(*until + days(*grace_days))),
        };
        Some(Admission { from, until })
    }

    fn covers(&self, area: &AreaId) -> bool {
        self.coverage.areas.is_empty() || self.coverage.areas.contains(area)
    }
}

impl Whitelist {
    /// The list for a lane of that area at `now`, of at most `room` plates: what is over is left out, and what ends or
    /// begins latest gives way when there are more.
    pub fn of(passes: impl IntoIterator<Item = GatePass>, area: &AreaId, now: DateTime<Utc>, room: usize) -> Self {
        let mut of_plates: BTreeMap<Plate, Option<Admission>> = BTreeMap::new();
        for pass in passes {
            let covers = pass.covers(area);
            let admits = pass.admits();
            let held = of_plates.entry(pass.plate).or_insert(Some(Admission::NEVER));
            match (admits, held.as_mut()) {
                // On the block list: no card lets it in.
                (None, _) => *held = None,
                (Some(admission), Some(best)) if covers && admission.is_better_than(best, now) => *best = admission,
                _ => {}
            }
        }
        let listed = |(plate, admission): (Plate, Option<Admission>)| {
            let Admission { from, until } = admission?;
            until.is_none_or(|end| end > now).then_some(Listed { plate, from, until })
        };
        let mut plates: Vec<Listed> = of_plates.into_iter().filter_map(listed).collect();
        // Who may come now goes before who may come later.
        plates.sort_by(|a, b| {
            (a.from.filter(|from| *from > now), &a.plate).cmp(&(b.from.filter(|from| *from > now), &b.plate))
        });
        let left_out = plates.len().saturating_sub(room);
        plates.truncate(room);
        plates.sort_by(|a, b| a.plate.cmp(&b.plate));
        Self { revision: revision(&plates), plates, left_out }
    }

    /// The same for the same content: what a camera holds is known by it.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// How many plates stand on it.
    pub fn len(&self) -> usize {
        self.plates.len()
    }

    /// Whether nobody stands on it.
    pub fn is_empty(&self) -> bool {
        self.plates.is_empty()
    }

    /// In how many parts it goes out; an empty list is one part too, which empties the camera's.
    pub fn parts(&self) -> usize {
        self.plates.len().div_ceil(PLATES_IN_A_PART).max(1)
    }

    /// The arguments of the command that carries this part, from 1.
    pub fn part(&self, number: usize) -> Value {
        let first = number.saturating_sub(1).saturating_mul(PLATES_IN_A_PART).min(self.plates.len());
        let some = &self.plates[first..(first + PLATES_IN_A_PART).min(self.plates.len())];
        let plates: Vec<Value> = some.iter().map(Listed::json).collect();
        json!({"revision": self.revision, "part": number, "parts": self.parts(), "plates": plates})
    }

    /// When the first of them ends: the list is another one from then on.
    pub fn ends_first(&self) -> Option<DateTime<Utc>> {
        self.plates.iter().filter_map(|listed| listed.until).min()
    }
}

impl Listed {
    fn json(&self) -> Value {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut json = json!({"plate": self.plate.as_str()});
        if let Some(from) = self.from {
            json["from"] = time(from).into();
        }
        if let Some(until) = self.until {
            json["until"] = time(until).into();
        }
        json
    }
}

fn revision(plates: &[Listed]) -> String {
    let mut hash = Sha256::new();
    for listed in plates {
        hash.update(listed.json().to_string());
        hash.update(b"\n");
    }
    let mut digits = String::new();
    for byte in hash.finalize().iter().take(REVISION_DIGITS / 2) {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(number)
    }

    fn pass(plate: &str, grants: Grants) -> GatePass {
        GatePass::new(Plate::new(plate).expect("a plate"), grants)
    }

    fn owned(plate: &str, overdue: OverduePolicy) -> GatePass {
        pass(plate, Grants::Owned { card: "C".into(), paid_until: day(10), grace_days: 5, overdue })
    }

    fn area(name: &str) -> AreaId {
        AreaId::new(name).expect("a name")
    }

    fn plates(list: &Whitelist) -> Vec<String> {
        list.plates.iter().map(|listed| listed.plate.to_string()).collect()
    }

    #[test]
    fn who_may_come_in_stands_on_it_and_who_may_not_does_not() {
        let mut elsewhere = pass("京A00001", Grants::Free { until: None });
        elsewhere.coverage.areas = vec![area("court")];
        let passes = [
            owned("粤B00003", OverduePolicy::RefuseEntry),
            owned("粤B00002", OverduePolicy::OpenAndWarn),
            pass("粤B00001", Grants::Free { until: Some(day(3)) }),
            pass("粤B00004", Grants::Blocked { reason: "stolen".into() }),
            pass("粤B00005", Grants::Rented { card: "R".into(), from: day(20), until: day(30), grace_days: 2 }),
            elsewhere,
        ];
        let on = |day_number| plates(&Whitelist::of(passes.clone(), &area("main"), day(day_number), 100));
        assert_eq!(on(1), ["粤B00001", "粤B00002", "粤B00003", "粤B00005"], "one of them is for later");
        assert_eq!(on(4), ["粤B00002", "粤B00003", "粤B00005"], "free until the third day");
        assert_eq!(on(15), ["粤B00002", "粤B00005"], "its bills are not paid");
        assert_eq!(on(32), ["粤B00002"]);
        let court = Whitelist::of(passes.clone(), &area("court"), day(1), 100);
        assert_eq!(court.len(), 5);
    }

    #[test]
    fn where_there_is_no_room_who_comes_later_gives_way() {
        let rented = |plate, from| {
            pass(plate, Grants::Rented { card: "R".into(), from: day(from), until: day(99), grace_days: 0 })
        };
        let passes = [rented("粤A00001", 50), rented("粤B00002", 0), rented("粤C00003", 40)];
        let list = Whitelist::of(passes, &area("main"), day(1), 2);
        assert_eq!((plates(&list), list.left_out), (vec!["粤B00002".to_owned(), "粤C00003".to_owned()], 1));
    }

    #[test]
    fn the_same_content_has_the_same_revision_and_goes_out_in_parts() {
        let many = || (0..401).map(|number| owned(&format!("粤B{number:05}"), OverduePolicy::RefuseEntry));
        let list = Whitelist::of(many(), &area("main"), day(1), 1000);
        let again = Whitelist::of(many().collect::<Vec<_>>().into_iter().rev(), &area("main"), day(2), 1000);
        let other = Whitelist::of(many().skip(1), &area("main"), day(1), 1000);
        assert_eq!(list.revision(), again.revision());
        assert_ne!(list.revision(), other.revision());
        assert_eq!(list.parts(), 3);
        let sizes: Vec<usize> = (1..=3).map(|n| list.part(n)["plates"].as_array().map_or(0, Vec::len)).collect();
        assert_eq!(sizes, [200, 200, 1]);
        assert_eq!(list.part(3)["plates"][0], json!({"plate": "粤B00400", "until": "1970-01-16T00:00:00Z"}));
        let empty = Whitelist::of([], &area("main"), day(1), 1000);
        assert_eq!((empty.parts(), empty.part(1)["plates"].clone()), (1, json!([])));
    }
}
