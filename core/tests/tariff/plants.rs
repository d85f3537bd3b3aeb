//! Faults such as an engine may have, each planted in what it is given. The comparison has to find every one, else it
//! would not find an engine's own.

use tollhouse_core::tariff::model::{
    Again, Applied, Boundary, CapPer, Charge, Counting, Direction, Exceeded, FreeEnds, Next, Price, Rate, RoundAt,
    Scheme, Span, StepEnds, StepPrice, Steps, TariffFile, Units,
};

use crate::compare::{Plant, Planted};

/// Each by what it does wrong.
pub(crate) const PLANTS: &[(&str, Plant)] = &[
    ("a band ends a minute late", |file| {
        all_steps(file, |steps| {
            let bands = steps.steps.iter_mut().filter(|step| matches!(step.price, StepPrice::Total(_)));
            let mut bands = bands;
            bands.find_map(|step| step.until.as_mut()).map(later)
        })
    }),
    ("the moment at the end of a step belongs to the other step", |file| {
        all_steps(file, |steps| {
            let turned = if steps.ends == StepEnds::Included { StepEnds::Excluded } else { StepEnds::Included };
            set(&mut steps.ends, turned)
        })
    }),
    ("an unfinished unit is forgotten", |file| {
        all_units(file, |(_, _, units, _)| (*units == Units::Started).then(|| *units = Units::Full))
    }),
    ("the tolerance is forgotten", |file| {
        all_units(file, |(.., tolerance)| (!tolerance.is_zero()).then(|| *tolerance = Span::default()))
    }),
    ("a fen too much for each unit", |file| {
        all_units(file, |(_, price, ..)| set(price, Price::from_micros(price.micros() + 10_000)))
    }),
    ("free minutes are deducted where they are lost", |file| {
        all(file, |scheme| {
            let free = scheme.free.as_mut().filter(|free| free.when_exceeded == Exceeded::Lost)?;
            set(&mut free.when_exceeded, Exceeded::Deducted)
        })
    }),
    ("the last free minute is not free", |file| {
        all(file, |scheme| {
            let free = scheme.free.as_mut().filter(|free| free.ends == FreeEnds::Included)?;
            set(&mut free.ends, FreeEnds::Excluded)
        })
    }),
    ("each cycle forgets its free minutes", |file| {
        all(file, |scheme| {
            let free = scheme.free.as_mut().filter(|free| free.again == Again::EachCycle)?;
            set(&mut free.again, Again::Never)
        })
    }),
    ("a cycle goes on instead of beginning again", |file| {
        all(file, |scheme| {
            let cycle = scheme.cycle.as_mut().filter(|cycle| cycle.next == Next::Restart)?;
            set(&mut cycle.next, Next::Continue)
        })
    }),
    ("steps count the whole visit instead of the rate's own time", |file| {
        all(file, |scheme| (scheme.counting == Counting::Rate).then(|| scheme.counting = Counting::Visit))
    }),
    ("steps count the rate's time instead of the window's", |file| {
        all(file, |scheme| (scheme.counting == Counting::Window).then(|| scheme.counting = Counting::Rate))
    }),
    ("a unit over a boundary is cut instead of priced where it begins", |file| {
        turn(file, Boundary::Start, Boundary::Restart)
    }),
    ("a unit over a boundary is priced where it begins instead of where it ends", |file| {
        turn(file, Boundary::End, Boundary::Start)
    }),
    ("a unit over a boundary is not shared out", |file| turn(file, Boundary::Split, Boundary::Start)),
    ("a cap counts from midnight instead of from the entry", |file| {
        all(file, |scheme| {
            let cap = scheme.caps.iter_mut().find(|cap| cap.per == CapPer::Day24h)?;
            set(&mut cap.per, CapPer::CalendarDay)
        })
    }),
    ("a cap holds for the visit instead of the day", |file| {
        all(file, |scheme| {
            let cap = scheme.caps.iter_mut().find(|cap| cap.per == CapPer::CalendarDay)?;
            set(&mut cap.per, CapPer::Visit)
        })
    }),
    ("a cap for one rate holds for all", |file| {
        all(file, |scheme| {
            let cap = scheme.caps.iter_mut().find(|cap| !cap.rates.is_empty())?;
            set(&mut cap.rates, Vec::new())
        })
    }),
    ("a cap for some days of the visit holds for all", |file| {
        all(file, |scheme| scheme.caps.iter_mut().find_map(|cap| cap.day_numbers.take()).map(drop))
    }),
    ("a discount works before the caps instead of after", |file| {
        all(file, |scheme| {
            let adjust = scheme.adjusts.iter_mut().find(|adjust| adjust.applied == Applied::AfterCaps)?;
            set(&mut adjust.applied, Applied::BeforeCaps)
        })
    }),
    ("surcharges work in the other order", |file| {
        all(file, |scheme| (scheme.adjusts.len() > 1).then(|| scheme.adjusts.reverse()))
    }),
    ("halves are rounded down", |file| {
        all(file, |scheme| {
            (scheme.rounding.direction == Direction::HalfUp).then(|| scheme.rounding.direction = Direction::Down)
        })
    }),
    ("the whole is rounded instead of each unit", |file| {
        all(file, |scheme| (scheme.rounding.at == RoundAt::Unit).then(|| scheme.rounding.at = RoundAt::Total))
    }),
    ("a window's most is forgotten", |file| all_rates(file, |rate| rate.max.take().map(drop))),
    ("a window's least is forgotten", |file| all_rates(file, |rate| rate.min.take().map(drop))),
    ("a visit's least is forgotten", |file| all(file, |scheme| scheme.minimum.take().map(drop))),
    ("holidays are forgotten", |file| {
        file.calendar.holidays.clear();
        Planted::Spoilt
    }),
    ("make-up workdays are forgotten", |file| {
        file.calendar.workdays.clear();
        Planted::Spoilt
    }),
    ("the clock on the wall is an hour off", |file| {
        file.time_zone = chrono_tz::Asia::Tokyo;
        Planted::Spoilt
    }),
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
