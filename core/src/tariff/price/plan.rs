//! A tariff version made ready for pricing: names turned into numbers, steps into positions, caps into their order.
//!
//! Built once from a checked file and never changed after. It must not know a stay.

use std::sync::Arc;

use super::PriceError;
use super::days::{DaySelector, Days};
use super::exact::Exact;
use super::steps::StepsPlan;
use super::zone::Zone;
use crate::tariff::model::{
    Adjust, AdjustBy, Applied, Boundary, Cap, CapPer, Charge, Clock, Counting, CycleLength, DayNumbers, Free, Next,
    Offer, Price, Rate, Rounding, Scheme, Selectors, SplitAtMidnight, TariffFile, TimeWindow, Visits,
};

/// One version of a tariff, ready to price.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) file: Arc<TariffFile>,
    pub(super) label: String,
    pub(super) zone: Arc<Zone>,
    pub(super) days: Days,
    pub(super) schemes: Vec<SchemePlan>,
}

/// Which selectors of a scheme's caps and adjustments hold, one bit each: as many as a file may have of both.
pub(super) type Marks = u128;

/// One scheme.
#[derive(Debug, Clone)]
pub(super) struct SchemePlan {
    pub(super) place: usize,
    pub(super) conditions: ConditionsPlan,
    pub(super) flat: Option<Price>,
    pub(super) free: Option<Free>,
    pub(super) cycle: Option<(CycleLength, Next)>,
    pub(super) counting: Counting,
    pub(super) boundary: Boundary,
    pub(super) rates: Vec<RatePlan>,
    pub(super) charges: Vec<ChargePlan>,
    /// Who selects what of the caps and adjustments: bit i of a piece's marks says whether `marks[i]` holds.
    pub(super) marks: Vec<SelectorPlan>,
    /// In the order in which they work.
    pub(super) caps: Vec<CapPlan>,
    pub(super) adjusts: Vec<AdjustPlan>,
    pub(super) minimum: Option<Price>,
    pub(super) maximum: Option<Price>,
    pub(super) rounding: Rounding,
    pub(super) periods: Periods,
}

/// By which periods some cap of a scheme counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Periods {
    /// Each 24 hours from entry.
    pub(super) days_24h: bool,
    /// Each 24 hours from the first entry of several visits.
    pub(super) shared_24h: bool,
    /// Days of the calendar.
    pub(super) calendar_days: bool,
}

/// Conditions of a scheme that are more than a comparison.
#[derive(Debug, Clone)]
pub(super) struct ConditionsPlan {
    pub(super) vehicles: Vec<u16>,
    pub(super) areas: Vec<u16>,
    pub(super) days: Vec<DaySelector>,
    pub(super) seasons: u32,
    /// How many kinds of condition it has; and how many by vehicle and area alone.
    pub(super) breadth: (u8, u8),
}

/// When a rate, cap or adjustment holds. Empty means any.
#[derive(Debug, Clone)]
pub(super) struct SelectorPlan {
    pub(super) days: Vec<DaySelector>,
    pub(super) time: Vec<TimeWindow>,
    pub(super) seasons: u32,
    pub(super) vehicles: Vec<u16>,
    pub(super) areas: Vec<u16>,
    pub(super) split_at_midnight: SplitAtMidnight,
}

/// A rate: when it holds, and where its charges stand in the scheme's list.
#[derive(Debug, Clone)]
pub(super) struct RatePlan {
    pub(super) selector: SelectorPlan,
    pub(super) first: u16,
    pub(super) pick: Pick,
    pub(super) clock: Clock,
}

/// How many charges a rate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    /// Its own.
    Own,
    /// The cheapest of so many.
    CheapestOf(u16),
}

/// What a rate, or one offer of a rate, charges.
#[derive(Debug, Clone)]
pub(super) struct ChargePlan {
    pub(super) rate: u16,
    pub(super) how: How,
    pub(super) min: Option<Price>,
    pub(super) max: Option<Price>,
}

/// The ways to charge.
#[derive(Debug, Clone)]
pub(super) enum How {
    Steps(StepsPlan),
    Flat { price: Price, tolerance: i64 },
    Free,
}

/// A cap.
#[derive(Debug, Clone)]
pub(super) struct CapPlan {
    /// Its place in the file's list, which names it.
    pub(super) place: usize,
    pub(super) max: Exact,
    pub(super) per: CapPer,
    /// One for each rate of the scheme; empty: all.
    pub(super) rates: Vec<Concerned>,
    pub(super) mark: u8,
    pub(super) day_numbers: Option<DayNumbers>,
    pub(super) visits: Visits,
}

/// A surcharge or discount.
#[derive(Debug, Clone)]
pub(super) struct AdjustPlan {
    pub(super) by: AdjustBy,
    pub(super) rates: Vec<Concerned>,
    pub(super) mark: u8,
    pub(super) applied: Applied,
}

/// Whether a rule concerns a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concerned {
    /// It does.
    Yes,
    /// It does not.
    No,
}

impl SchemePlan {
    /// Whether visits share a cap of it.
    pub(super) fn has_shared_caps(&self) -> bool {
        self.caps.iter().any(|cap| cap.visits == Visits::Together)
    }
}

impl Plan {
    /// Makes a checked version ready. Fails only on what the checks of a file refuse.
    pub fn new(file: Arc<TariffFile>) -> Result<Self, PriceError> {
        let days = Days::of(&file.calendar, &file.seasons)?;
        let names = Names { file: &file, days: &days };
        let schemes = file.schemes.iter().enumerate().map(|(place, scheme)| names.scheme(place, scheme));
        let schemes = schemes.collect::<Result<Vec<_>, _>>()?;
        let label = format!("{}@{}", file.id, file.version);
        Ok(Self { label, zone: Zone::of(file.time_zone), schemes, days, file })
    }

    /// The file that it was made from.
    pub fn file(&self) -> &TariffFile {
        &self.file
    }

    /// `id@version`: what a fee names as the prices that it was worked out by.
    pub fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn kind(&self, name: &str) -> Option<u16> {
        let place = self.file.vehicles.iter().position(|vehicle| vehicle.kind == name);
        place.and_then(|place| u16::try_from(place).ok())
    }

    pub(super) fn area(&self, id: &str) -> Option<u16> {
        let place = self.file.areas.iter().position(|area| area.id == id);
        place.and_then(|place| u16::try_from(place).ok())
    }
}

/// Turns names into numbers.
struct Names<'f> {
    file: &'f TariffFile,
    days: &'f Days,
}

/// A number that matches no vehicle, area: a name that the file does not define holds for nothing.
const NOWHERE: u16 = u16::MAX;

impl Names<'_> {
    fn vehicles(&self, names: &[String]) -> Vec<u16> {
        let of = |name: &String| self.file.vehicles.iter().position(|vehicle| vehicle.kind == *name);
        names.iter().map(|name| of(name).map_or(NOWHERE, number)).collect()
    }

    fn areas(&self, names: &[String]) -> Vec<u16> {
        let of = |name: &String| self.file.areas.iter().position(|area| area.id == *name);
        names.iter().map(|name| of(name).map_or(NOWHERE, number)).collect()
    }

    fn seasons(&self, names: &[String]) -> u32 {
        let of = |name: &String| self.file.seasons.iter().position(|season| season.name == *name);
        names.iter().filter_map(of).fold(0, |mask, place| mask | 1 << place)
    }

    fn selector(&self, from: &Selectors) -> SelectorPlan {
        SelectorPlan {
            days: from.days.iter().map(|class| self.days.selector(class)).collect(),
            time: from.time.clone(),
            seasons: self.seasons(&from.seasons),
            vehicles: self.vehicles(&from.vehicles),
            areas: self.areas(&from.areas),
            split_at_midnight: from.split_at_midnight,
        }
    }

    fn scheme(&self, place: usize, from: &Scheme) -> Result<SchemePlan, PriceError> {
        let mut charges = Vec::new();
        let mut rates = Vec::new();
        for (rate, made) in from.rates.iter().enumerate() {
            rates.push(self.rate(rate, made, &mut charges)?);
        }
        let mut marks = Vec::new();
        let mut mark = |selectors: &Selectors| {
            marks.push(self.selector(selectors));
            u8::try_from(marks.len() - 1)
                .ok()
                .filter(|place| u32::from(*place) < Marks::BITS)
                .ok_or(PriceError::TooManyRules)
        };
        let mut caps = Vec::new();
        for (place, cap) in from.caps.iter().enumerate() {
            caps.push(cap_plan(place, cap, mark(&cap.selectors)?, from));
        }
        caps.sort_by_key(|cap| (cap.rates.is_empty(), period_order(cap.per), cap.place));
        let mut adjusts = Vec::new();
        for adjust in &from.adjusts {
            adjusts.push(adjust_plan(adjust, mark(&adjust.selectors)?, from));
        }
        let some = |per, visits| caps.iter().any(|cap: &CapPlan| cap.per == per && cap.visits == visits);
        let periods = Periods {
            days_24h: some(CapPer::Day24h, Visits::Each),
            shared_24h: some(CapPer::Day24h, Visits::Together),
            calendar_days: caps.iter().any(|cap: &CapPlan| cap.per == CapPer::CalendarDay),
        };
        Ok(SchemePlan {
            place,
            conditions: self.conditions(from),
            flat: from.flat,
            free: from.free,
            cycle: from.cycle.map(|cycle| (cycle.every, cycle.next)),
            counting: from.counting,
            boundary: from.boundary,
            rates,
            charges,
            marks,
            caps,
            adjusts,
            minimum: from.minimum,
            maximum: from.maximum,
            rounding: from.rounding,
            periods,
        })
    }

    fn conditions(&self, from: &Scheme) -> ConditionsPlan {
        let given = &from.conditions;
        let by_car = u8::from(!given.vehicles.is_empty()) + u8::from(!given.areas.is_empty());
        let others = [given.entered.is_empty(), given.left.is_empty(), given.days.is_empty(), given.seasons.is_empty()];
        let spans = u8::from(given.at_least.is_some()) + u8::from(given.at_most.is_some());
        let all = others.into_iter().fold(by_car + spans, |count, empty| count + u8::from(!empty));
        ConditionsPlan {
            vehicles: self.vehicles(&given.vehicles),
            areas: self.areas(&given.areas),
            days: given.days.iter().map(|class| self.days.selector(class)).collect(),
            seasons: self.seasons(&given.seasons),
            breadth: (all, by_car),
        }
    }

    fn rate(&self, place: usize, from: &Rate, charges: &mut Vec<ChargePlan>) -> Result<RatePlan, PriceError> {
        let rate = number(place);
        let first = number(charges.len());
        let (pick, clock) = match &from.charge {
            Charge::Cheapest(offers) => {
                for Offer { charge, min, max, .. } in offers {
                    charges.push(charge_plan(rate, charge, *min, *max)?);
                }
                (Pick::CheapestOf(number(offers.len())), Clock::Runs)
            }
            own => {
                charges.push(charge_plan(rate, own, from.min, from.max)?);
                (Pick::Own, if let Charge::Free(clock) = own { *clock } else { Clock::Runs })
            }
        };
        Ok(RatePlan { selector: self.selector(&from.selectors), first, pick, clock })
    }
}

fn number(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(NOWHERE)
}

fn charge_plan(rate: u16, from: &Charge, min: Option<Price>, max: Option<Price>) -> Result<ChargePlan, PriceError> {
    let how = match from {
        Charge::Steps(steps) => How::Steps(StepsPlan::of(steps)?),
        Charge::Flat { price, tolerance } => How::Flat { price: *price, tolerance: tolerance.seconds() },
        Charge::Free(_) | Charge::Cheapest(_) => How::Free,
    };
    Ok(ChargePlan { rate, how, min, max })
}

fn concerned(names: &[String], scheme: &Scheme) -> Vec<Concerned> {
    if names.is_empty() {
        return Vec::new();
    }
    let of = |rate: &Rate| if names.contains(&rate.name) { Concerned::Yes } else { Concerned::No };
    scheme.rates.iter().map(of).collect()
}

fn cap_plan(place: usize, from: &Cap, mark: u8, scheme: &Scheme) -> CapPlan {
    CapPlan {
        place,
        max: from.max.into(),
        per: from.per,
        rates: concerned(&from.rates, scheme),
        mark,
        day_numbers: from.day_numbers,
        visits: from.visits,
    }
}

fn adjust_plan(from: &Adjust, mark: u8, scheme: &Scheme) -> AdjustPlan {
    AdjustPlan { by: from.by, rates: concerned(&from.rates, scheme), mark, applied: from.applied }
}

fn period_order(per: CapPer) -> u8 {
    match per {
        CapPer::Window => 0,
        CapPer::Day24h => 1,
        CapPer::CalendarDay => 2,
        CapPer::Visit => 3,
    }
}
