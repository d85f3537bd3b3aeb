//! The partition: every row of both sides in exactly one class.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Carried, Class, Classed, Done, Key, Kind, Origin, Ours, Theirs};

/// One day of one provider.
#[derive(Debug, Clone, Copy)]
pub struct Day<'d> {
    /// When the provider's day begins.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub until: DateTime<Utc>,
    /// How long before its end a row that the statement lacks may still stand in the next one.
    pub slack: TimeDelta,
    /// Our merchant account there.
    pub merchant: &'d str,
    /// The statement.
    pub theirs: &'d [Theirs],
    /// The books, from a day before to a day after, without what another day's statement has matched.
    pub ours: &'d [Ours],
    /// The numbers of orders of which the books know that they were paid.
    pub captured: &'d BTreeSet<String>,
}

/// Puts every row of the statement into one class, and every row of the books that belongs to this day. Rows of the days
/// beside it, which stand there for the sake of midnight, appear only if the statement has them (or if they were carried).
pub fn partition(day: &Day<'_>) -> Vec<Classed> {
    let mut unmatched: BTreeMap<&Key, usize> = BTreeMap::new();
    for (place, ours) in day.ours.iter().enumerate() {
        unmatched.entry(&ours.key).or_insert(place);
    }
    let reversed: BTreeSet<(&str, &str)> =
        day.theirs.iter().filter(|row| row.key.kind == Kind::Reversed).map(payment_of).collect();
    let mut seen: BTreeSet<&Key> = BTreeSet::new();
    let mut classed = Vec::with_capacity(day.theirs.len() + day.ours.len());
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    for place in in_order(day) {
        let theirs = &day.theirs[place];
        let (class, ours) = if theirs.merchant != day.merchant {
            (Class::Foreign, None)
        } else if !seen.insert(&theirs.key) {
            (Class::Twice, None)
        } else if let Some(ours) = unmatched.get(&theirs.key).copied() {
            (both(theirs, &day.ours[ours]), Some(ours))
        } else {
            (theirs_alone(theirs, day, &reversed), None)
        };
        taken.extend(ours);
        classed.push(Classed { class, theirs: Some(place), ours });
    }
    for (place, ours) in day.ours.iter().enumerate() {
        if !taken.contains(&place)
            && let Some(class) = ours_alone(ours, day)
        {
            classed.push(Classed { class, theirs: None, ours: Some(place) });
        }
    }
    classed
}

/// Of rows under one key, the one whose amount is that of the books comes first: the other one is the second.
fn in_order(day: &Day<'_>) -> Vec<usize> {
    let amounts: BTreeMap<&Key, _> = day.ours.iter().map(|ours| (&ours.key, ours.amount)).collect();
    let mut places: Vec<usize> = (0..day.theirs.len()).collect();
    places.sort_by_key(|place| {
        let row = &day.theirs[*place];
        amounts.get(&row.key).is_some_and(|amount| *amount != row.amount)
    });
    places
}

fn payment_of(row: &Theirs) -> (&str, &str) {
    (&row.key.transaction, &row.key.order)
}

fn both(theirs: &Theirs, ours: &Ours) -> Class {
    let same = theirs.amount == ours.amount;
    match theirs.key.kind {
        Kind::Paid | Kind::Reversed if same => Class::Matched,
        Kind::Paid | Kind::Reversed => Class::AmountDiffers,
        Kind::Refund if !same => Class::RefundDiffers,
        // The money is back with the payer, and the books have it on its way.
        Kind::Refund if theirs.done == Done::Yes && ours.done == Done::NotYet => Class::MissingWithUs,
        Kind::Refund if ours.origin == Origin::Console => Class::RefundedInConsole,
        Kind::Refund => Class::Matched,
    }
}

fn theirs_alone(theirs: &Theirs, day: &Day<'_>, reversed: &BTreeSet<(&str, &str)>) -> Class {
    let captured = day.captured.contains(&theirs.key.order);
    match theirs.key.kind {
        // Taken back before anybody booked it: both rows of it are explained by each other.
        Kind::Paid | Kind::Reversed if reversed.contains(&payment_of(theirs)) && !captured => Class::Matched,
        Kind::Refund | Kind::Reversed if captured => Class::RefundedInConsole,
        Kind::Paid | Kind::Refund | Kind::Reversed => Class::MissingWithUs,
    }
}

fn ours_alone(ours: &Ours, day: &Day<'_>) -> Option<Class> {
    if ours.done == Done::NotYet {
        return None;
    }
    if ours.carried == Carried::Over {
        return Some(Class::MissingWithThem);
    }
    let of_this_day = day.from <= ours.at && ours.at < day.until;
    let near = ours.at >= day.until - day.slack;
    of_this_day.then_some(if near { Class::CarriedToNextDay } else { Class::MissingWithThem })
}
