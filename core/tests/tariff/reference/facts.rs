//! What happened around a stay: lost records, visits before it, passes, payments.

use chrono::TimeDelta;
use tollhouse_core::money::Money;
use tollhouse_core::tariff::model::{
    ComingBack, Counts, CoveredSpan, EarlierVisit, EarlyPayment, LostRecord, Record, Since, TariffFile, WrittenStay,
};

use super::exact::Exact;
use super::{FreeTime, plain_fee};

/// What the visit costs in all, and what is due at its end, in the currency's smallest unit.
pub(crate) fn owed(file: &TariffFile, stay: &WrittenStay) -> (i64, i64) {
    // What was paid so far, and when everything was settled last.
    let (mut paid, mut settled) = (0, None);
    for payment in &stay.payments {
        let until = WrittenStay { exit: payment.at, ..stay.clone() };
        let due = (total(file, &until, settled) - paid).max(0);
        paid += payment.amount.map_or(due, Money::minor);
        let fee = total(file, &until, settled);
        if paid >= fee {
            settled = Some((payment.at, fee));
        }
    }
    let fee = total(file, stay, settled);
    (fee, (fee - paid).max(0))
}

type Settled = Option<(chrono::DateTime<chrono::Utc>, i64)>;

/// The fee up to the exit, when it was all paid at a moment before.
fn total(file: &TariffFile, stay: &WrittenStay, settled: Settled) -> i64 {
    let Some((at, fee)) = settled else { return fee_of(file, stay) };
    if stay.exit <= at + TimeDelta::seconds(file.exit_grace.seconds()) {
        return fee;
    }
    match file.early_payment {
        EarlyPayment::FromEntry => fee_of(file, stay),
        EarlyPayment::FromPayment => {
            let rest = WrittenStay { enter: at, earlier: Vec::new(), payments: Vec::new(), ..stay.clone() };
            fee + fee_of(file, &rest)
        }
    }
}

fn fee_of(file: &TariffFile, stay: &WrittenStay) -> i64 {
    let lost = file.lost_record.filter(|_| stay.record == Record::Lost);
    let minor = |price| Exact::price(price).minor(file.currency.decimals());
    match lost {
        None => visit(file, stay),
        Some(LostRecord::OfTheFee(price)) => minor(price),
        Some(LostRecord::OnTop(price)) => visit(file, stay) + minor(price),
        Some(LostRecord::AtLeast(price)) => visit(file, stay).max(minor(price)),
        Some(LostRecord::AsIf(span)) => {
            let enter = stay.exit - TimeDelta::seconds(span.seconds());
            visit(file, &WrittenStay { enter, earlier: Vec::new(), areas: Vec::new(), ..stay.clone() })
        }
    }
}

fn visit(file: &TariffFile, stay: &WrittenStay) -> i64 {
    let Some(back) = file.coming_back else { return parts(file, stay, FreeTime::AsTheTariffSays) };
    let chain = chain(back, stay);
    let Some(first) = chain.first() else { return parts(file, stay, FreeTime::AsTheTariffSays) };
    match back.counts {
        Counts::WithoutFreeTime => parts(file, stay, FreeTime::None),
        Counts::Free { at_most } => {
            let long = (stay.exit - stay.enter).num_seconds();
            if long <= at_most.seconds() { 0 } else { parts(file, stay, FreeTime::AsTheTariffSays) }
        }
        Counts::FromFirstEntry | Counts::WithoutTheTimeAway => {
            let joined = |exit| WrittenStay { enter: first.enter, exit, earlier: Vec::new(), ..stay.clone() };
            let ends = chain.iter().map(|visit| visit.exit);
            let begins = chain.iter().skip(1).map(|visit| visit.enter).chain([stay.enter]);
            let leaves_out = back.counts == Counts::WithoutTheTimeAway;
            let away: Vec<_> = ends.zip(begins).map(|(from, to)| (from.timestamp(), to.timestamp())).collect();
            let away = if leaves_out { away } else { Vec::new() };
            let whole = plain_fee(file, &joined(stay.exit), FreeTime::AsTheTariffSays, &away);
            (whole - paid_before(file, stay, chain)).max(0)
        }
    }
}

/// What the visits before cost when they ended, or what was paid for them.
fn paid_before(file: &TariffFile, stay: &WrittenStay, chain: &[EarlierVisit]) -> i64 {
    let before = stay.earlier.len() - chain.len();
    let paid = chain.iter().enumerate().map(|(place, one)| {
        let earlier = stay.earlier[..before + place].to_vec();
        let (enter, exit) = (one.enter, one.exit);
        let own = WrittenStay { enter, exit, earlier, payments: Vec::new(), areas: Vec::new(), ..stay.clone() };
        one.paid.map_or_else(|| visit(file, &own), Money::minor)
    });
    paid.sum()
}

/// The visits that this one continues.
fn chain(back: ComingBack, stay: &WrittenStay) -> &[EarlierVisit] {
    let within = TimeDelta::seconds(back.within.seconds());
    let mut from = stay.earlier.len();
    let mut next = stay.enter;
    while from > 0 && back.since == Since::Exit && next - stay.earlier[from - 1].exit <= within {
        from -= 1;
        next = stay.earlier[from].enter;
    }
    if back.since == Since::FirstEntry {
        from = (0..stay.earlier.len()).find(|place| stay.enter - stay.earlier[*place].enter <= within).unwrap_or(from);
    }
    &stay.earlier[from..]
}

/// The parts that no pass covers, each from its own start and without free time.
fn parts(file: &TariffFile, stay: &WrittenStay, free: FreeTime) -> i64 {
    let inside = |span: &&CoveredSpan| span.from < stay.exit && span.to > stay.enter && span.from < span.to;
    let covered: Vec<&CoveredSpan> = stay.covered.iter().filter(inside).collect();
    if covered.is_empty() {
        return plain_fee(file, stay, free, &[]);
    }
    let (mut at, mut sum) = (stay.enter, 0);
    let ends = covered.iter().map(|span| (span.from, span.to)).chain([(stay.exit, stay.exit)]);
    for (from, to) in ends {
        if from > at {
            let part = WrittenStay { enter: at, exit: from.min(stay.exit), ..stay.clone() };
            sum += plain_fee(file, &part, FreeTime::None, &[]);
        }
        at = at.max(to);
    }
    sum
}
