//! What happened around a stay: lost records, visits before it, passes, versions, payments.

use chrono::{DateTime, TimeDelta, Utc};
use tollhouse_core::money::Money;
use tollhouse_core::tariff::model::{
    AreaVisit, CoveredSpan, EarlierVisit, EarlyPayment, LostRecord, Record, Seconds, TariffFile, VersionBy, WrittenStay,
};

use super::exact::Exact;
use super::settle::Used;
use super::visits::{Made, made, shared_since};
use super::wall::{Second, moment};
use super::{FreeTime, Reference};

/// The versions of a tariff, the earliest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Book<'b>(pub(crate) &'b [TariffFile]);

impl<'b> Book<'b> {
    fn in_force(self, at: DateTime<Utc>) -> &'b TariffFile {
        let begun = |file: &&TariffFile| file.in_force_from.is_none_or(|from| from <= at);
        self.0.iter().rev().find(begun).unwrap_or(&self.0[0])
    }
}

/// What is owed at the end, in the currency's smallest unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owed {
    pub(crate) fee: i64,
    pub(crate) due: i64,
    pub(crate) leave_by: Option<DateTime<Utc>>,
}

pub(crate) fn owed(book: Book<'_>, stay: &WrittenStay) -> Owed {
    let grace = TimeDelta::seconds(book.in_force(stay.enter).exit_grace.seconds());
    // What was paid so far, and when everything was settled last.
    let (mut paid, mut settled) = (0, None);
    for payment in &stay.payments {
        let fee = total(book, &WrittenStay { exit: payment.at, ..stay.clone() }, &settled, grace);
        let due = (fee - paid).max(0);
        paid += payment.amount.map_or(due, Money::minor);
        if due > 0 && paid >= fee {
            settled = Some((payment.at, fee));
        }
    }
    let fee = total(book, stay, &settled, grace);
    let due = (fee - paid).max(0);
    let runs_anew = book.in_force(stay.enter).early_payment == EarlyPayment::FromPayment;
    let in_time = |at: &DateTime<Utc>| !runs_anew || stay.exit <= *at + grace;
    let leave_by = settled.map(|(at, _)| at).filter(in_time).filter(|_| due == 0).map(|at| at + grace);
    Owed { fee, due, leave_by }
}

type Settled = Option<(DateTime<Utc>, i64)>;

/// The fee up to the exit, when it was all paid at a moment before.
fn total(book: Book<'_>, stay: &WrittenStay, settled: &Settled, grace: TimeDelta) -> i64 {
    let Some((at, fee)) = *settled else { return fee_of(book, stay) };
    if stay.exit <= at + grace {
        return fee;
    }
    match book.in_force(stay.enter).early_payment {
        EarlyPayment::FromEntry => fee_of(book, stay),
        EarlyPayment::FromPayment => {
            let (earlier, payments, record) = (Vec::new(), Vec::new(), Record::Known);
            fee + fee_of(book, &WrittenStay { enter: at, earlier, payments, record, ..stay.clone() })
        }
    }
}

fn fee_of(book: Book<'_>, stay: &WrittenStay) -> i64 {
    let file = book.in_force(stay.enter);
    let minor = |price| Exact::price(price).minor(file.currency.decimals());
    let case = Case { book, file, stay: &with_whole_moments(file, stay) };
    match file.lost_record.filter(|_| stay.record == Record::Lost) {
        None => case.visit(),
        Some(LostRecord::OfTheFee(price)) => minor(price),
        Some(LostRecord::OnTop(price)) => case.visit() + minor(price),
        Some(LostRecord::AtLeast(price)) => case.visit().max(minor(price)),
        Some(LostRecord::AsIf(span)) => {
            let enter = case.stay.exit - TimeDelta::seconds(span.seconds());
            let before = |visit: &&EarlierVisit| visit.exit <= enter;
            let earlier = case.stay.earlier.iter().filter(before).copied().collect();
            Case { stay: &WrittenStay { enter, earlier, ..case.stay.clone() }, ..case }.visit()
        }
    }
}

/// Every moment cut as the tariff says.
fn with_whole_moments(file: &TariffFile, stay: &WrittenStay) -> WrittenStay {
    let cut = |at: DateTime<Utc>| {
        let seconds = at.timestamp();
        moment(if file.seconds == Seconds::Drop { seconds.div_euclid(60) * 60 } else { seconds })
    };
    let areas = stay.areas.iter().map(|one| AreaVisit { enter: cut(one.enter), exit: cut(one.exit), ..one.clone() });
    let earlier = stay.earlier.iter().map(|one| EarlierVisit { enter: cut(one.enter), exit: cut(one.exit), ..*one });
    let covered = stay.covered.iter().map(|one| CoveredSpan { from: cut(one.from), to: cut(one.to) });
    WrittenStay {
        enter: cut(stay.enter),
        exit: cut(stay.exit),
        areas: areas.collect(),
        earlier: earlier.collect(),
        covered: covered.collect(),
        ..stay.clone()
    }
}

/// One visit, whose moments are whole, by the version that was in force when it began.
#[derive(Clone, Copy)]
struct Case<'c> {
    book: Book<'c>,
    file: &'c TariffFile,
    stay: &'c WrittenStay,
}

fn seconds_of(visit: &EarlierVisit) -> (Second, Second) {
    (visit.enter.timestamp(), visit.exit.timestamp())
}

impl Case<'_> {
    fn visit(self) -> i64 {
        let stay = self.stay;
        let present = (stay.enter.timestamp(), stay.exit.timestamp());
        let visits: Vec<_> = stay.earlier.iter().map(seconds_of).chain([present]).collect();
        let Made::Stay { first, free, away } = made(self.file, &visits) else { return 0 };
        // A joined stay has the prices that were in force at its first entry.
        let joined = first + 1 < visits.len();
        let file = if joined { self.book.in_force(moment(visits[first].0)) } else { self.file };
        let case = Case { file, ..self };
        let joined_stay = Stay { from: visits[first].0, to: present.1, free, away };
        let whole = case.stay_of(&visits[..first], &joined_stay);
        let paid: i64 = (first..visits.len() - 1).map(|place| self.paid_for(place)).sum();
        if joined { (whole - paid).max(0) } else { whole }
    }

    /// What was paid for a visit before: its whole fee, unless something else is said.
    fn paid_for(self, place: usize) -> i64 {
        let one = &self.stay.earlier[place];
        if let Some(paid) = one.paid {
            return paid.minor();
        }
        let (enter, exit, earlier) = (one.enter, one.exit, self.stay.earlier[..place].to_vec());
        let (payments, areas, record) = (Vec::new(), Vec::new(), Record::Known);
        fee_of(self.book, &WrittenStay { enter, exit, earlier, payments, areas, record, ..self.stay.clone() })
    }

    /// What a stay costs after some visits, which have used up of the caps that all share.
    fn stay_of(self, before: &[(Second, Second)], stay: &Stay) -> i64 {
        let mut stays: Vec<Stay> = Vec::new();
        for place in 0..before.len() {
            match made(self.file, &before[..=place]) {
                Made::Nothing => {}
                Made::Stay { first, free, away } => {
                    // A visit that is joined to others takes their place.
                    stays.retain(|held| held.from < before[first].0);
                    stays.push(Stay { from: before[first].0, to: before[place].1, free, away });
                }
            }
        }
        let times: Vec<_> = stays.iter().map(|stay| (stay.from, stay.to)).collect();
        let mut shares = Shares { since: shared_since(&times, stay.from), used: Used::new() };
        for held in &stays {
            self.parts(held, &mut shares);
        }
        self.parts(stay, &mut shares)
    }

    /// The parts that no pass covers, each from its own start and without free time, and in each what each version prices.
    fn parts(self, stay: &Stay, shares: &mut Shares) -> i64 {
        let (from, to) = (stay.from, stay.to);
        let covered = self.stay.covered.iter().map(|span| (span.from.timestamp(), span.to.timestamp()));
        let covered: Vec<_> = covered.filter(|(begins, ends)| *begins < to && *ends > from && begins < ends).collect();
        let mut free = if covered.is_empty() { stay.free } else { FreeTime::None };
        let is_open = |at: Second| !covered.iter().any(|(begins, ends)| *begins <= at && at < *ends);
        let by_moment = self.file.version_by == VersionBy::Moment;
        let version = |at: Second| if by_moment { self.book.in_force(moment(at)) } else { self.file };
        let ends = covered.iter().flat_map(|(begins, ends)| [*begins, *ends]);
        let changes = self.book.0.iter().filter_map(|file| file.in_force_from).map(|at| at.timestamp());
        let changes = changes.filter(|at| version(*at).version != version(*at - 1).version);
        let mut bounds: Vec<Second> = ends.chain(changes).filter(|at| from < *at && *at < to).chain([to]).collect();
        bounds.sort_unstable();
        bounds.dedup();
        let (mut at, mut sum) = (from, 0);
        for bound in bounds {
            if at < bound && is_open(at) {
                let whole = if by_moment { (from, to) } else { (at, bound) };
                let part = Part { time: (at, bound), whole, free, away: &stay.away };
                let Some(cost) = self.part(version(at), part, shares) else { return sum };
                sum += cost;
                free = FreeTime::None;
            }
            at = at.max(bound);
        }
        sum
    }

    /// None if free time covers all of the visit.
    fn part(self, file: &TariffFile, part: Part<'_>, shares: &mut Shares) -> Option<i64> {
        let mut file = file.clone();
        if let Some(calendar) = &self.stay.calendar {
            file.calendar = file.calendar.overlaid_with(calendar);
        }
        let kind = || file.vehicle_of(self.stay.colour).map(|vehicle| vehicle.kind.clone());
        let vehicle = self.stay.vehicle.clone().or_else(kind).unwrap_or_else(|| "small".to_owned());
        let reference = Reference {
            file: &file,
            vehicle: &vehicle,
            areas: &self.stay.areas,
            from: part.time.0,
            to: part.time.1,
            free: part.free,
            away: part.away,
            whole: part.whole,
            shared_since: shares.since,
            used: &shares.used,
            tick_s: 60,
        };
        let (cost, more) = reference.fee()?;
        shares.used.extend(more);
        Some(cost.minor(file.currency.decimals()))
    }
}

/// A time that is priced as one stay.
struct Stay {
    from: Second,
    to: Second,
    free: FreeTime,
    away: Vec<(Second, Second)>,
}

/// What stays share.
struct Shares {
    since: Second,
    used: Used,
}

/// A part of a stay by one version.
#[derive(Clone, Copy)]
struct Part<'p> {
    time: (Second, Second),
    whole: (Second, Second),
    free: FreeTime,
    away: &'p [(Second, Second)],
}
