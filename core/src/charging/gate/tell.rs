//! Telling the gate of cards: the change that brings its passes up to what the cards come to today, and what stands of
//! the cards' cars inside up to the places that they have.
//!
//! Writes what differs and nothing else. It must not know why a card is looked at.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::at::{AtGate, Owed, PassPolicy, at_gate};
use super::told::{GateBill, GateCard, GateDay, GateSpace};
use crate::charging::bills::{CardBill, Estate};
use crate::charging::cards::{Card, Cover};
use crate::charging::estate::{Pool, Space};
use crate::charging::label::{CardNumber, PoolId, SpaceNumber};
use crate::charging::place::Place;
use crate::id::AreaId;
use crate::pass::{GatePass, Places};
use crate::plate::Plate;
use crate::record::{Change, Kept, ReadError, Record, Records, Table};

/// Bills of a card that are read at a time.
const BILLS_AT_ONCE: usize = 200;

/// Adds to the change what the gate has to be told of cards, each given with the keys of its bills that were written
/// since it was told last.
pub fn tell<'c>(
    change: &mut Change,
    cards: impl IntoIterator<Item = (&'c CardNumber, &'c BTreeSet<String>)>,
    now: DateTime<Utc>,
    policy: &PassPolicy,
    records: &impl Records,
) -> Result<(), ReadError> {
    for (number, bills) in cards {
        tell_of(change, number, bills, now, policy, records)?;
    }
    Ok(())
}

fn tell_of(
    change: &mut Change,
    number: &CardNumber,
    bills: &BTreeSet<String>,
    now: DateTime<Utc>,
    policy: &PassPolicy,
    records: &impl Records,
) -> Result<(), ReadError> {
    let known = records.get::<GateCard>(number.as_str())?;
    change.rely_on(number.as_str(), known.as_ref());
    let card = records.get::<Card>(number.as_str())?.map(|kept| kept.record);
    let owed = owed(change, (number, bills), known.as_ref(), now, records)?;
    let on = now.with_timezone(&policy.zone).date_naive();
    let numbers = card.as_ref().map(numbers).unwrap_or_default();
    let is = match &card {
        Some(card) => {
            let estate = Grounds::of(card, &numbers, records)?;
            at_gate(card, &owed, &estate, on, policy)
        }
        None => AtGate { passes: vec![], places: Places { count: 0, more: policy.more }, next: None },
    };
    let before = known.map(|kept| kept.record);
    write_passes(change, number, before.as_ref(), &is.passes, records)?;
    write_places(change, number, is.places, now, records)?;
    write_day(change, number, before.as_ref(), is.next);
    write_spaces(change, number, before.as_ref(), &numbers);
    let plates: Vec<Plate> = is.passes.into_iter().map(|pass| pass.plate).collect();
    if card.is_none() {
        change.delete(Table::GateCards, number.as_str());
        return Ok(());
    }
    for plate in &plates {
        change.personal(plate.as_str());
    }
    change.put(&GateCard { card: number.clone(), at: now, plates, spaces: numbers, owed, next: is.next });
    Ok(())
}

/// The card's open bills: what was known, with what has changed; of a card that the gate knows nothing of, all. Of each
/// that it looks at, the change notes that the gate has it.
fn owed(
    change: &mut Change,
    (number, bills): (&CardNumber, &BTreeSet<String>),
    known: Option<&Kept<GateCard>>,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<Owed, ReadError> {
    let mut note = |bill: &Kept<CardBill>| {
        change.put(&GateBill { card: number.clone(), bill: bill.record.id, of: bill.revision, at: now });
    };
    let Some(known) = known else { return all_owed(number, note, records) };
    let mut owed = known.record.owed.clone();
    for key in bills {
        if let Some(bill) = records.get::<CardBill>(key)? {
            owed.note(&bill.record);
            note(&bill);
        }
    }
    Ok(owed)
}

fn all_owed(
    number: &CardNumber,
    mut note: impl FnMut(&Kept<CardBill>),
    records: &impl Records,
) -> Result<Owed, ReadError> {
    let prefix = format!("{number}/");
    let (mut owed, mut from) = (Owed::default(), prefix.clone());
    loop {
        let page = records.list::<CardBill>(&from, BILLS_AT_ONCE)?;
        let own = page.iter().take_while(|kept| kept.record.heading.card == *number);
        let found = own
            .inspect(|kept| {
                owed.note(&kept.record);
                note(kept);
            })
            .count();
        if found < BILLS_AT_ONCE {
            return Ok(owed);
        }
        from = page.last().map(|last| format!("{}\u{0}", last.record.key())).unwrap_or(from);
    }
}

/// The spaces that a card held, holds or will hold.
fn numbers(card: &Card) -> Vec<SpaceNumber> {
    let spaces = card.holdings.iter().filter_map(|holding| match &holding.place {
        Place::Space(number) => Some(number.clone()),
        Place::Pool(..) | Place::Card => None,
    });
    spaces.collect::<BTreeSet<_>>().into_iter().collect()
}

/// What a card's places are, read once.
struct Grounds {
    spaces: BTreeMap<SpaceNumber, Space>,
    pools: BTreeMap<PoolId, AreaId>,
}

impl Grounds {
    fn of(card: &Card, numbers: &[SpaceNumber], records: &impl Records) -> Result<Self, ReadError> {
        let (mut spaces, mut pools) = (BTreeMap::new(), BTreeMap::new());
        for number in numbers {
            if let Some(kept) = records.get::<Space>(number.as_str())? {
                spaces.insert(number.clone(), kept.record);
            }
        }
        for holding in &card.holdings {
            if let Place::Pool(pool, _) = &holding.place
                && let Some(kept) = records.get::<Pool>(pool.as_str())?
            {
                pools.insert(pool.clone(), kept.record.area);
            }
        }
        Ok(Self { spaces, pools })
    }
}

impl Estate for Grounds {
    fn space(&self, number: &SpaceNumber) -> Option<Space> {
        self.spaces.get(number).cloned()
    }

    fn pool_area(&self, pool: &PoolId) -> Option<AreaId> {
        self.pools.get(pool).cloned()
    }
}

fn write_passes(
    change: &mut Change,
    number: &CardNumber,
    before: Option<&GateCard>,
    passes: &[GatePass],
    records: &impl Records,
) -> Result<(), ReadError> {
    for gone in before.iter().flat_map(|known| &known.plates) {
        if !passes.iter().any(|pass| pass.plate == *gone) {
            change.personal(gone.as_str());
            change.delete(Table::Passes, &GatePass::key_of(gone, number.as_str()));
        }
    }
    for pass in passes {
        let there = records.get::<GatePass>(&pass.key())?;
        if there.is_none_or(|kept| kept.record != *pass) {
            change.personal(pass.plate.as_str());
            change.put(pass);
        }
    }
    Ok(())
}

/// A card has more or fewer places while cars of it are inside: who has one is decided anew.
fn write_places(
    change: &mut Change,
    number: &CardNumber,
    places: Places,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<(), ReadError> {
    let Some(kept) = records.get::<Cover>(number.as_str())? else { return Ok(()) };
    if kept.record.places == places.count {
        return Ok(());
    }
    change.rely_on(number.as_str(), Some(&kept));
    let mut cover = kept.record;
    cover.resize(places.count, now, places.more);
    cover.personal(change);
    change.put(&cover);
    Ok(())
}

fn write_day(change: &mut Change, number: &CardNumber, before: Option<&GateCard>, next: Option<chrono::NaiveDate>) {
    let was = before.and_then(|known| known.next);
    if was == next {
        return;
    }
    if let Some(on) = was {
        change.delete(Table::GateDays, &GateDay { on, card: number.clone() }.key());
    }
    if let Some(on) = next {
        change.put(&GateDay { on, card: number.clone() });
    }
}

fn write_spaces(change: &mut Change, number: &CardNumber, before: Option<&GateCard>, now: &[SpaceNumber]) {
    let was = before.map(|known| known.spaces.as_slice()).unwrap_or_default();
    let row = |space: &SpaceNumber| GateSpace { space: space.clone(), card: number.clone() };
    for gone in was.iter().filter(|space| !now.contains(space)) {
        change.delete(Table::GateSpaces, &row(gone).key());
    }
    for new in now.iter().filter(|space| !was.contains(space)) {
        change.put(&row(new));
    }
}
