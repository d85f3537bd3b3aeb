//! A lane with a spare camera (备用相机): whose reads count, and when two reads are one car.
//!
//! Owns who is there, who reads, and what was read lately. The main cameras' reads count at once. A spare's read waits a
//! moment for theirs; it counts when no main camera is there, or when none of them read that car. It must not know
//! records: what counts goes into the lane, which decides.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use super::Read;
use crate::id::DeviceId;
use crate::plate::Plate;

/// So many live reads are remembered, to tell two cameras' reads of one car.
const MOST_REMEMBERED: usize = 64;
/// And so many late ones: two cameras send what they kept one after the other.
const MOST_LATE_REMEMBERED: usize = 4_096;
/// Reads of one plate by two cameras this far apart are one car.
const ONE_CAR_WITHIN: TimeDelta = TimeDelta::seconds(10);
/// So many characters may differ between two cameras' reads of one plate.
const MOST_MISREAD: usize = 2;

/// What a read is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It goes to the lane.
    Counts,
    /// Another camera's read of this car has counted: it is noted, and nothing follows.
    SameCar,
    /// It is a spare's: to be weighed again then, or when a main camera has read, come or gone.
    Waits(DateTime<Utc>),
}

/// How the main cameras do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MainCameras {
    /// One is there, and reads.
    Reading,
    /// One is there, and did not read a car that a spare read.
    Silent,
    /// None is there.
    Away,
}

impl MainCameras {
    /// The word for people and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Silent => "silent",
            Self::Away => "away",
        }
    }
}

#[derive(Debug, Clone)]
struct Remembered {
    device: DeviceId,
    plate: Plate,
    captured_at: DateTime<Utc>,
}

/// The cameras of one lane that has spares.
#[derive(Debug)]
pub struct Cameras {
    mains: BTreeSet<DeviceId>,
    spares: BTreeSet<DeviceId>,
    wait: TimeDelta,
    stale_after: TimeDelta,
    present: BTreeSet<DeviceId>,
    silent: Option<DateTime<Utc>>,
    live: VecDeque<Remembered>,
    late: BTreeMap<(DateTime<Utc>, u32), Remembered>,
    numbered: u32,
}

impl Cameras {
    /// These cameras; a spare's read waits so long for a main camera's. An event older than `stale_after` is backlog.
    pub fn new(mains: &[DeviceId], spares: &[DeviceId], wait: TimeDelta, stale_after: TimeDelta) -> Self {
        Self {
            mains: mains.iter().cloned().collect(),
            spares: spares.iter().cloned().collect(),
            wait,
            stale_after,
            present: BTreeSet::new(),
            silent: None,
            live: VecDeque::new(),
            late: BTreeMap::new(),
            numbered: 0,
        }
    }

    /// A device has come, by its own word or by having said anything.
    pub fn came(&mut self, device: &DeviceId) {
        if self.mains.contains(device) {
            self.present.insert(device.clone());
        }
    }

    /// A device has gone.
    pub fn went(&mut self, device: &DeviceId) {
        self.present.remove(device);
    }

    /// How the main cameras do.
    pub fn mains(&self) -> MainCameras {
        match (self.present.is_empty(), self.silent) {
            (true, _) => MainCameras::Away,
            (false, Some(_)) => MainCameras::Silent,
            (false, None) => MainCameras::Reading,
        }
    }

    /// Weighs a read that reached the box at `arrived_at`.
    pub fn weigh(&mut self, now: DateTime<Utc>, read: &Read, arrived_at: DateTime<Utc>) -> Weight {
        let device = &read.mark.device;
        if read.mark.age > self.stale_after {
            return self.weigh_late(read);
        }
        if self.mains.contains(device) {
            self.silent = None;
        }
        if self.other_camera_read(read) {
            return Weight::SameCar;
        }
        if self.spares.contains(device) && self.mains() == MainCameras::Reading {
            let until = arrived_at + self.wait;
            if now < until {
                return Weight::Waits(until);
            }
            // Not silent is one that read another car just now, or this very car, which still stands there.
            let reads = self.live.iter().any(|seen| {
                let near = (seen.captured_at - read.mark.captured_at).abs() <= self.wait;
                self.mains.contains(&seen.device) && (near || seen.plate == read.plate)
            });
            if !reads {
                self.silent = Some(now);
            }
        }
        if self.live.len() >= MOST_REMEMBERED {
            self.live.pop_front();
        }
        let (plate, captured_at) = (read.plate.clone(), read.mark.captured_at);
        self.live.push_back(Remembered { device: device.clone(), plate, captured_at });
        Weight::Counts
    }

    /// Whether another camera's read of this car has counted.
    fn other_camera_read(&self, read: &Read) -> bool {
        self.live.iter().any(|seen| self.one_car(seen, read))
    }

    /// Two cameras, one car: the same plate within some seconds, or one that was misread at the same moment. Cars that
    /// follow each other with plates of one series are further apart.
    fn one_car(&self, seen: &Remembered, read: &Read) -> bool {
        let apart = (seen.captured_at - read.mark.captured_at).abs();
        let same = seen.plate == read.plate && apart <= ONE_CAR_WITHIN;
        seen.device != read.mark.device && (same || apart <= self.wait && is_misread(&seen.plate, &read.plate))
    }

    /// Backlog counts from every camera: what one of them missed the other has. The same car twice counts once.
    fn weigh_late(&mut self, read: &Read) -> Weight {
        let at = read.mark.captured_at;
        let around = (at - ONE_CAR_WITHIN, 0)..=(at + ONE_CAR_WITHIN, u32::MAX);
        let twice = self.late.range(around).any(|(_, seen)| self.one_car(seen, read));
        if twice || self.other_camera_read(read) {
            return Weight::SameCar;
        }
        if self.late.len() >= MOST_LATE_REMEMBERED {
            self.late.pop_first();
        }
        self.numbered = self.numbered.wrapping_add(1);
        let device = read.mark.device.clone();
        self.late.insert((at, self.numbered), Remembered { device, plate: read.plate.clone(), captured_at: at });
        Weight::Counts
    }
}

/// As long as the other, and different in few characters.
fn is_misread(a: &Plate, b: &Plate) -> bool {
    let (mut one, mut other) = (a.as_str().chars(), b.as_str().chars());
    let mut differ = 0;
    loop {
        match (one.next(), other.next()) {
            (None, None) => return differ <= MOST_MISREAD,
            (Some(x), Some(y)) => differ += usize::from(x != y),
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::Mark;
    use crate::plate::Colour;

    const WAIT: TimeDelta = TimeDelta::seconds(2);

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000_000 + second)
    }

    fn name(text: &str) -> DeviceId {
        DeviceId::new(text).expect("a name")
    }

    fn read(device: &str, plate: &str, second: i64, age: TimeDelta) -> Read {
        let mark = Mark {
            device: name(device),
            event_id: format!("{device}-{second}").parse().expect("a name"),
            fingerprint: String::new(),
            captured_at: at(second),
            age,
        };
        Read { mark, plate: Plate::new(plate).expect("a plate"), colour: Colour::Blue }
    }

    fn cameras() -> Cameras {
        let mut cameras = Cameras::new(&[name("main")], &[name("spare")], WAIT, TimeDelta::seconds(60));
        cameras.came(&name("main"));
        cameras
    }

    /// Weighs reads of (device, plate, captured at, looked at), in seconds.
    fn weigh(cameras: &mut Cameras, device: &str, plate: &str, captured: i64, now: i64) -> Weight {
        cameras.weigh(at(now), &read(device, plate, captured, TimeDelta::zero()), at(captured))
    }

    #[test]
    fn the_main_cameras_read_counts_and_the_spares_of_that_car_does_not() {
        let mut cameras = cameras();
        assert_eq!(weigh(&mut cameras, "spare", "粤B12345", 0, 0), Weight::Waits(at(2)));
        assert_eq!(weigh(&mut cameras, "main", "粤B12345", 1, 1), Weight::Counts);
        assert_eq!(weigh(&mut cameras, "spare", "粤B12345", 0, 1), Weight::SameCar);
        assert_eq!(weigh(&mut cameras, "spare", "粤B12845", 1, 2), Weight::SameCar, "misread by one of them");
        assert_eq!(cameras.mains(), MainCameras::Reading);
    }

    #[test]
    fn a_spare_stands_in_at_once_for_a_camera_that_is_away() {
        let mut cameras = cameras();
        cameras.went(&name("main"));
        assert_eq!(weigh(&mut cameras, "spare", "粤B12345", 0, 0), Weight::Counts);
        assert_eq!(cameras.mains(), MainCameras::Away);
        cameras.came(&name("main"));
        assert_eq!(weigh(&mut cameras, "main", "粤B12345", 3, 3), Weight::SameCar, "it is back for the same car");
        assert_eq!(weigh(&mut cameras, "main", "粤B99999", 9, 9), Weight::Counts);
    }

    #[test]
    fn a_spare_stands_in_after_a_moment_for_one_that_is_silent_and_then_at_once() {
        let mut cameras = cameras();
        assert_eq!(weigh(&mut cameras, "spare", "粤B12345", 0, 0), Weight::Waits(at(2)));
        assert_eq!(weigh(&mut cameras, "spare", "粤B12345", 0, 2), Weight::Counts);
        assert_eq!(cameras.mains(), MainCameras::Silent);
        assert_eq!(weigh(&mut cameras, "spare", "粤B77777", 30, 30), Weight::Counts, "no car waits twice for it");
        assert_eq!(weigh(&mut cameras, "main", "粤B88888", 60, 60), Weight::Counts);
        assert_eq!(cameras.mains(), MainCameras::Reading, "it reads again");
    }

    #[test]
    fn a_car_that_only_the_spare_sees_behind_another_counts_and_blames_nobody() {
        let mut cameras = cameras();
        assert_eq!(weigh(&mut cameras, "main", "粤B12345", 0, 0), Weight::Counts);
        assert_eq!(weigh(&mut cameras, "spare", "京A00001", 1, 1), Weight::Waits(at(3)));
        assert_eq!(weigh(&mut cameras, "spare", "京A00001", 1, 3), Weight::Counts);
        assert_eq!(cameras.mains(), MainCameras::Reading);
    }

    #[test]
    fn cars_of_one_series_that_follow_each_other_are_two() {
        let mut cameras = cameras();
        assert_eq!(weigh(&mut cameras, "main", "粤B12345", 0, 0), Weight::Counts);
        cameras.went(&name("main"));
        assert_eq!(weigh(&mut cameras, "spare", "粤B12346", 6, 6), Weight::Counts);
    }

    #[test]
    fn the_backlog_of_both_cameras_makes_each_car_once() {
        let mut cameras = cameras();
        let hours = TimeDelta::hours(2);
        let mut weigh = |device, plate, second| {
            let late = read(device, plate, second, hours);
            cameras.weigh(at(second) + hours, &late, at(second) + hours)
        };
        assert_eq!(weigh("main", "粤B12345", 0), Weight::Counts);
        assert_eq!(weigh("main", "粤B22222", 100), Weight::Counts);
        assert_eq!(weigh("spare", "粤B12345", 4), Weight::SameCar);
        assert_eq!(weigh("spare", "粤B22232", 101), Weight::SameCar);
        assert_eq!(weigh("spare", "粤B33333", 200), Weight::Counts, "the main camera missed it");
    }
}
