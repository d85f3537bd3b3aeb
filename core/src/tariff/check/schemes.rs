//! Whether every stay finds exactly one scheme (or, where the cheapest is taken, at least one), and each scheme a stay.
//! It must not know what the schemes charge.

use super::super::model::{Choose, Conditions, Scheme, TariffFile, TimeWindow};
use super::super::parse::Faults;
use super::days::{Asked, Day};
use super::{Budget, Levels, beats, clock, stretches};

const TOO_INTRICATE: &str = "the schemes have too many combinations of conditions to be checked; use fewer of them";

/// A kind of stay that makes a difference.
struct Stay<'a> {
    kind: &'a str,
    area: Option<&'a str>,
    day: &'a Day,
    entered: (u32, u32),
    left: (u32, u32),
    /// In seconds.
    lasts: i64,
}

impl Stay<'_> {
    /// Whether some entry and some exit in these stretches of the clock are so long apart, in whatever number of days.
    fn may_be(&self) -> bool {
        let least = i64::from(self.left.0) - i64::from(self.entered.1 - 1);
        let most = i64::from(self.left.1 - 1) - i64::from(self.entered.0);
        let days = self.lasts.div_euclid(86_400);
        (days - 1..=days + 1).any(|day| {
            let lasts = self.lasts - day * 86_400;
            (least..=most).contains(&lasts)
        })
    }

    fn words(&self) -> String {
        let area = self.area.map(|area| format!(" in area {area}")).unwrap_or_default();
        format!(
            "a vehicle of kind {}{area} that enters at {} on {} and stays {}",
            self.kind,
            clock(self.entered.0),
            self.day.words(),
            super::super::model::Span::from_seconds(u32::try_from(self.lasts).unwrap_or(0))
        )
    }
}

/// How specifically the conditions hold: vehicles, areas, entered, left, days, seasons, at least, at most.
fn levels(conditions: &Conditions, tariff: &TariffFile, stay: &Stay<'_>) -> Option<Levels<8>> {
    let named = |names: &[String], name: Option<&str>| {
        if names.is_empty() { Some(0) } else { names.iter().any(|one| Some(one.as_str()) == name).then_some(1) }
    };
    let inside = |windows: &[TimeWindow], at: u32| {
        if windows.is_empty() { Some(0) } else { windows.iter().any(|window| window.holds_at(at)).then_some(1) }
    };
    let bound = |there: Option<bool>| there.map_or(Some(0), |holds| holds.then_some(1));
    let seasons = if conditions.seasons.is_empty() {
        Some(0)
    } else {
        let holds = |name: &String| tariff.season(name).is_some_and(|season| season.contains(stay.day.date));
        conditions.seasons.iter().any(holds).then_some(1)
    };
    Some([
        named(&conditions.vehicles, Some(stay.kind))?,
        named(&conditions.areas, stay.area)?,
        inside(&conditions.entered, stay.entered.0)?,
        inside(&conditions.left, stay.left.0)?,
        stay.day.level(&conditions.days, &tariff.calendar)?,
        seasons?,
        bound(conditions.at_least.map(|least| stay.lasts >= least.seconds()))?,
        bound(conditions.at_most.map(|most| stay.lasts <= most.seconds()))?,
    ])
}

/// What was found out about the schemes.
struct Search<'a> {
    tariff: &'a TariffFile,
    faults: &'a Faults<'a>,
    taken: Vec<bool>,
    told_unpriced: bool,
    told_pairs: Vec<(usize, usize)>,
}

impl Search<'_> {
    fn stay(&mut self, stay: &Stay<'_>) {
        let schemes = self.tariff.schemes.iter().enumerate();
        let holding: Vec<(usize, Levels<8>)> =
            schemes.filter_map(|(i, one)| Some((i, levels(&one.conditions, self.tariff, stay)?))).collect();
        if holding.is_empty() {
            if !self.told_unpriced {
                self.told_unpriced = true;
                let message =
                    format!("no scheme is for {}; add a [[scheme]] whose conditions hold for it", stay.words());
                self.faults.tell_line(1, "scheme".to_owned(), message);
            }
            return;
        }
        if self.tariff.choose == Choose::Cheapest {
            let place = |levels: &Levels<8>| [levels[0], levels[1]];
            let kept = |levels: &Levels<8>| !holding.iter().any(|(_, other)| beats(&place(other), &place(levels)));
            for (one, _) in holding.iter().filter(|(_, levels)| kept(levels)) {
                self.taken[*one] = true;
            }
            return;
        }
        let first = |(one, levels): &&(usize, Levels<8>)| {
            holding.iter().all(|(other, against)| one == other || beats(levels, against))
        };
        if let Some((winner, _)) = holding.iter().find(first) {
            self.taken[*winner] = true;
            return;
        }
        let unbeaten: Vec<usize> = holding
            .iter()
            .filter(|(_, levels)| !holding.iter().any(|(_, other)| beats(other, levels)))
            .map(|(scheme, _)| *scheme)
            .collect();
        self.tell_quarrel(unbeaten[0], unbeaten[1], stay);
    }

    fn tell_quarrel(&mut self, one: usize, other: usize, stay: &Stay<'_>) {
        self.taken[one] = true;
        self.taken[other] = true;
        if self.told_pairs.contains(&(one, other)) {
            return;
        }
        self.told_pairs.push((one, other));
        let (one, other) = (&self.tariff.schemes[one], &self.tariff.schemes[other]);
        let message = format!(
            "schemes {:?} (line {}) and {:?} are both for {}, and neither is more specific in every way; give one a condition \
             that the other lacks, or write choose = \"cheapest\"",
            one.name,
            one.line,
            other.name,
            stay.words()
        );
        self.faults.tell_line(other.line, "scheme".to_owned(), message);
    }
}

/// The lengths of stays at which a condition changes its answer, on either side.
fn lengths(schemes: &[Scheme]) -> Vec<i64> {
    let bounds = schemes.iter().flat_map(|one| [one.conditions.at_least, one.conditions.at_most]).flatten();
    let around = bounds.flat_map(|bound| [bound.seconds() - 1, bound.seconds(), bound.seconds() + 1]);
    // Half hours of the first two days, so that an entry and an exit on the clock find a stay between them.
    let usual = (0..96).map(|half_hours| half_hours * 1_800 + 60);
    let mut lengths: Vec<i64> = around.chain(usual).filter(|length| *length >= 0).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

pub(super) fn check(tariff: &TariffFile, faults: &Faults<'_>) {
    let conditions = || tariff.schemes.iter().map(|scheme| &scheme.conditions);
    let asked = Asked::of(tariff, conditions().flat_map(|one| &one.days), conditions().flat_map(|one| &one.seasons));
    let marks = |windows: &[TimeWindow]| -> Vec<u32> {
        windows.iter().flat_map(|window| [window.starts, window.ends]).collect()
    };
    let entered = stretches(conditions().flat_map(|one| marks(&one.entered)));
    let left = stretches(conditions().flat_map(|one| marks(&one.left)));
    let bounded = conditions().any(|one| one.at_least.is_some() || one.at_most.is_some());
    let by_clock = conditions().any(|one| !one.left.is_empty());
    let lengths = if bounded || by_clock { lengths(&tariff.schemes) } else { vec![3_600] };
    let areas: Vec<Option<&str>> =
        [None].into_iter().chain(tariff.areas.iter().map(|area| Some(area.id.as_str()))).collect();
    let mut search = Search {
        tariff,
        faults,
        taken: vec![false; tariff.schemes.len()],
        told_unpriced: false,
        told_pairs: Vec::new(),
    };
    let mut budget = Budget::new();
    let Some(days) = asked.days(&tariff.calendar) else {
        faults.tell_line(1, "scheme".to_owned(), TOO_INTRICATE);
        return;
    };
    for vehicle in &tariff.vehicles {
        for (area, day) in areas.iter().flat_map(|area| days.iter().map(move |day| (*area, day))) {
            for (entered, left) in entered.iter().flat_map(|entered| left.iter().map(move |left| (*entered, *left))) {
                if !budget.spend(lengths.len() * tariff.schemes.len()) {
                    let message =
                        "the schemes have too many combinations of conditions to be checked; use fewer of them";
                    faults.tell_line(1, "scheme".to_owned(), message);
                    return;
                }
                let stays =
                    lengths.iter().map(|lasts| Stay { kind: &vehicle.kind, area, day, entered, left, lasts: *lasts });
                for stay in stays.filter(|stay| !by_clock || stay.may_be()) {
                    search.stay(&stay);
                }
            }
        }
    }
    for (scheme, _) in tariff.schemes.iter().zip(&search.taken).filter(|(_, taken)| !**taken) {
        let message = format!(
            "scheme {:?} can never be taken: no stay has its conditions, or another always goes first",
            scheme.name
        );
        faults.tell_line(scheme.line, "scheme".to_owned(), message);
    }
}
