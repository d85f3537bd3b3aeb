//! The clock on the wall: local dates, windows of the day with their real bounds, which rate holds at a moment.

use chrono::{DateTime, Days, LocalResult, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use tollhouse_core::tariff::model::{Selectors, SplitAtMidnight, TariffFile, TimeWindow};

/// Seconds since 1970.
pub(crate) type Second = i64;

pub(crate) fn moment(at: Second) -> DateTime<Utc> {
    DateTime::from_timestamp(at, 0).expect("a moment of a test")
}

pub(crate) fn date(zone: Tz, at: Second) -> NaiveDate {
    moment(at).with_timezone(&zone).date_naive()
}

/// When the clock on the wall shows so many seconds after that midnight. What comes twice is its first coming; what
/// never comes is the change that leaves it out.
pub(crate) fn when(zone: Tz, day: NaiveDate, seconds: u32) -> Second {
    let midnight = day.and_hms_opt(0, 0, 0).expect("midnight");
    let mut wanted = midnight + TimeDelta::seconds(i64::from(seconds));
    loop {
        match zone.from_local_datetime(&wanted) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => return at.timestamp(),
            LocalResult::None => wanted += TimeDelta::seconds(1),
        }
    }
}

/// A stretch of real time and the date whose classes it has; `None`: each moment its own.
struct Stretch {
    from: Second,
    to: Second,
    owner: Option<NaiveDate>,
}

/// All stretches of some selectors in a range of time.
pub(crate) struct Stretches<'t> {
    selectors: &'t Selectors,
    all: Vec<Stretch>,
}

impl<'t> Stretches<'t> {
    pub(crate) fn new(file: &TariffFile, selectors: &'t Selectors, from: Second, to: Second) -> Self {
        let zone = file.time_zone;
        let windows = if selectors.time.is_empty() { vec![TimeWindow::DAY] } else { selectors.time.clone() };
        let mut all = Vec::new();
        let mut day = date(zone, from) - Days::new(2);
        while day <= date(zone, to) {
            for window in &windows {
                let split = selectors.split_at_midnight == SplitAtMidnight::Yes;
                let (from, to) = (when(zone, day, window.starts), when(zone, day, window.ends));
                all.push(Stretch { from, to, owner: (!split).then_some(day) });
            }
            day = day + Days::new(1);
        }
        Self { selectors, all }
    }

    /// Which coming of a window of `time` holds at the moment: by its beginning. Without `time` there is but one.
    pub(crate) fn coming(&self, file: &TariffFile, at: Second) -> Second {
        let day = |stretch: &Stretch| stretch.owner.unwrap_or_else(|| date(file.time_zone, at));
        let mut here = self.all.iter().filter(|stretch| stretch.from <= at && at < stretch.to);
        let holding = here.find(|stretch| self.on_its_day(file, day(stretch)));
        if self.selectors.time.is_empty() { 0 } else { holding.map_or(0, |stretch| stretch.from) }
    }

    /// The date whose classes the window has that holds at the moment.
    pub(crate) fn owner(&self, file: &TariffFile, at: Second) -> Option<NaiveDate> {
        let here = self.all.iter().filter(|stretch| stretch.from <= at && at < stretch.to);
        let mut days = here.map(|stretch| stretch.owner.unwrap_or_else(|| date(file.time_zone, at)));
        days.find(|day| self.on_its_day(file, *day))
    }

    fn on_its_day(&self, file: &TariffFile, day: NaiveDate) -> bool {
        let Selectors { days, seasons, .. } = self.selectors;
        let in_season = |name: &String| file.season(name).is_some_and(|season| season.contains(day));
        file.calendar.specificity_of_any(days, day).is_some() && (seasons.is_empty() || seasons.iter().any(in_season))
    }

    /// Whether all but the time of day holds on that day.
    pub(crate) fn on_day(&self, file: &TariffFile, day: NaiveDate, vehicle: &str, area: Option<&str>) -> bool {
        let Selectors { vehicles, areas, .. } = self.selectors;
        let has = |list: &[String], name: &str| list.is_empty() || list.iter().any(|one| one == name);
        let there = areas.is_empty() || area.is_some_and(|area| has(areas, area));
        has(vehicles, vehicle) && there && self.on_its_day(file, day)
    }

    /// How specifically days, time, seasons, vehicles and areas hold at the moment, if they do.
    pub(crate) fn specificity(
        &self,
        file: &TariffFile,
        at: Second,
        vehicle: &str,
        area: Option<&str>,
    ) -> Option<[u8; 5]> {
        let named = |list: &[String], name: Option<&str>| match name {
            _ if list.is_empty() => Some(0),
            Some(name) if list.iter().any(|one| one == name) => Some(1),
            _ => None,
        };
        let vehicles = named(&self.selectors.vehicles, Some(vehicle))?;
        let areas = named(&self.selectors.areas, area)?;
        let here = self.all.iter().filter(|stretch| stretch.from <= at && at < stretch.to);
        let best = here.filter_map(|stretch| {
            let day = stretch.owner.unwrap_or_else(|| date(file.time_zone, at));
            let days = file.calendar.specificity_of_any(&self.selectors.days, day)?;
            let seasons = &self.selectors.seasons;
            let in_season = |name: &String| file.season(name).is_some_and(|season| season.contains(day));
            let season = if seasons.is_empty() { 0 } else { u8::from(seasons.iter().any(in_season)) };
            (seasons.is_empty() || season == 1).then_some((days, season))
        });
        let (days, season) = best.max()?;
        Some([days, u8::from(!self.selectors.time.is_empty()), season, vehicles, areas])
    }
}

/// The one that beats all others: nowhere less specific, somewhere more.
pub(crate) fn most_specific(holding: &[(usize, [u8; 5])]) -> Option<usize> {
    let beats = |a: &[u8; 5], b: &[u8; 5]| a.iter().zip(b).all(|(a, b)| a >= b) && a != b;
    let winner =
        holding.iter().find(|(place, mine)| holding.iter().all(|(other, its)| other == place || beats(mine, its)));
    winner.map(|(place, _)| *place)
}
