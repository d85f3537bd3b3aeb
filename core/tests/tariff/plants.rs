//! Faults such as an engine may have, each planted in what it is given. The comparison has to find every one, else it
//! would not find an engine's own.

use chrono::TimeDelta;
use tollhouse_core::tariff::model::{
    Adjust, AdjustBy, Again, Applied, Boundary, Cap, CapPer, Charge, ComingBack, Counting, Counts, CoveredSpan,
    Direction, EarlyPayment, Exceeded, Free, FreeAreas, FreeEnds, LostRecord, Measured, Next, Price, Rate, Record,
    RoundAt, Scheme, Seconds, Since, Span, StepEnds, StepPrice, Steps, TariffFile, Units, VersionBy, Visits,
    WrittenStay,
};

use crate::compare::Given;

/// Where a fault is planted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum In {
    /// In every version of the tariff.
    Tariff(fn(&mut TariffFile) -> Planted),
    /// In the stay.
    Stay(fn(&mut WrittenStay) -> Planted),
}

/// Whether there was something to be spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    Spoilt,
    Sound,
}

impl In {
    pub(crate) fn spoil(self, given: &mut Given) -> Planted {
        let spoilt: Vec<Planted> = match self {
            Self::Tariff(spoil) => given.versions.iter_mut().map(spoil).collect(),
            Self::Stay(spoil) => vec![spoil(&mut given.stay)],
        };
        if spoilt.contains(&Planted::Spoilt) { Planted::Spoilt } else { Planted::Sound }
    }
}

/// Each by what it does wrong.
pub(crate) const PLANTS: &[(&str, In)] = &[
    (
        "a band ends a minute late",
        In::Tariff(|file| {
            all_steps(file, |steps| {
                let bands = steps.steps.iter_mut().filter(|step| matches!(step.price, StepPrice::Total(_)));
                let mut bands = bands;
                bands.find_map(|step| step.until.as_mut()).map(later)
            })
        }),
    ),
    (
        "the moment at the end of a step belongs to the other step",
        In::Tariff(|file| {
            all_steps(file, |steps| {
                let turned = if steps.ends == StepEnds::Included { StepEnds::Excluded } else { StepEnds::Included };
                set(&mut steps.ends, turned)
            })
        }),
    ),
    (
        "an unfinished unit is forgotten",
        In::Tariff(|file| all_units(file, |(_, _, units, _)| (*units == Units::Started).then(|| *units = Units::Full))),
    ),
    (
        "the tolerance is forgotten",
        In::Tariff(|file| {
            all_units(file, |(.., tolerance)| (!tolerance.is_zero()).then(|| *tolerance = Span::default()))
        }),
    ),
    (
        "a fen too much for each unit",
        In::Tariff(|file| all_units(file, |(_, price, ..)| set(price, Price::from_micros(price.micros() + 10_000)))),
    ),
    (
        "free minutes are deducted where they are lost",
        In::Tariff(|file| {
            all(file, |scheme| {
                let free = scheme.free.as_mut().filter(|free| free.when_exceeded == Exceeded::Lost)?;
                set(&mut free.when_exceeded, Exceeded::Deducted)
            })
        }),
    ),
    (
        "the last free minute is not free",
        In::Tariff(|file| {
            all(file, |scheme| {
                let free = scheme.free.as_mut().filter(|free| free.ends == FreeEnds::Included)?;
                set(&mut free.ends, FreeEnds::Excluded)
            })
        }),
    ),
    (
        "each cycle forgets its free minutes",
        In::Tariff(|file| {
            all(file, |scheme| {
                let free = scheme.free.as_mut().filter(|free| free.again == Again::EachCycle)?;
                set(&mut free.again, Again::Never)
            })
        }),
    ),
    (
        "a cycle goes on instead of beginning again",
        In::Tariff(|file| {
            all(file, |scheme| {
                let cycle = scheme.cycle.as_mut().filter(|cycle| cycle.next == Next::Restart)?;
                set(&mut cycle.next, Next::Continue)
            })
        }),
    ),
    (
        "steps count the whole visit instead of the rate's own time",
        In::Tariff(|file| {
            all(file, |scheme| (scheme.counting == Counting::Rate).then(|| scheme.counting = Counting::Visit))
        }),
    ),
    (
        "steps count the rate's time instead of the window's",
        In::Tariff(|file| {
            all(file, |scheme| (scheme.counting == Counting::Window).then(|| scheme.counting = Counting::Rate))
        }),
    ),
    (
        "a unit over a boundary is cut instead of priced where it begins",
        In::Tariff(|file| turn(file, Boundary::Start, Boundary::Restart)),
    ),
    (
        "a unit over a boundary is priced where it begins instead of where it ends",
        In::Tariff(|file| turn(file, Boundary::End, Boundary::Start)),
    ),
    ("a unit over a boundary is not shared out", In::Tariff(|file| turn(file, Boundary::Split, Boundary::Start))),
    (
        "a cap counts from midnight instead of from the entry",
        In::Tariff(|file| {
            all(file, |scheme| {
                let cap = scheme.caps.iter_mut().find(|cap| cap.per == CapPer::Day24h)?;
                set(&mut cap.per, CapPer::CalendarDay)
            })
        }),
    ),
    (
        "a cap holds for the visit instead of the day",
        In::Tariff(|file| {
            all(file, |scheme| {
                let cap = scheme.caps.iter_mut().find(|cap| cap.per == CapPer::CalendarDay)?;
                set(&mut cap.per, CapPer::Visit)
            })
        }),
    ),
    (
        "a cap for one rate holds for all",
        In::Tariff(|file| {
            all(file, |scheme| {
                let cap = scheme.caps.iter_mut().find(|cap| !cap.rates.is_empty())?;
                set(&mut cap.rates, Vec::new())
            })
        }),
    ),
    (
        "a cap for some days of the visit holds for all",
        In::Tariff(|file| all(file, |scheme| scheme.caps.iter_mut().find_map(|cap| cap.day_numbers.take()).map(drop))),
    ),
    (
        "a discount works before the caps instead of after",
        In::Tariff(|file| {
            all(file, |scheme| {
                let adjust = scheme.adjusts.iter_mut().find(|adjust| adjust.applied == Applied::AfterCaps)?;
                set(&mut adjust.applied, Applied::BeforeCaps)
            })
        }),
    ),
    (
        "surcharges work in the other order",
        In::Tariff(|file| all(file, |scheme| (scheme.adjusts.len() > 1).then(|| scheme.adjusts.reverse()))),
    ),
    (
        "halves are rounded down",
        In::Tariff(|file| {
            all(file, |scheme| {
                (scheme.rounding.direction == Direction::HalfUp).then(|| scheme.rounding.direction = Direction::Down)
            })
        }),
    ),
    (
        "the whole is rounded instead of each unit",
        In::Tariff(|file| {
            all(file, |scheme| (scheme.rounding.at == RoundAt::Unit).then(|| scheme.rounding.at = RoundAt::Total))
        }),
    ),
    ("a window's most is forgotten", In::Tariff(|file| all_rates(file, |rate| rate.max.take().map(drop)))),
    ("a window's least is forgotten", In::Tariff(|file| all_rates(file, |rate| rate.min.take().map(drop)))),
    ("a visit's least is forgotten", In::Tariff(|file| all(file, |scheme| scheme.minimum.take().map(drop)))),
    (
        "holidays are forgotten",
        In::Tariff(|file| {
            file.calendar.holidays.clear();
            Planted::Spoilt
        }),
    ),
    (
        "make-up workdays are forgotten",
        In::Tariff(|file| {
            file.calendar.workdays.clear();
            Planted::Spoilt
        }),
    ),
    (
        "the clock on the wall is an hour off",
        In::Tariff(|file| {
            file.time_zone = chrono_tz::Asia::Tokyo;
            Planted::Spoilt
        }),
    ),
    ("the exit grace is a minute too long", In::Tariff(|file| spoilt(lengthened(&mut file.exit_grace, 60)))),
    (
        "after the exit grace all is forgotten but the time since",
        In::Tariff(|file| turned(&mut file.early_payment, EarlyPayment::FromEntry, EarlyPayment::FromPayment)),
    ),
    (
        "after the exit grace the fee is the one from the entry",
        In::Tariff(|file| turned(&mut file.early_payment, EarlyPayment::FromPayment, EarlyPayment::FromEntry)),
    ),
    ("a return is a stay of its own", In::Tariff(|file| gone(file.coming_back.take()))),
    (
        "a return at the last moment comes too late",
        In::Tariff(|file| back(file, |back| lengthened(&mut back.within, -60))),
    ),
    (
        "a return is measured from the last exit instead of the first entry",
        In::Tariff(|file| back(file, |back| (back.since == Since::FirstEntry).then(|| back.since = Since::Exit))),
    ),
    (
        "the time away is charged",
        In::Tariff(|file| {
            back(file, |back| (back.counts == Counts::WithoutTheTimeAway).then(|| back.counts = Counts::FromFirstEntry))
        }),
    ),
    (
        "who returns has free time again",
        In::Tariff(|file| gone(file.coming_back.take_if(|back| back.counts == Counts::WithoutFreeTime))),
    ),
    (
        "who returns for a moment pays",
        In::Tariff(|file| gone(file.coming_back.take_if(|back| matches!(back.counts, Counts::Free { .. })))),
    ),
    ("a lost record costs nothing more", In::Tariff(|file| gone(file.lost_record.take()))),
    (
        "a lost record costs this much beside the fee, not instead",
        In::Tariff(|file| {
            lost(file, |lost| match *lost {
                LostRecord::OfTheFee(fee) => set(lost, LostRecord::OnTop(fee)),
                _ => None,
            })
        }),
    ),
    (
        "a lost record costs this much beside the fee, not at least",
        In::Tariff(|file| {
            lost(file, |lost| match *lost {
                LostRecord::AtLeast(fee) => set(lost, LostRecord::OnTop(fee)),
                _ => None,
            })
        }),
    ),
    (
        "visits do not share a cap",
        In::Tariff(|file| {
            all(file, |scheme| {
                let cap = scheme.caps.iter_mut().find(|cap| cap.visits == Visits::Together)?;
                set(&mut cap.visits, Visits::Each)
            })
        }),
    ),
    (
        "visits share a cap that each has for itself",
        In::Tariff(|file| {
            all(file, |scheme| {
                let daily = |cap: &&mut Cap| matches!(cap.per, CapPer::CalendarDay | CapPer::Day24h);
                let cap = scheme.caps.iter_mut().filter(|cap| cap.visits == Visits::Each).find(daily)?;
                set(&mut cap.visits, Visits::Together)
            })
        }),
    ),
    (
        "the version at the entry prices everything",
        In::Tariff(|file| turned(&mut file.version_by, VersionBy::Moment, VersionBy::Entry)),
    ),
    (
        "a stay is cut where the version changes",
        In::Tariff(|file| turned(&mut file.version_by, VersionBy::Entry, VersionBy::Moment)),
    ),
    (
        "a version comes into force an hour late",
        In::Tariff(|file| match &mut file.in_force_from {
            Some(from) => spoilt(set(from, *from + TimeDelta::hours(1))),
            None => Planted::Sound,
        }),
    ),
    ("seconds are dropped", In::Tariff(|file| turned(&mut file.seconds, Seconds::Count, Seconds::Drop))),
    ("seconds are counted", In::Tariff(|file| turned(&mut file.seconds, Seconds::Drop, Seconds::Count))),
    (
        "an area's free time runs elsewhere too",
        In::Tariff(|file| free(file, |free| (free.areas == FreeAreas::Each).then(|| free.areas = FreeAreas::Entry))),
    ),
    (
        "free time runs while the clock stands",
        In::Tariff(|file| {
            free(file, |free| (free.measured == Measured::ChargedTime).then(|| free.measured = Measured::Stay))
        }),
    ),
    (
        "an amount is forgotten",
        In::Tariff(|file| {
            all(file, |scheme| {
                let place = scheme.adjusts.iter().position(|adjust| matches!(adjust.by, AdjustBy::Amount(_)))?;
                scheme.adjusts.remove(place);
                Some(())
            })
        }),
    ),
    (
        "an amount works behind the caps instead of before",
        In::Tariff(|file| {
            all(file, |scheme| {
                let early = |adjust: &&mut Adjust| {
                    (adjust.applied == Applied::BeforeCaps) && matches!(adjust.by, AdjustBy::Amount(_))
                };
                set(&mut scheme.adjusts.iter_mut().find(early)?.applied, Applied::AfterCaps)
            })
        }),
    ),
    ("the last payment is forgotten", In::Stay(|stay| gone(stay.payments.pop()))),
    (
        "a payment is taken for the whole that is due",
        In::Stay(|stay| {
            let of = stay.payments.iter_mut().find_map(|payment| payment.amount.take());
            gone(of)
        }),
    ),
    ("visits before are forgotten", In::Stay(|stay| gone(stay.earlier.drain(..).next_back()))),
    (
        "the first of several visits before is forgotten",
        In::Stay(|stay| {
            let several = stay.earlier.len() > 1;
            gone(several.then(|| stay.earlier.remove(0)))
        }),
    ),
    (
        "the whole fee of a visit before is taken for paid",
        In::Stay(|stay| gone(stay.earlier.iter_mut().find_map(|one| one.paid.take()))),
    ),
    ("a pass is forgotten", In::Stay(|stay| gone(stay.covered.pop()))),
    (
        "a pass covers a minute more",
        In::Stay(|stay| match stay.covered.first_mut() {
            Some(CoveredSpan { to, .. }) => spoilt(set(to, *to + TimeDelta::minutes(1))),
            None => Planted::Sound,
        }),
    ),
    ("the time in an area is forgotten", In::Stay(|stay| gone(stay.areas.pop()))),
    ("a lost record is taken for a known one", In::Stay(|stay| turned(&mut stay.record, Record::Lost, Record::Known))),
];

#[expect(clippy::unnecessary_wraps, reason = "each plant answers whether it found what to spoil")]
fn set<T>(what: &mut T, to: T) -> Option<()> {
    *what = to;
    Some(())
}

fn all(file: &mut TariffFile, spoil: impl Fn(&mut Scheme) -> Option<()>) -> Planted {
    let spoilt = file.schemes.iter_mut().filter_map(spoil).count();
    if spoilt > 0 { Planted::Spoilt } else { Planted::Sound }
}

fn all_rates(file: &mut TariffFile, spoil: impl Fn(&mut Rate) -> Option<()>) -> Planted {
    all(file, |scheme| (scheme.rates.iter_mut().filter_map(&spoil).count() > 0).then_some(()))
}

fn all_steps(file: &mut TariffFile, spoil: impl Fn(&mut Steps) -> Option<()>) -> Planted {
    all_rates(file, |rate| match &mut rate.charge {
        Charge::Steps(steps) => spoil(steps),
        _ => None,
    })
}

type UnitParts<'s> = (&'s mut Span, &'s mut Price, &'s mut Units, &'s mut Span);

fn all_units(file: &mut TariffFile, spoil: impl Fn(UnitParts<'_>) -> Option<()>) -> Planted {
    all_steps(file, |steps| {
        let spoilt = steps.steps.iter_mut().filter_map(|step| match &mut step.price {
            StepPrice::Units { per, price, units, tolerance } => spoil((per, price, units, tolerance)),
            StepPrice::Total(_) => None,
        });
        (spoilt.count() > 0).then_some(())
    })
}

fn turn(file: &mut TariffFile, from: Boundary, to: Boundary) -> Planted {
    all(file, |scheme| (scheme.boundary == from).then(|| scheme.boundary = to))
}

fn later(until: &mut Span) {
    *until = Span::from_seconds(u32::try_from(until.seconds() + 60).expect("a span"));
}

fn spoilt(done: Option<()>) -> Planted {
    if done.is_some() { Planted::Spoilt } else { Planted::Sound }
}

fn gone<T>(what: Option<T>) -> Planted {
    spoilt(what.map(drop))
}

fn turned<T: PartialEq + Copy>(what: &mut T, from: T, to: T) -> Planted {
    spoilt((*what == from).then(|| *what = to))
}

fn lengthened(span: &mut Span, by: i64) -> Option<()> {
    let seconds = u32::try_from(span.seconds() + by).expect("a span");
    set(span, Span::from_seconds(seconds))
}

fn back(file: &mut TariffFile, spoil: impl Fn(&mut ComingBack) -> Option<()>) -> Planted {
    spoilt(file.coming_back.as_mut().and_then(spoil))
}

fn lost(file: &mut TariffFile, spoil: impl Fn(&mut LostRecord) -> Option<()>) -> Planted {
    spoilt(file.lost_record.as_mut().and_then(spoil))
}

fn free(file: &mut TariffFile, spoil: impl Fn(&mut Free) -> Option<()>) -> Planted {
    all(file, |scheme| scheme.free.as_mut().and_then(&spoil))
}
