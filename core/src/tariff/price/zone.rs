//! Between the clock on the wall and real time, in whole seconds: a time zone as the list of its changes.
//!
//! A time on the wall that does not exist is the moment of the change; one that comes twice is its first coming.
//! It must not know dates or windows.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use chrono::{DateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

pub(super) const DAY: i64 = 86_400;

/// Stays before 1970 or after 2100 are refused before anything is asked here.
pub(super) const LATEST: i64 = 130 * 365 * DAY;

/// The offsets of a time zone.
#[derive(Debug)]
pub(super) struct Zone {
    /// From which moment which offset holds, the earliest first; the first holds since ever.
    changes: Vec<(i64, i64)>,
}

fn offset(zone: Tz, moment: i64) -> i64 {
    let moment = DateTime::<Utc>::from_timestamp(moment, 0).expect("a moment of these centuries");
    i64::from(zone.offset_from_utc_datetime(&moment.naive_utc()).fix().local_minus_utc())
}

impl Zone {
    /// The list for a zone; worked out once, because the zone's own table is not to be had.
    pub(super) fn of(zone: Tz) -> Arc<Self> {
        static KNOWN: LazyLock<Mutex<HashMap<Tz, Arc<Zone>>>> = LazyLock::new(Mutex::default);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(zone).or_insert_with(|| Arc::new(Self::scanned(zone))))
    }

    fn scanned(zone: Tz) -> Self {
        let mut held = offset(zone, -2 * DAY);
        let mut changes = vec![(i64::MIN, held)];
        let mut day = -DAY;
        while day <= LATEST + 2 * DAY {
            // Between two midnights there is at most one change.
            let found = offset(zone, day);
            if found != held {
                let (mut before, mut after) = (day - DAY, day);
                while after - before > 1 {
                    let middle = before.midpoint(after);
                    if offset(zone, middle) == held { before = middle } else { after = middle }
                }
                changes.push((after, found));
                held = found;
            }
            day += DAY;
        }
        Self { changes }
    }

    fn place(&self, moment: i64) -> usize {
        self.changes.partition_point(|(from, _)| *from <= moment) - 1
    }

    /// What the clock on the wall shows, in seconds since its own 1970-01-01 00:00.
    pub(super) fn wall(&self, moment: i64) -> i64 {
        moment + self.changes[self.place(moment)].1
    }

    /// The first moment at which the clock on the wall shows this, or the change that skips it.
    pub(super) fn moment(&self, wall: i64) -> i64 {
        // No zone is further than 15 hours from UTC.
        let mut place = self.place(wall - 15 * 3_600);
        loop {
            let (from, offset) = self.changes[place];
            let moment = wall - offset;
            match self.changes.get(place + 1) {
                Some((until, _)) if moment >= *until => place += 1,
                _ => return moment.max(from),
            }
        }
    }

    /// When the offset changes next after this moment, if ever.
    pub(super) fn next_change(&self, moment: i64) -> i64 {
        self.changes.get(self.place(moment) + 1).map_or(i64::MAX, |(from, _)| *from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<DateTime<Utc>>().expect("a moment").timestamp()
    }

    fn wall(text: &str) -> i64 {
        at(&format!("{text}Z"))
    }

    #[test]
    fn a_time_that_does_not_exist_is_the_change_and_one_that_comes_twice_its_first_coming() {
        let berlin = Zone::of(chrono_tz::Europe::Berlin);
        let cases = [
            ("2026-03-29T02:30:00", "2026-03-29T01:00:00Z"),
            ("2026-03-29T01:59:59", "2026-03-29T00:59:59Z"),
            ("2026-03-29T03:00:00", "2026-03-29T01:00:00Z"),
            ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
            ("2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
            ("2026-07-01T00:00:00", "2026-06-30T22:00:00Z"),
        ];
        for (on_the_wall, moment) in cases {
            assert_eq!(berlin.moment(wall(on_the_wall)), at(moment), "{on_the_wall}");
        }
    }

    #[test]
    fn a_zone_agrees_with_its_library_at_every_hour_of_ten_years() {
        for zone in [chrono_tz::Asia::Shanghai, chrono_tz::Europe::London, chrono_tz::America::Havana] {
            let known = Zone::of(zone);
            for hour in 0..10 * 8_766 {
                let moment = at("2020-01-01T00:00:00Z") + hour * 3_600;
                assert_eq!(known.wall(moment), moment + offset(zone, moment), "{zone} {moment}");
            }
        }
    }
}
