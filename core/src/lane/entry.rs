//! The decision at an entry, in the order of domain.md, 'Gate': block list, free list, cards, temporary.

use chrono::{DateTime, Utc};

use super::commit::Draft;
use super::{CaseKind, DecisionCode, GrantCause, Lane, LaneFault, Passage, PassageState, Read};
use crate::id::{AreaId, PassageId, StayId};
use crate::pass::{GatePass, Says};
use crate::plate::{Colour, Plate};
use crate::record::{Counter, Kept, Records, Table};
use crate::stay::{Basis, Inside, Stay, StayState, inside_counter};

/// A car that comes in.
pub(super) struct Arrival<'a> {
    pub(super) passage: PassageId,
    pub(super) plate: &'a Plate,
    pub(super) colour: Colour,
    pub(super) captured_at: DateTime<Utc>,
    pub(super) into: &'a AreaId,
    pub(super) room: Room,
}

/// Whether the lot's capacity bounds who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Bounded,
    Unbounded,
}

impl Lane {
    pub(super) fn decide_entry(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        read: &Read,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let inside = records.get::<Inside>(read.plate.as_str())?;
        let pass = records.get::<GatePass>(read.plate.as_str())?;
        draft.change.rely_on(read.plate.as_str(), pass.as_ref());
        let says = pass.map_or(Says::Nothing, |kept| kept.record.says(read.mark.captured_at));
        let admitted = match says {
            Says::Blocks => Err(DecisionCode::EntryBlocked),
            Says::RefusesOverdue => Err(DecisionCode::EntryOverdue),
            Says::Free => Ok((DecisionCode::EntryFree, Basis::Free, GrantCause::Pass)),
            Says::Lets(card) => Ok((DecisionCode::EntryPass, Basis::Pass { card }, GrantCause::Pass)),
            Says::LetsAndWarns(card) => Ok((DecisionCode::EntryPassOverdue, Basis::Pass { card }, GrantCause::Pass)),
            Says::Nothing if inside.is_none() && self.is_full(records)? => Err(DecisionCode::EntryFull),
            Says::Nothing => Ok((DecisionCode::EntryTemporary, Basis::Temporary, GrantCause::Policy)),
        };
        let mut passage = self.new_passage(now, read, DecisionCode::EntryFull);
        match admitted {
            Err(code) => {
                passage.code = code;
                passage.state = PassageState::Refused;
                self.announce(draft, now, &passage);
                draft.keep(passage);
            }
            Ok((code, basis, cause)) => {
                let already_inside = inside.as_ref().is_some_and(|kept| draft.voided != Some(kept.record.stay));
                passage.code = if already_inside { DecisionCode::EntryAlreadyInside } else { code };
                let arrival = Arrival {
                    passage: passage.id,
                    plate: &read.plate,
                    colour: read.colour,
                    captured_at: read.mark.captured_at,
                    into: &self.rules.area,
                    room: if inside.is_some() { Room::Unbounded } else { Room::Bounded },
                };
                passage.stay = Some(self.begin_stay(draft, now, &arrival, basis, inside, records)?);
                self.announce(draft, now, &passage);
                self.grant(draft, now, passage, cause);
            }
        }
        Ok(())
    }

    /// Begins a stay. A car that is inside by the books ends its old stay as a case, and is never refused for it.
    pub(super) fn begin_stay(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        arrival: &Arrival<'_>,
        basis: Basis,
        inside: Option<Kept<Inside>>,
        records: &impl Records,
    ) -> Result<StayId, LaneFault> {
        draft.change.rely_on(arrival.plate.as_str(), inside.as_ref());
        if let Some(old) = inside.filter(|old| draft.voided != Some(old.record.stay)) {
            Self::end_as_missed(draft, now, arrival, old.record.stay, records)?;
        }
        let id = StayId::derive(&self.rules.key, &[&arrival.passage.to_string()]);
        // A car that is inside already takes no further place, and a person may let in more than there is room for.
        let most = (basis == Basis::Temporary && arrival.room == Room::Bounded).then_some(self.rules.capacity);
        draft.change.count(&inside_counter(arrival.into, &basis), 1, most);
        let stay = Stay {
            id,
            plate: arrival.plate.clone(),
            colour: arrival.colour,
            kind: arrival.colour.vehicle_kind(),
            area: arrival.into.clone(),
            basis,
            entered_at: arrival.captured_at,
            entry_lane: self.rules.lane.clone(),
            tariff: Some(self.rules.tariff.in_force_at(arrival.captured_at).label().to_owned()),
            bill: None,
            leave_by: None,
            clock_stopped_at: None,
            state: StayState::Open,
            exited_at: None,
            exit_lane: None,
            moves: vec![],
            cover: None,
            earlier: Stay::visits_before(arrival.plate, arrival.captured_at, &self.rules.tariff, records)?,
        };
        draft.change.put(&stay);
        draft.change.put(&Inside { plate: arrival.plate.clone(), stay: id });
        Ok(id)
    }

    fn end_as_missed(
        draft: &mut Draft,
        now: DateTime<Utc>,
        arrival: &Arrival<'_>,
        old: StayId,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let Some(kept) = records.get::<Stay>(&old.to_string())? else { return Ok(()) };
        draft.change.rely_on(&old.to_string(), Some(&kept));
        let mut stay = kept.record;
        stay.state = StayState::ExitMissed;
        stay.exited_at = Some(arrival.captured_at);
        draft.change.count(&inside_counter(&stay.area, &stay.basis), -1, None);
        let kind = CaseKind::ExitMissed;
        let id = format!("{}-{}", kind.as_str(), arrival.passage);
        let case =
            super::Case { id, kind, at: now, passage: arrival.passage, stay: Some(stay.id), words: kind.words() };
        draft.change.put(&case);
        draft.change.put(&stay);
        Ok(())
    }

    pub(super) fn is_full(&self, records: &impl Records) -> Result<bool, LaneFault> {
        let counter = inside_counter(&self.rules.area, &Basis::Temporary);
        let inside = records.get::<Counter>(&counter)?.map_or(0, |kept| kept.record.value);
        Ok(inside >= self.rules.capacity)
    }

    pub(super) fn new_passage(&self, now: DateTime<Utc>, read: &Read, code: DecisionCode) -> Passage {
        Passage {
            id: self.passage_id(&read.mark),
            lane: self.rules.lane.clone(),
            direction: self.rules.direction,
            plate: Some(read.plate.clone()),
            colour: read.colour,
            captured_at: read.mark.captured_at,
            decided_at: now,
            code,
            due: None,
            stay: None,
            bill: None,
            state: PassageState::Waiting,
            grant: None,
            ended: None,
            read_again_at: None,
            opened_by: None,
        }
    }

    /// Takes a car out of the index of who is inside, if it stands there with this stay.
    pub(super) fn leave(draft: &mut Draft, stay: &Stay, records: &impl Records) -> Result<(), LaneFault> {
        let plate = stay.plate.as_str();
        let inside = records.get::<Inside>(plate)?;
        if let Some(kept) = inside.filter(|kept| kept.record.stay == stay.id) {
            draft.change.rely_on(plate, Some(&kept));
            draft.change.delete(Table::Inside, plate);
            draft.change.count(&inside_counter(&stay.area, &stay.basis), -1, None);
        }
        Ok(())
    }
}
