//! How a passage ends: the car has passed, backed out, or is gone because the next one is there.

use chrono::{DateTime, Utc};

use super::commit::Draft;
use super::exit::look_at_bill_later;
use super::{
    CaseKind, CommandState, Direction, Effect, Ended, EndedBy, Lane, LaneFault, OnLoop, PASSING_LASTS, Passage,
    PassageState, Passed, Passing, Read, Role, Tell, Tone, Way,
};
use crate::bill::Bill;
use crate::record::{Cause, ChangeKind, Records};
use crate::stay::{Inside, Stay, StayState, inside_counter};
use crate::words::Words;

impl Lane {
    /// A device says that a car has left the lane.
    pub(super) fn passed(
        &self,
        now: DateTime<Utc>,
        passed: &Passed,
        records: &impl Records,
    ) -> Result<Option<Draft>, LaneFault> {
        let Some(hand) = self.hand.clone() else { return Ok(Some(self.noted(now, &passed.mark))) };
        let cause = Cause::Event { device: passed.mark.device.clone(), event_id: passed.mark.event_id.clone() };
        let draft = |kind| {
            let mut draft = self.draft(kind, now, cause.clone());
            draft.take_event(&passed.mark, now);
            draft
        };
        // What was seen before the car in hand came is about another car, however late it is heard of.
        let about_this_car = passed.mark.captured_at >= hand.captured_at;
        let live = about_this_car && matches!(hand.state, PassageState::Waiting | PassageState::Granted);
        let passing = self.passing.filter(|passing| now - passing.since <= PASSING_LASTS);
        let guessed = hand.ended.as_ref().is_some_and(|ended| matches!(ended.by, EndedBy::Opening | EndedBy::Time));
        Ok(Some(match passed.way {
            // The barrier has not opened for the car in hand, so it is the one before it that has passed.
            Way::Through if live && passing.is_some() && hand.state == PassageState::Waiting => {
                let mut draft = self.noted(now, &passed.mark);
                draft.passing = None;
                draft
            }
            Way::Through if live => {
                let mut draft = draft(ChangeKind::PassagePassed);
                self.finish(&mut draft, now, hand, EndedBy::Loop, records)?;
                self.next_in_line(&mut draft, now, records)?;
                draft
            }
            Way::Back if live || about_this_car && hand.state == PassageState::Refused => {
                let mut draft = draft(ChangeKind::PassageLapsed);
                self.lapse(&mut draft, now, hand, EndedBy::BackedOut, records)?;
                self.next_in_line(&mut draft, now, records)?;
                draft
            }
            // The opening was taken for the passing, and it was none.
            Way::Back if about_this_car && hand.state == PassageState::Passed && guessed => {
                let mut draft = draft(ChangeKind::PassageLapsed);
                if self.rules.role() == Role::Ends {
                    Self::take_back(&mut draft, &hand, records)?;
                    draft.keep(Passage {
                        state: PassageState::Lapsed,
                        ended: Some(Ended { by: EndedBy::BackedOut, at: now }),
                        ..hand
                    });
                } else {
                    self.lapse(&mut draft, now, hand, EndedBy::BackedOut, records)?;
                }
                draft
            }
            // The opening was taken for the passing; now the loop itself has seen it, and the next read is the next car.
            Way::Through if about_this_car && hand.state == PassageState::Passed => {
                let mut draft = draft(ChangeKind::PassagePassed);
                draft.keep(Passage { ended: Some(Ended { by: EndedBy::Loop, at: now }), ..hand });
                draft
            }
            _ => self.noted(now, &passed.mark),
        }))
    }

    pub(super) fn count_as_passed(
        &self,
        now: DateTime<Utc>,
        records: &impl Records,
    ) -> Result<Option<Draft>, LaneFault> {
        let Some(hand) = self.hand.clone().filter(|hand| hand.state == PassageState::Granted) else { return Ok(None) };
        if Self::was_not_opened(&hand) {
            return Ok(None);
        }
        let mut draft = self.draft(ChangeKind::PassagePassed, now, Cause::Time);
        self.finish(&mut draft, now, hand, EndedBy::Time, records)?;
        Ok(Some(draft))
    }

    /// A car that waited and left the loop has backed out.
    pub(super) fn on_loop(
        &mut self,
        now: DateTime<Utc>,
        on_loop: OnLoop,
        records: &impl Records,
    ) -> Result<Option<Draft>, LaneFault> {
        let left = self.on_loop == OnLoop::Occupied && on_loop == OnLoop::Clear;
        self.on_loop = on_loop;
        if left && self.passing.is_some_and(|passing| now - passing.since <= PASSING_LASTS) {
            // It was the car before that left.
            self.passing = None;
            return Ok(None);
        }
        let stood = |hand: &Passage| matches!(hand.state, PassageState::Waiting | PassageState::Refused);
        let waiting = self.hand.clone().filter(|hand| left && stood(hand));
        let Some(hand) = waiting else { return Ok(None) };
        let mut draft = self.draft(ChangeKind::PassageLapsed, now, Cause::Box("the car left the loop".into()));
        self.lapse(&mut draft, now, hand, EndedBy::BackedOut, records)?;
        // Nobody stands there any more.
        self.lapse_also(&mut draft, now, records)?;
        Ok(Some(draft))
    }

    /// Another car has been read: the one in hand has passed if the barrier opened for it, else it is gone; or it waits
    /// for its bill, and then it is handed back.
    pub(super) fn end_for_next_car(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        read: &Read,
        records: &impl Records,
    ) -> Result<Option<Passage>, LaneFault> {
        let Some(hand) = self.hand.clone() else { return Ok(None) };
        let guessed = hand.ended.as_ref().is_some_and(|ended| {
            matches!(ended.by, EndedBy::Opening | EndedBy::Time) && now - ended.at <= PASSING_LASTS
        });
        let opened = hand.state == PassageState::Granted && !Self::was_not_opened(&hand);
        let another = hand.plate.as_ref() != Some(&read.plate);
        draft.passing = (another && (opened || guessed)).then_some(Passing { passage: hand.id, since: now });
        match hand.state {
            PassageState::Granted
                if !Self::was_not_opened(&hand) && !self.is_still_at_exit(&hand, read, records)? =>
            {
                self.finish(draft, now, hand, EndedBy::NextCar, records)?;
            }
            PassageState::Waiting if another && hand.bill.is_some() => return Ok(Some(hand)),
            PassageState::Granted | PassageState::Waiting => self.lapse(draft, now, hand, EndedBy::NextCar, records)?,
            PassageState::Refused | PassageState::Passed | PassageState::Lapsed => {}
        }
        Ok(None)
    }

    /// Read again at the same exit and inside by the books: its authorisation is old, and it has not passed.
    fn is_still_at_exit(&self, hand: &Passage, read: &Read, records: &impl Records) -> Result<bool, LaneFault> {
        if self.rules.role() != Role::Ends || hand.stay.is_none() || hand.plate.as_ref() != Some(&read.plate) {
            return Ok(false);
        }
        let inside = records.get::<Inside>(read.plate.as_str())?;
        Ok(inside.map(|kept| kept.record.stay) == hand.stay)
    }

    fn was_not_opened(hand: &Passage) -> bool {
        hand.grant
            .as_ref()
            .is_some_and(|grant| matches!(grant.command.state, CommandState::Rejected | CommandState::Failed))
    }

    /// The car has passed: the authorisation is consumed, and at an exit the stay ends.
    pub(super) fn finish(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        mut passage: Passage,
        by: EndedBy,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        passage.state = PassageState::Passed;
        passage.ended = Some(Ended { by, at: now });
        let words = match (self.rules.role(), self.rules.direction) {
            (Role::Begins, _) => Words::new("车辆已入场", "The car is in"),
            (Role::Ends, _) => {
                self.end_stay(draft, now, &passage, records)?;
                Words::new("车辆已离场", "The car is out")
            }
            (Role::Moves, Direction::Entry) => Words::new("车辆已进入内场", "The car is in the inner area"),
            (Role::Moves, Direction::Exit) => Words::new("车辆已驶出内场", "The car is out of the inner area"),
        };
        draft.then.push(quiet("passed", &passage, words));
        if draft.also.is_some() {
            draft.then.push(look_at_bill_later(&passage, now));
        }
        draft.keep(passage);
        Ok(())
    }

    /// The stay ends at the arrival at the exit. What was not paid stays owed and is posted; nobody forgets it.
    fn end_stay(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        passage: &Passage,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let Some(id) = passage.stay else { return Ok(()) };
        let Some(kept) = records.get::<Stay>(&id.to_string())? else { return Ok(()) };
        if kept.record.state != StayState::Open {
            return Ok(());
        }
        draft.change.rely_on(&id.to_string(), Some(&kept));
        let mut stay = kept.record;
        stay.state = StayState::Closed;
        stay.exited_at = Some(passage.captured_at);
        stay.exit_lane = Some(self.rules.lane.clone());
        if let Some(last) = stay.to_remember(&self.rules.tariff) {
            draft.change.put(&last);
        }
        Self::leave(draft, &stay, records)?;
        if let Some(bill) = passage.bill {
            Self::leave_unpaid(draft, now, passage, &bill.to_string(), records)?;
        }
        draft.change.put(&stay);
        Ok(())
    }

    fn leave_unpaid(
        draft: &mut Draft,
        now: DateTime<Utc>,
        passage: &Passage,
        bill: &str,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let Some(kept) = records.get::<Bill>(bill)? else { return Ok(()) };
        draft.change.rely_on(bill, Some(&kept));
        let before = Some(kept.record.state);
        let mut bill = kept.record;
        if bill.due().is_zero() {
            return Ok(());
        }
        draft.change.postings.extend(bill.fix(now)?);
        draft.case(CaseKind::LeftUnpaid, passage, passage.stay, now);
        bill.write(&mut draft.change, before);
        Ok(())
    }

    /// A stay that ended by a guess runs on: its car never left the lane outwards.
    fn take_back(draft: &mut Draft, hand: &Passage, records: &impl Records) -> Result<(), LaneFault> {
        let (Some(id), Some(plate)) = (hand.stay, &hand.plate) else { return Ok(()) };
        let Some(kept) = records.get::<Stay>(&id.to_string())? else { return Ok(()) };
        let inside = records.get::<Inside>(plate.as_str())?;
        if kept.record.state != StayState::Closed || inside.is_some() {
            return Ok(());
        }
        draft.change.rely_on(&id.to_string(), Some(&kept));
        draft.change.rely_on::<Inside>(plate.as_str(), None);
        let mut stay = kept.record;
        Self::take_place_again(draft, &stay, stay.exited_at.unwrap_or(stay.entered_at), records)?;
        stay.state = StayState::Open;
        (stay.exited_at, stay.exit_lane, stay.clock_stopped_at) = (None, None, None);
        draft.change.count(&inside_counter(&stay.area, &stay.basis), 1, None);
        draft.change.put(&Inside { plate: plate.clone(), stay: id });
        draft.change.put(&stay);
        Ok(())
    }

    /// The car in hand is gone without having passed.
    pub(super) fn lapse(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        passage: Passage,
        by: EndedBy,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let passage = self.lapsed(draft, now, passage, by, records)?;
        draft.keep(passage);
        Ok(())
    }

    /// A car is gone without having passed: an entry's stay is void, an exit's runs on from its entry.
    pub(super) fn lapsed(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        mut passage: Passage,
        by: EndedBy,
        records: &impl Records,
    ) -> Result<Passage, LaneFault> {
        passage.state = PassageState::Lapsed;
        passage.ended = Some(Ended { by, at: now });
        if let Some(id) = passage.stay
            && let Some(kept) = records.get::<Stay>(&id.to_string())?
            && kept.record.state == StayState::Open
        {
            draft.change.rely_on(&id.to_string(), Some(&kept));
            let mut stay = kept.record;
            match self.rules.role() {
                Role::Begins => {
                    stay.state = StayState::Voided;
                    draft.voided = Some(stay.id);
                    Self::leave(draft, &stay, records)?;
                    draft.change.put(&stay);
                }
                Role::Ends => {
                    // If the clock stopped later, it stands at another exit by now.
                    stay.clock_stopped_at = stay.clock_stopped_at.filter(|at| *at != passage.captured_at);
                    draft.change.put(&stay);
                }
                Role::Moves => self.move_back(draft, &passage, stay),
            }
        }
        draft.then.push(quiet(
            "lapsed",
            &passage,
            Words::new("车辆已离开车道", "The car left the lane without passing"),
        ));
        Ok(passage)
    }
}

fn quiet(code: &'static str, passage: &Passage, words: Words) -> Effect {
    Effect::Tell(Tell { code, tone: Tone::Quiet, plate: passage.plate.clone(), words, money: None })
}
