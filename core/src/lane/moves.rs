//! Lanes between areas of the lot (场中场): a car that is inside drives from one area into another, and its stay goes on
//! there. Nothing is paid here; the lane notes when the car came, and the exit prices each area by its own rules.

use chrono::{DateTime, Utc};

use super::commit::Draft;
use super::entry::{Arrival, Room};
use super::{CaseKind, DecisionCode, Direction, GrantCause, Lane, LaneFault, Passage, PassageState, Read};
use crate::id::{AreaId, StayId};
use crate::pass::{Passes, Places};
use crate::plate::Plate;
use crate::record::{Kept, Records};
use crate::stay::{Basis, Inside, Moved, Stay, StayState, inside_counter};

/// From which area a lane leads into which.
struct Between<'a> {
    from: &'a AreaId,
    into: &'a AreaId,
}

impl Lane {
    fn between(&self) -> Between<'_> {
        let (area, other) = (&self.rules.area, self.rules.within.as_ref().unwrap_or(&self.rules.area));
        match self.rules.direction {
            Direction::Entry => Between { from: other, into: area },
            Direction::Exit => Between { from: area, into: other },
        }
    }

    /// A car stands at the lane: the block list and the room in the area are looked at, then it drives on.
    pub(super) fn decide_move(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        read: &Read,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let passes = Passes::of(&read.plate, records)?;
        let code = match self.rules.direction {
            Direction::Entry => DecisionCode::AreaEntry,
            Direction::Exit => DecisionCode::AreaExit,
        };
        let mut passage = self.new_passage(now, read, code);
        let inward = self.rules.direction == Direction::Entry;
        let stay = Self::open_stay(draft, &read.plate, records)?;
        if inward && passes.blocks() {
            self.refuse(draft, now, passage, DecisionCode::EntryBlocked);
            return Ok(());
        }
        let (id, basis) = if let Some(kept) = stay {
            let charged = kept.record.basis == Basis::Temporary && kept.record.area != self.rules.area;
            if inward && charged && self.is_full(records)? {
                self.refuse(draft, now, passage, DecisionCode::EntryFull);
                return Ok(());
            }
            let basis = kept.record.basis.clone();
            (self.note_move(draft, &passage, kept, Room::Bounded), basis)
        } else {
            let ground = Self::ground(draft, &read.plate, passage.captured_at, records)?;
            self.first_seen_within(draft, now, &passage, &read.plate, ground, records)?
        };
        passage.stay = Some(id);
        let cause = if basis == Basis::Temporary { GrantCause::Policy } else { GrantCause::Pass };
        self.announce(draft, now, &passage);
        self.grant(draft, now, passage, cause);
        Ok(())
    }

    fn refuse(&self, draft: &mut Draft, now: DateTime<Utc>, mut passage: Passage, code: DecisionCode) {
        passage.code = code;
        passage.state = PassageState::Refused;
        self.announce(draft, now, &passage);
        draft.keep(passage);
    }

    /// The open stay of a plate, as this very draft leaves it.
    fn open_stay(draft: &mut Draft, plate: &Plate, records: &impl Records) -> Result<Option<Kept<Stay>>, LaneFault> {
        let inside = records.get::<Inside>(plate.as_str())?;
        draft.change.rely_on(plate.as_str(), inside.as_ref());
        let Some(inside) = inside else { return Ok(None) };
        let kept = records.get::<Stay>(&inside.record.stay.to_string())?;
        let kept = kept.filter(|kept| kept.record.state == StayState::Open);
        Ok(kept.map(|kept| match draft.taken_back.take_if(|stay| stay.id == kept.record.id) {
            Some(record) => Kept { record: *record, ..kept },
            None => kept,
        }))
    }

    /// The stay goes on in another area from the moment at which the car stood here.
    fn note_move(&self, draft: &mut Draft, passage: &Passage, kept: Kept<Stay>, room: Room) -> StayId {
        let between = self.between();
        draft.change.rely_on(&kept.record.id.to_string(), Some(&kept));
        let mut stay = kept.record;
        if stay.area != *between.from {
            // It was somewhere else by the books: a lane did not see it, or a person let it through by hand.
            let at = passage.captured_at;
            draft.case(CaseKind::MoveMissed, passage, Some(stay.id), at);
        }
        let moved = stay.move_into(between.into, passage.captured_at, &self.rules.lane);
        let inward = self.rules.direction == Direction::Entry;
        let bounded = inward && stay.basis == Basis::Temporary && room == Room::Bounded;
        count_move(draft, &stay, moved, bounded.then_some(self.rules.capacity));
        draft.change.put(&stay);
        stay.id
    }

    /// Inside, and nobody saw it come in: its stay begins here, as a case.
    fn first_seen_within(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        passage: &Passage,
        plate: &Plate,
        (basis, places): (Basis, Option<Places>),
        records: &impl Records,
    ) -> Result<(StayId, Basis), LaneFault> {
        draft.case(CaseKind::EntryMissed, passage, None, now);
        let arrival = Arrival {
            passage: passage.id,
            plate,
            colour: passage.colour,
            captured_at: passage.captured_at,
            into: self.between().into,
            room: Room::Unbounded,
            places,
        };
        let id = self.begin_stay(draft, now, &arrival, basis.clone(), None, records)?;
        Ok((id, basis))
    }

    /// A person let it through where the lane had not.
    pub(super) fn move_by_hand(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        passage: &Passage,
        plate: &Plate,
        records: &impl Records,
    ) -> Result<StayId, LaneFault> {
        match Self::open_stay(draft, plate, records)? {
            Some(kept) => Ok(self.note_move(draft, passage, kept, Room::Unbounded)),
            None => Ok(self.first_seen_within(draft, now, passage, plate, (Basis::Temporary, None), records)?.0),
        }
    }

    /// A move that the box hears of too late goes into its place among the others, and nothing opens.
    pub(super) fn book_move(&self, draft: &mut Draft, passage: &mut Passage, kept: Kept<Stay>) {
        passage.code = match self.rules.direction {
            Direction::Entry => DecisionCode::BacklogEntry,
            Direction::Exit => DecisionCode::BacklogExit,
        };
        draft.change.rely_on(&kept.record.id.to_string(), Some(&kept));
        let mut stay = kept.record;
        passage.stay = Some(stay.id);
        let moved = stay.move_into(self.between().into, passage.captured_at, &self.rules.lane);
        count_move(draft, &stay, moved, None);
        draft.change.put(&stay);
    }

    /// The car backed out of the lane: it is where it was.
    pub(super) fn move_back(&self, draft: &mut Draft, passage: &Passage, mut stay: Stay) {
        let moved = stay.take_back_move(passage.captured_at, &self.rules.lane);
        count_move(draft, &stay, moved, None);
        draft.change.put(&stay);
        draft.taken_back = Some(Box::new(stay));
    }

    /// Whether the newest thing known of where a car stands is what this passage did.
    pub(super) fn moved_last(&self, hand: &Passage, records: &impl Records) -> Result<bool, LaneFault> {
        let Some(id) = hand.stay else { return Ok(true) };
        let stay = records.get::<Stay>(&id.to_string())?.map(|kept| kept.record);
        // A stay that began here has no move yet.
        let here = |stay: &Stay| {
            let began = stay.moves.is_empty() && stay.entry_lane == self.rules.lane;
            began || stay.was_last_moved(hand.captured_at, &self.rules.lane)
        };
        Ok(stay.as_ref().is_some_and(here))
    }
}

/// A car is counted where it stands.
fn count_move(draft: &mut Draft, stay: &Stay, moved: Moved, most: Option<i64>) {
    if let Moved::From(before) = moved {
        draft.change.count(&inside_counter(&before, &stay.basis), -1, None);
        draft.change.count(&inside_counter(&stay.area, &stay.basis), 1, most);
    }
}
