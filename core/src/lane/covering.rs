//! More cars than places at the lane (一位多车): who of a card's cars has a place, within the change of the entry or exit.
//!
//! Owns when a car takes its place, gives it up, and gets it back; who gets one is decided by [`Cover`]. A change that goes
//! by a card's cars relies on their record, so that two lanes that decide at once on a card's last place cannot both be
//! right. It must not know what a part without a place costs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::commit::Draft;
use super::{Lane, LaneFault};
use crate::charging::cards::{Cover, Entered};
use crate::charging::label::CardNumber;
use crate::id::StayId;
use crate::pass::{MorePolicy, Passes, Places};
use crate::plate::Plate;
use crate::record::{Change, Kept, Records, Table};
use crate::stay::{Basis, Stay};

/// The cards whose cars a draft has looked at, as it leaves them.
#[derive(Debug, Default)]
pub(super) struct Covers {
    by_card: BTreeMap<CardNumber, Looked>,
}

#[derive(Debug)]
struct Looked {
    kept: Option<Kept<Cover>>,
    cover: Cover,
}

impl Covers {
    /// The cars of a card, as this very draft leaves them. `None`: nobody counts them, or its number is no card's.
    fn of(
        &mut self,
        card: &str,
        places: Option<Places>,
        records: &impl Records,
    ) -> Result<Option<&mut Cover>, LaneFault> {
        let Ok(number) = CardNumber::new(card) else { return Ok(None) };
        if !self.by_card.contains_key(&number) {
            let kept = records.get::<Cover>(card)?;
            let cover = match (&kept, places) {
                (Some(kept), _) => kept.record.clone(),
                (None, Some(places)) => Cover::new(number.clone(), places.count),
                (None, None) => return Ok(None),
            };
            self.by_card.insert(number.clone(), Looked { kept, cover });
        }
        Ok(self.by_card.get_mut(&number).map(|looked| &mut looked.cover))
    }

    /// Writes what has changed. Of a card without a car inside there is no record.
    pub(super) fn write(self, change: &mut Change) {
        for (number, Looked { kept, cover }) in self.by_card {
            change.rely_on(number.as_str(), kept.as_ref());
            let before = kept.map(|kept| kept.record);
            if cover.cars.is_empty() {
                if before.is_some() {
                    change.delete(Table::Covers, number.as_str());
                }
            } else if before.as_ref() != Some(&cover) {
                cover.personal(change);
                change.put(&cover);
            }
        }
    }
}

impl Lane {
    /// What would become of a car of a card at this entry, were it let in. A stay of its that is still open by the books
    /// ends first.
    pub(super) fn would_enter(
        draft: &mut Draft,
        card: &str,
        places: Places,
        plate: &Plate,
        at: DateTime<Utc>,
        records: &impl Records,
    ) -> Result<Entered, LaneFault> {
        let Some(cover) = draft.covers.of(card, Some(places), records)? else { return Ok(Entered::Covered) };
        let mut trial = cover.clone();
        trial.leave(plate, at);
        Ok(trial.enter(plate, StayId::from_bytes([0; 16]), at, places.more))
    }

    /// A car of a card comes in. One that nobody can refuse any more is charged as a temporary car instead.
    pub(super) fn take_place(
        draft: &mut Draft,
        card: &str,
        places: Places,
        stay: &Stay,
        records: &impl Records,
    ) -> Result<Entered, LaneFault> {
        let Some(cover) = draft.covers.of(card, Some(places), records)? else { return Ok(Entered::Covered) };
        let more = match places.more {
            MorePolicy::Refuse => MorePolicy::ChargeAsTemporary,
            more => more,
        };
        Ok(cover.enter(&stay.plate, stay.id, stay.entered_at, more))
    }

    /// A stay has ended: if its car had a place, the one that has waited longest has it from that moment on.
    pub(super) fn give_up_place(
        draft: &mut Draft,
        stay: &Stay,
        at: DateTime<Utc>,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let Basis::Pass { card } = &stay.basis else { return Ok(()) };
        if let Some(cover) = draft.covers.of(card, None, records)?
            && cover.unplaced(stay.id).is_some()
        {
            cover.leave(&stay.plate, at);
        }
        Ok(())
    }

    /// A stay that had ended by a guess runs on.
    pub(super) fn take_place_again(
        draft: &mut Draft,
        stay: &Stay,
        left_at: DateTime<Utc>,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let Basis::Pass { card } = &stay.basis else { return Ok(()) };
        let places = Passes::of(&stay.plate, records)?.of_card(card).and_then(|pass| pass.places);
        if let Some(cover) = draft.covers.of(card, places, records)? {
            cover.come_back(stay, left_at);
        }
        Ok(())
    }

    /// Before a stay is priced: what its pass covers, and where its card had no place for it, as this draft leaves it.
    pub(super) fn look_at_pass(
        draft: &mut Draft,
        stay: &mut Stay,
        until: DateTime<Utc>,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        stay.look_at_pass(until, records)?;
        if let Basis::Pass { card } = &stay.basis
            && let Some(cover) = draft.covers.of(card, None, records)?
        {
            stay.look_at_places(cover);
        }
        for part in &stay.unplaced {
            part.personal(&mut draft.change);
        }
        Ok(())
    }
}
