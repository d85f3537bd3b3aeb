//! The decision at an entry, in the order of domain.md, 'Gate': block list, free list, cards, temporary.

use chrono::{DateTime, TimeDelta, Utc};

use super::commit::Draft;
use super::{CaseKind, DecisionCode, GrantCause, Lane, LaneFault, Passage, PassageState, Read};
use crate::charging::cards::Entered;
use crate::id::{AreaId, PassageId, StayId};
use crate::pass::{GatePass, Passes, Places, Says, Verdict};
use crate::plate::{Colour, Plate};
use crate::record::{Cause, ChangeKind, Counter, Kept, Records, Table};
use crate::stay::{Basis, Inside, Stay, StayState, inside_counter};

/// So long after it was seen last, a car that was refused still counts as standing there: its driver is at the office
/// window. A loop that is left, and the next car, end it at once.
const REFUSED_WAITS: TimeDelta = TimeDelta::minutes(15);

/// A car that comes in.
pub(super) struct Arrival<'a> {
    pub(super) passage: PassageId,
    pub(super) plate: &'a Plate,
    pub(super) colour: Colour,
    pub(super) captured_at: DateTime<Utc>,
    pub(super) into: &'a AreaId,
    pub(super) room: Room,
    /// The places of the card on which it comes in.
    pub(super) places: Option<Places>,
}

/// Whether the lot's capacity bounds who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Bounded,
    Unbounded,
}

/// That a car may come in, and on what ground.
pub(super) struct Admitted {
    pub(super) code: DecisionCode,
    pub(super) basis: Basis,
    pub(super) cause: GrantCause,
    pub(super) places: Option<Places>,
}

impl Lane {
    pub(super) fn decide_entry(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        read: &Read,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let passage = self.new_passage(now, read, DecisionCode::EntryFull);
        let (passage, cause) = self.decide_at(draft, now, passage, read.mark.captured_at, records)?;
        self.announce(draft, now, &passage);
        match cause {
            Some(cause) => self.grant(draft, now, passage, cause),
            None => draft.keep(passage),
        }
        Ok(())
    }

    /// The decision as of a moment about the car of a passage: with its stay and the ground on which it may come in, or
    /// refused.
    fn decide_at(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        mut passage: Passage,
        at: DateTime<Utc>,
        records: &impl Records,
    ) -> Result<(Passage, Option<GrantCause>), LaneFault> {
        let Some(plate) = passage.plate.clone() else { return Ok((passage, None)) };
        let inside = records.get::<Inside>(plate.as_str())?;
        let admitted = match self.may_come_in(draft, &plate, at, inside.as_ref(), records)? {
            Ok(admitted) => admitted,
            Err(code) => {
                passage.code = code;
                passage.state = PassageState::Refused;
                return Ok((passage, None));
            }
        };
        let already_inside = inside.as_ref().is_some_and(|kept| draft.voided != Some(kept.record.stay));
        passage.code = if already_inside { DecisionCode::EntryAlreadyInside } else { admitted.code };
        let arrival = Arrival {
            passage: passage.id,
            plate: &plate,
            colour: passage.colour,
            captured_at: at,
            into: &self.rules.area,
            room: if inside.is_some() { Room::Unbounded } else { Room::Bounded },
            places: admitted.places,
        };
        passage.stay = Some(self.begin_stay(draft, now, &arrival, admitted.basis, inside, records)?);
        Ok((passage, Some(admitted.cause)))
    }

    /// Whether a car may come in: lists, then cards with their places, then temporary.
    fn may_come_in(
        &self,
        draft: &mut Draft,
        plate: &Plate,
        at: DateTime<Utc>,
        inside: Option<&Kept<Inside>>,
        records: &impl Records,
    ) -> Result<Result<Admitted, DecisionCode>, LaneFault> {
        let passes = Passes::of(plate, records)?;
        passes.relied_on_by(&mut draft.change);
        let full = inside.is_none() && self.is_full(records)?;
        let temporary = |code| {
            let (basis, cause) = (Basis::Temporary, GrantCause::Policy);
            if full { Err(DecisionCode::EntryFull) } else { Ok(Admitted { code, basis, cause, places: None }) }
        };
        Ok(match passes.verdict(at) {
            Verdict::Cards(cards) => {
                let (says, pass, entered) = Self::with_a_place(draft, &cards, plate, at, records)?;
                on_card(says, pass, entered).and_then(|admitted| match entered {
                    Entered::ChargedAsTemporary if full => Err(DecisionCode::EntryFull),
                    _ => Ok(admitted),
                })
            }
            Verdict::Says(Says::Blocks) => Err(DecisionCode::EntryBlocked),
            Verdict::Says(Says::RefusesOverdue) => Err(DecisionCode::EntryOverdue),
            Verdict::Says(Says::Free) => {
                let (code, basis, cause) = (DecisionCode::EntryFree, Basis::Free, GrantCause::Pass);
                Ok(Admitted { code, basis, cause, places: None })
            }
            Verdict::Says(Says::ChargesOverdue) => temporary(DecisionCode::EntryOverdueTemporary),
            Verdict::Says(Says::HasRunOut) => temporary(DecisionCode::EntryPassEnded),
            Verdict::Says(_) => temporary(DecisionCode::EntryTemporary),
        })
    }

    /// Of the cards that let a car in, the first with a place for it; else the first.
    pub(super) fn with_a_place<'p>(
        draft: &mut Draft,
        cards: &[(Says, &'p GatePass)],
        plate: &Plate,
        at: DateTime<Utc>,
        records: &impl Records,
    ) -> Result<(Says, &'p GatePass, Entered), LaneFault> {
        let mut first = None;
        for (says, pass) in cards {
            let entered = match (pass.card(), pass.places) {
                (Some(card), Some(places)) => Self::would_enter(draft, card, places, plate, at, records)?,
                _ => Entered::Covered,
            };
            if entered == Entered::Covered {
                return Ok((says.clone(), *pass, entered));
            }
            first.get_or_insert((says.clone(), *pass, entered));
        }
        Ok(first.expect("a verdict of cards has at least one"))
    }

    /// The pass of a car that was refused has changed, or a place of its card has come free: if it still stands here, the
    /// decision is made anew, as of now.
    pub(super) fn look_at_pass_of_refused(
        &self,
        now: DateTime<Utc>,
        records: &impl Records,
    ) -> Result<Option<Draft>, LaneFault> {
        let refused =
            |hand: &&Passage| hand.state == PassageState::Refused && now - hand.last_seen_at() <= REFUSED_WAITS;
        let Some(hand) = self.hand.as_ref().filter(refused) else { return Ok(None) };
        let cause = Cause::Box("the pass of the car that was refused has changed".into());
        let mut draft = self.draft(ChangeKind::PassageGranted, now, cause);
        let (passage, cause) = self.decide_at(&mut draft, now, hand.clone(), now, records)?;
        let Some(cause) = cause else { return Ok(None) };
        self.announce(&mut draft, now, &passage);
        self.grant(&mut draft, now, passage, cause);
        Ok(Some(draft))
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
            unplaced: vec![],
            earlier: Stay::visits_before(arrival.plate, arrival.captured_at, &self.rules.tariff, records)?,
            discounts: vec![],
        };
        if let (Basis::Pass { card }, Some(places)) = (&stay.basis, arrival.places) {
            Self::take_place(draft, card, places, &stay, records)?;
        }
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
        Self::give_up_place(draft, &stay, arrival.captured_at, records)?;
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
        // A stay that is void never took its place.
        Self::give_up_place(draft, stay, stay.exited_at.unwrap_or(stay.entered_at), records)?;
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

/// What a card's pass and its places make of a car.
fn on_card(says: Says, pass: &GatePass, entered: Entered) -> Result<Admitted, DecisionCode> {
    let (code, card) = match says {
        Says::LetsInGrace(card) => (DecisionCode::EntryPassGrace, card),
        Says::LetsAndWarns(card) => (DecisionCode::EntryPassOverdue, card),
        _ => (DecisionCode::EntryPass, pass.card().unwrap_or_default().to_owned()),
    };
    let (code, cause) = match entered {
        Entered::Covered | Entered::AlreadyInside => (code, GrantCause::Pass),
        Entered::ChargedAsTemporary => (DecisionCode::EntryPlacesTakenTemporary, GrantCause::Policy),
        Entered::AdmittedFree => (DecisionCode::EntryPlacesTakenFree, GrantCause::Policy),
        Entered::Refused => return Err(DecisionCode::EntryPlacesTaken),
    };
    Ok(Admitted { code, basis: Basis::Pass { card }, cause, places: pass.places })
}
