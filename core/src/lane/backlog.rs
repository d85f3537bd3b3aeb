//! Events that the box hears of too late: put in the books at their captured time, and nothing opens.

use chrono::{DateTime, Utc};

use super::commit::Draft;
use super::entry::{Arrival, Room};
use super::{CaseKind, DecisionCode, Effect, Ended, EndedBy, Lane, LaneFault, Passage, PassageState, Read, Role, Tell};
use crate::bill::Bill;
use crate::id::DeviceId;
use crate::pass::{Passes, Places, Says, Verdict};
use crate::plate::Plate;
use crate::record::{Kept, Records};
use crate::stay::{Basis, Inside, Stay, StayState};

impl Lane {
    /// Books a late read. What the lane has in hand is another car's and stays as it is.
    pub(super) fn book_backlog(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        read: &Read,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let mut passage = self.new_passage(now, read, DecisionCode::BacklogUnmatched);
        passage.state = PassageState::Passed;
        passage.ended = Some(Ended { by: EndedBy::Backlog, at: read.mark.captured_at });
        passage.opened_by = self.opened_by_itself(read, records)?;
        let inside = records.get::<Inside>(read.plate.as_str())?;
        let stay: Option<Kept<Stay>> = match &inside {
            Some(kept) => records.get(&kept.record.stay.to_string())?,
            None => None,
        };
        let earlier = stay.as_ref().is_none_or(|stay| stay.record.entered_at < read.mark.captured_at);
        match (self.rules.role(), stay) {
            (Role::Begins, _) if earlier => {
                self.book_entry(draft, now, read, &mut passage, inside, records)?;
            }
            (Role::Moves, Some(stay)) if earlier => self.book_move(draft, &mut passage, stay),
            (Role::Ends, Some(stay)) if earlier => self.book_exit(draft, now, &mut passage, stay, records)?,
            (Role::Ends, _) => draft.case(CaseKind::EntryMissed, &passage, None, now),
            (Role::Begins | Role::Moves, _) => {}
        }
        draft.change.put(&passage);
        draft.then.push(Effect::Tell(Tell {
            code: passage.code.as_str(),
            tone: passage.code.tone(),
            plate: passage.plate.clone(),
            words: passage.code.words(passage.due),
            money: passage.due,
        }));
        Ok(())
    }

    /// The camera that let this car through by itself: one that keeps a list, for a plate that stood on it then.
    fn opened_by_itself(&self, read: &Read, records: &impl Records) -> Result<Option<DeviceId>, LaneFault> {
        if !self.rules.self_opening.contains(&read.mark.device) {
            return Ok(None);
        }
        let at = read.mark.captured_at;
        let listed = Passes::of(&read.plate, records)?.admit_at(at);
        Ok(listed.then(|| read.mark.device.clone()))
    }

    fn book_entry(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        read: &Read,
        passage: &mut Passage,
        inside: Option<Kept<Inside>>,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        if let Some(kept) = &inside
            && let Some(stay) = records.get::<Stay>(&kept.record.stay.to_string())?
            && stay.record.entry_lane == self.rules.lane
            && (read.mark.captured_at - stay.record.entered_at).abs() <= self.rules.same_car_within
        {
            // One more frame of the car that came in here.
            passage.stay = Some(stay.record.id);
            return Ok(());
        }
        passage.code = DecisionCode::BacklogEntry;
        let (basis, places) = Self::ground(draft, &read.plate, read.mark.captured_at, records)?;
        let arrival = Arrival {
            passage: passage.id,
            plate: &read.plate,
            colour: read.colour,
            captured_at: read.mark.captured_at,
            into: &self.rules.area,
            room: Room::Unbounded,
            places,
        };
        passage.stay = Some(self.begin_stay(draft, now, &arrival, basis, inside, records)?);
        Ok(())
    }

    /// On what ground a car is inside that nobody could refuse.
    pub(super) fn ground(
        draft: &mut Draft,
        plate: &Plate,
        at: DateTime<Utc>,
        records: &impl Records,
    ) -> Result<(Basis, Option<Places>), LaneFault> {
        let passes = Passes::of(plate, records)?;
        Ok(match passes.verdict(at) {
            Verdict::Cards(cards) => {
                let (_, pass, _) = Self::with_a_place(draft, &cards, plate, at, records)?;
                (Basis::Pass { card: pass.card().unwrap_or_default().to_owned() }, pass.places)
            }
            Verdict::Says(Says::Free) => (Basis::Free, None),
            Verdict::Says(_) => (Basis::Temporary, None),
        })
    }

    fn book_exit(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        passage: &mut Passage,
        kept: Kept<Stay>,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        passage.code = DecisionCode::BacklogExit;
        draft.change.rely_on(&kept.record.id.to_string(), Some(&kept));
        let mut stay = kept.record;
        passage.stay = Some(stay.id);
        stay.state = StayState::Closed;
        stay.exited_at = Some(passage.captured_at);
        stay.exit_lane = Some(self.rules.lane.clone());
        if let Some(last) = stay.to_remember(&self.rules.tariff) {
            draft.change.put(&last);
        }
        Self::look_at_pass(draft, &mut stay, passage.captured_at, records)?;
        Self::leave(draft, &stay, records)?;
        if stay.is_charged() {
            let before: Option<Kept<Bill>> = match stay.bill {
                Some(id) => records.get(&id.to_string())?,
                None => None,
            };
            let known = before.as_ref().map(|bill| &bill.record);
            let rules = &self.rules;
            let tariff = rules.tariff.as_ref();
            let mut bill = Bill::assessed(known, &stay, passage.captured_at, tariff, rules.tax_rate, &rules.key)?;
            let unpaid = bill.due().is_positive();
            if unpaid || bill.has_reductions_to_post() {
                draft.change.rely_on(&bill.id.to_string(), before.as_ref());
                draft.change.postings.extend(bill.fix(now)?);
                passage.bill = Some(bill.id);
                stay.bill = Some(bill.id);
                bill.write(&mut draft.change, before.as_ref().map(|bill| bill.record.state));
            }
            if unpaid {
                draft.case(CaseKind::LeftUnpaid, passage, Some(stay.id), now);
                passage.due = Some(bill.due());
            }
        }
        draft.change.put(&stay);
        Ok(())
    }
}
