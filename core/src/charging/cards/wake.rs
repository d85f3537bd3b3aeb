//! When a card that was opened comes into force: once nothing of its first bills is due. It must not know who paid.

use chrono::NaiveDate;

use super::act::Act;
use super::card::{Card, CardState};
use crate::charging::bills::{CardBill, Standing, bills_of};
use crate::charging::timeline::Note;
use crate::record::{Change, ReadError, Records};

/// The act that brings a pending card into force, if its bills are settled; `bills` are all of the card, as they then are.
pub fn waking(card: &Card, bills: &[CardBill]) -> Option<Act> {
    let owes = |bill: &CardBill| bill.standing == Standing::Issued && bill.due().is_positive();
    let wakes = card.state() == CardState::Pending && !bills.iter().any(owes);
    wakes.then_some(Act::Stand(CardState::Active))
}

/// Brings the pending cards into force whose bills are settled now that these were paid: in the change that pays them.
pub(in crate::charging) fn wake_paid(
    change: &mut Change,
    paid: &[CardBill],
    on: NaiveDate,
    records: &impl Records,
) -> Result<(), ReadError> {
    let mut cards: Vec<&str> = paid.iter().map(|bill| bill.heading.card.as_str()).collect();
    cards.sort_unstable();
    cards.dedup();
    for number in cards {
        let Some(kept) = records.get::<Card>(number)? else { continue };
        if kept.record.state() != CardState::Pending {
            continue;
        }
        let all = bills_of(&kept.record.number, records)?.into_iter().map(|kept| kept.record);
        let now: Vec<CardBill> =
            all.map(|bill| paid.iter().find(|one| one.id == bill.id).cloned().unwrap_or(bill)).collect();
        let note = Note::new(change.at, on, "payment", "its first bills are settled");
        let woken = waking(&kept.record, &now).and_then(|act| kept.record.apply(&act, &note).ok());
        if let Some((card, _)) = woken {
            change.rely_on(number, Some(&kept));
            card.write(change);
        }
    }
    Ok(())
}
