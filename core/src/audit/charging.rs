//! The invariants of property charging, proved over the records at the end (payments.md, invariants 6, 9 and 14).
//! They must not know how a bill came to be.

use std::collections::BTreeMap;

use super::invariants::{Faults, PAGE};
use super::{Invariant, JournalEntry};
use crate::charging::bills::{CardBill, CardLine, Nature, Source};
use crate::charging::calendar::{Span, joined};
use crate::charging::cards::{Billing, Card};
use crate::charging::place::Place;
use crate::record::{Record, Records};

/// Each day of a place and fee item lies in at most one live line, and the card has noted just those days.
pub(super) struct DaysBilledOnce;

/// Shows every record of a type whose key begins with `prefix`, a page at a time.
pub(super) fn each<T: Record>(
    records: &dyn Records,
    prefix: &str,
    mut look: impl FnMut(T) -> Result<(), String>,
) -> Result<(), String> {
    let mut from = prefix.to_owned();
    loop {
        let page = records.range(T::TABLE, &from, PAGE).map_err(|fault| fault.to_string())?;
        for (key, stored) in &page {
            if !key.starts_with(prefix) {
                return Ok(());
            }
            look(serde_json::from_str(&stored.json).map_err(|fault| format!("{key} cannot be read: {fault}"))?)?;
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => from = format!("{key}\u{0}"),
            _ => return Ok(()),
        }
    }
}

type Days = BTreeMap<(Place, Source), Vec<Span>>;

fn live_days(bills: &[CardBill]) -> Days {
    let mut days = Days::new();
    for line in bills.iter().flat_map(|bill| &bill.lines) {
        let live = line.live_days();
        if !live.is_empty() {
            days.entry((line.place.clone(), line.source.clone())).or_default().extend(live);
        }
    }
    days
}

fn noted_days(card: &Card) -> Days {
    let mut days = Days::new();
    for billed in card.billed.iter().filter(|billed| !billed.spans.is_empty()) {
        let source = match &billed.of {
            Billing::Fee { item, .. } => Source::Item(item.clone()),
            Billing::Term { source } => source.clone(),
        };
        days.entry((billed.place.clone(), source)).or_default().extend(&billed.spans);
    }
    days
}

fn count(spans: &[Span]) -> i64 {
    spans.iter().map(|span| span.days()).sum()
}

impl Invariant for DaysBilledOnce {
    fn name(&self) -> &'static str {
        "each day of a place and fee item was billed once, and the card knows it"
    }

    fn entry(&mut self, _: &JournalEntry) {}

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let mut faults = Faults::default();
        let mut checked = 0;
        each::<Card>(records, "", |card| {
            let mut bills: Vec<CardBill> = vec![];
            each(records, &format!("{}/", card.number), |bill| {
                bills.push(bill);
                Ok(())
            })?;
            checked += bills.iter().map(|bill| bill.lines.len() as u64).sum::<u64>();
            let mut live = live_days(&bills);
            for ((place, source), spans) in &mut live {
                let all = count(spans);
                *spans = joined(std::mem::take(spans));
                if count(spans) != all {
                    faults.add(format!("card {}: {place} is billed twice by {source:?} on some day", card.number));
                }
            }
            let mut noted = noted_days(&card);
            for spans in noted.values_mut() {
                *spans = joined(std::mem::take(spans));
            }
            // Days that cost nothing are noted, and no bill is drawn for them.
            let unknown = live.iter().find(|(of, spans)| {
                let known = noted.get(*of).map(Vec::as_slice).unwrap_or_default();
                spans.iter().any(|span| !known.iter().any(|known| known.and(*span) == Some(*span)))
            });
            if let Some(((place, source), _)) = unknown {
                faults.add(format!("card {} does not know days of {place} that {source:?} is billed for", card.number));
            }
            Ok(())
        })?;
        faults.verdict(checked)
    }
}

/// No line of a card's bill took more than it owes or gave back more than it took, and each term has its one bill.
pub(super) struct CardBillsAddUp;

fn line_fault(line: &CardLine) -> Option<&'static str> {
    let credited: i64 = line.credited.iter().map(|one| one.amount.minor()).sum();
    let kept = line.amount.minor() - credited;
    let (paid, lost, back) = (line.paid.minor(), line.written_off.minor(), line.returned.minor());
    if kept < 0 {
        return Some("more is credited than it came to");
    }
    if paid < 0 || lost < 0 || paid + lost > kept {
        return Some("it took more than it owes");
    }
    if line.nature == Nature::Deposit && !(0..=paid).contains(&back) {
        return Some("more of the deposit was given back than was taken");
    }
    let spans: Vec<Span> = line.credited.iter().filter_map(|one| one.span).collect();
    let outside = line.days.is_some_and(|days| spans.iter().any(|span| days.span.and(*span) != Some(*span)));
    if outside || count(&joined(spans.clone())) != count(&spans) {
        return Some("days are credited that it did not bill, or twice");
    }
    None
}

impl Invariant for CardBillsAddUp {
    fn name(&self) -> &'static str {
        "no line of a card's bill took more than it owes, and each term has its one bill"
    }

    fn entry(&mut self, _: &JournalEntry) {}

    fn end(&mut self, records: &dyn Records) -> Result<u64, String> {
        let mut faults = Faults::default();
        let mut checked = 0;
        each::<CardBill>(records, "", |bill| {
            checked += 1;
            for why in bill.lines.iter().filter_map(line_fault) {
                faults.add(format!("bill {} of card {}: {why}", bill.id, bill.heading.card));
            }
            Ok(())
        })?;
        each::<Card>(records, "", |card| {
            for term in &card.terms {
                let key = format!("{}/{}", card.number, term.bill);
                let there = records.stored(CardBill::TABLE, &key).map_err(|fault| fault.to_string())?;
                if there.is_none() {
                    faults.add(format!("card {}: term {} has no bill", card.number, term.number));
                }
            }
            Ok(())
        })?;
        faults.verdict(checked)
    }
}
