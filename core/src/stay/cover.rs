//! What a pass covers of a stay: the times and areas for which nothing is charged.
//!
//! Owns the way from a pass's dates, hours and areas to spans of one stay. It must not know what the rest costs.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Basis, Stay};
use crate::charging::cards;
use crate::pass::{Coverage, GatePass, PassHours, Passes};
use crate::record::{ReadError, Records};
use crate::tariff::model::{AreaVisit, CoveredSpan};

/// What a pass covers of a stay, as it was known when the stay was looked at last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// In which areas and hours.
    #[serde(flatten)]
    pub coverage: Coverage,
    /// From this moment on; `None`: from the entry on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Up to this moment, excluded; `None`: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl Stay {
    /// Whether time of it costs something: all of a temporary one, or what a pass or its places leave open.
    pub fn is_charged(&self) -> bool {
        match self.basis {
            Basis::Temporary => true,
            Basis::Pass { .. } => self.cover.is_some() || self.is_charged_for_places(),
            Basis::Free => false,
        }
    }

    /// Takes over what its card's pass covers and where its card had no place for it, as it stands now: the card may have
    /// been renewed since the entry, and another car may have left. Of a card that is gone the stay keeps what it knew.
    ///
    /// A car that came in as a temporary one is covered by a letting that was bought or renewed for it since.
    pub fn look_at_pass(&mut self, until: DateTime<Utc>, records: &impl Records) -> Result<(), ReadError> {
        let passes = Passes::of(&self.plate, records)?;
        match &self.basis {
            Basis::Pass { card } => {
                if let Some(pass) = passes.of_card(card) {
                    self.cover = pass.cover(until);
                }
                if let Some(cover) = records.get::<cards::Cover>(card)? {
                    self.look_at_places(&cover.record);
                }
            }
            Basis::Temporary => {
                self.cover = match passes.bought_meanwhile(until) {
                    Some((pass, cover)) if has_room(pass, records)? => Some(cover),
                    _ => None,
                };
            }
            Basis::Free => {}
        }
        Ok(())
    }

    /// Takes over where its card had no place for it, from the card's cars inside.
    pub fn look_at_places(&mut self, cover: &cards::Cover) {
        if let Some(unplaced) = cover.unplaced(self.id) {
            self.unplaced = unplaced;
        }
    }

    /// The parts of the stay that its pass covers, by the lot's clock: where its card had no place for it, it is not.
    pub fn covered(&self, until: DateTime<Utc>, zone: Tz) -> Vec<CoveredSpan> {
        let spans = match (&self.cover, &self.basis) {
            (Some(cover), _) => cover.of(&self.areas(until), zone),
            (None, Basis::Temporary) => vec![],
            (None, _) => vec![CoveredSpan { from: self.entered_at, to: until }],
        };
        self.without_unplaced(spans, until)
    }
}

/// Whether a pass's card has a place for one more car.
fn has_room(pass: &GatePass, records: &impl Records) -> Result<bool, ReadError> {
    let (Some(card), Some(places)) = (pass.card(), pass.places) else { return Ok(true) };
    let inside = records.get::<cards::Cover>(card)?.map_or(0, |kept| kept.record.covered());
    Ok(inside < places.count as usize)
}

impl Cover {
    /// The parts of these times in areas that it covers, by the lot's clock.
    pub fn of(&self, visits: &[AreaVisit], zone: Tz) -> Vec<CoveredSpan> {
        let mut spans = Vec::new();
        for visit in visits {
            let areas = &self.coverage.areas;
            if !areas.is_empty() && !areas.iter().any(|area| area.as_str() == visit.area) {
                continue;
            }
            let begins = self.from.map_or(visit.enter, |from| from.max(visit.enter));
            let ends = self.until.map_or(visit.exit, |until| until.min(visit.exit));
            if begins < ends {
                within_hours(&self.coverage.hours, (begins, ends), zone, &mut spans);
            }
        }
        spans
    }
}

/// The parts of a span that lie in one of the hours; no hours are all hours.
fn within_hours(
    hours: &[PassHours],
    (begins, ends): (DateTime<Utc>, DateTime<Utc>),
    zone: Tz,
    spans: &mut Vec<CoveredSpan>,
) {
    if hours.is_empty() {
        spans.push(CoveredSpan { from: begins, to: ends });
        return;
    }
    // Hours that begin on the evening before may reach into the first day.
    let mut day = begins.with_timezone(&zone).date_naive() - Days::new(1);
    let last = ends.with_timezone(&zone).date_naive();
    while day <= last {
        for one in hours.iter().filter(|one| one.days.is_empty() || one.days.contains(&day.weekday())) {
            let (from, to) = (moment(day, one.from_minute, zone), moment(day, one.until_minute, zone));
            let (from, to) = (from.max(begins), to.min(ends));
            if from < to {
                spans.push(CoveredSpan { from, to });
            }
        }
        day = day + Days::new(1);
    }
    spans.sort_by_key(|span| (span.from, span.to));
    spans.dedup_by(|next, span| {
        let touches = next.from <= span.to;
        if touches {
            span.to = span.to.max(next.to);
        }
        touches
    });
}

/// The first moment at which the clock on the wall shows this; of a time that it skips, the moment of the change.
fn moment(day: NaiveDate, minute: u16, zone: Tz) -> DateTime<Utc> {
    // A day is the most that a clock was ever put forward.
    const MOST_SKIPPED: i64 = 1_500;
    let wall: NaiveDateTime = day.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute));
    let mut later = (0..=MOST_SKIPPED).map(|minutes| wall + TimeDelta::minutes(minutes));
    let found = later.find_map(|wall| zone.from_local_datetime(&wall).earliest());
    found.map_or_else(|| wall.and_utc(), |at| at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use chrono::Weekday;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a moment")
    }

    fn covered(hours: &[PassHours], from: &str, to: &str, zone: Tz) -> Vec<(String, String)> {
        let mut spans = Vec::new();
        within_hours(hours, (at(from), at(to)), zone, &mut spans);
        let local = |moment: DateTime<Utc>| moment.with_timezone(&zone).format("%d %H:%M").to_string();
        spans.iter().map(|span| (local(span.from), local(span.to))).collect()
    }

    fn hours(days: &[Weekday], from: u16, until: u16) -> PassHours {
        PassHours { days: days.to_vec(), from_minute: from * 60, until_minute: until * 60 }
    }

    #[test]
    fn hours_cover_their_part_of_each_day_and_reach_over_midnight() {
        let zone = chrono_tz::Asia::Shanghai;
        // 2026-03-02 is a Monday; 07:30 to 20:10 there, then two nights.
        let day = covered(&[hours(&[], 8, 19)], "2026-03-01T23:30:00Z", "2026-03-02T12:10:00Z", zone);
        assert_eq!(day, [("02 08:00".to_owned(), "02 19:00".to_owned())]);
        let night = covered(&[hours(&[], 18, 32)], "2026-03-01T23:30:00Z", "2026-03-03T01:00:00Z", zone);
        let spans = [("02 07:30", "02 08:00"), ("02 18:00", "03 08:00")];
        assert_eq!(night, spans.map(|(from, to)| (from.to_owned(), to.to_owned())));
        let monday = [hours(&[Weekday::Mon], 0, 24)];
        let week = covered(&monday, "2026-03-01T00:00:00Z", "2026-03-10T00:00:00Z", zone);
        let days = [("02 00:00", "03 00:00"), ("09 00:00", "10 00:00")];
        assert_eq!(week, days.map(|(from, to)| (from.to_owned(), to.to_owned())));
    }

    #[test]
    fn touching_hours_are_one_span_and_no_hours_are_all() {
        let zone = chrono_tz::Asia::Shanghai;
        let both = [hours(&[], 8, 12), hours(&[], 12, 19)];
        let spans = covered(&both, "2026-03-01T23:30:00Z", "2026-03-02T12:10:00Z", zone);
        assert_eq!(spans, [("02 08:00".to_owned(), "02 19:00".to_owned())]);
        assert_eq!(covered(&[], "2026-03-01T23:30:00Z", "2026-03-02T12:10:00Z", zone).len(), 1);
    }

    #[test]
    fn an_hour_that_the_clock_skips_begins_at_the_change() {
        // 2026-03-29 in London: 01:00 becomes 02:00, which is 01:00 in UTC.
        let early = PassHours { days: vec![], from_minute: 90, until_minute: 240 };
        let spans = covered(&[early], "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z", chrono_tz::Europe::London);
        assert_eq!(spans, [("29 02:00".to_owned(), "29 04:00".to_owned())]);
    }
}
