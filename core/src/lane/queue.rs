//! Two cars that wait at one exit: the second was read before the first had paid.
//!
//! No camera can tell which of them stands at the barrier: the one behind may have been read early, the one in front may
//! have backed out, or one car was read twice, once wrongly. So the first keeps its place for a while, its fee clock stays
//! where it stopped, and whoever pays is let out. It knows nothing of prices and of how a bill is paid.

use chrono::{DateTime, TimeDelta, Utc};

use super::commit::Draft;
use super::exit::look_at_bill_later;
use super::{Also, EndedBy, Lane, LaneFault, Passage, PassageState, Read, WAIT_LASTS};
use crate::record::{Cause, ChangeKind, Records};

/// For so long a car keeps its place after another one has been read: longer than it takes to pay with a phone.
const ALSO_LASTS: TimeDelta = TimeDelta::minutes(10);

impl Lane {
    /// After the decision about the next car: if that one waits, the one before it waits also; else it is gone.
    pub(super) fn wait_also(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        waits: Option<Passage>,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let Some(waits) = waits else { return Ok(()) };
        if let Some(next) = draft.next.as_ref().filter(|next| next.state == PassageState::Waiting) {
            draft.then.push(look_at_bill_later(next, now));
            draft.also = Some(Also { passage: waits.id, since: now });
        } else {
            let gone = self.lapsed(draft, now, waits, EndedBy::NextCar, records)?;
            draft.change.put(&gone);
        }
        Ok(())
    }

    /// The car that also waits, if this read is of it: it is no new one, and its fee clock stays where it stopped.
    pub(super) fn is_back(
        &self,
        now: DateTime<Utc>,
        read: &Read,
        records: &impl Records,
    ) -> Result<Option<Passage>, LaneFault> {
        let waiting = self.also_waiting(records)?.filter(|waiting| {
            waiting.plate.as_ref() == Some(&read.plate) && now - waiting.last_seen_at() <= WAIT_LASTS
        });
        let Some(waiting) = waiting else { return Ok(None) };
        Ok(Self::is_still_here(&waiting, records)?.then_some(waiting))
    }

    /// It is the one in hand from now on.
    pub(super) fn in_hand_again(&self, draft: &mut Draft, now: DateTime<Utc>, mut back: Passage) {
        draft.change.kind = ChangeKind::PassageReadAgain;
        draft.also = None;
        back.read_again_at = Some(now);
        self.show(draft, now, &back);
        draft.then.push(look_at_bill_later(&back, now));
        draft.keep(back);
    }

    /// The other car's bill may have been paid while the barrier is down: then that car is the one to pass, and the one
    /// in hand waits on.
    pub(super) fn look_at_bill_of_also(
        &self,
        now: DateTime<Utc>,
        records: &impl Records,
    ) -> Result<Option<Draft>, LaneFault> {
        let (Some(also), Some(hand)) = (self.also, &self.hand) else { return Ok(None) };
        if hand.state == PassageState::Granted {
            return Ok(None);
        }
        if now - also.since > ALSO_LASTS {
            let cause = Cause::Box("another car was read long ago, and this one has not paid".into());
            let mut draft = self.draft(ChangeKind::PassageLapsed, now, cause);
            self.lapse_also(&mut draft, now, records)?;
            return Ok(Some(draft));
        }
        let Some(waiting) = self.also_waiting(records)? else { return Ok(None) };
        let Some((passage, bill)) = Self::paid(&waiting, records)? else { return Ok(None) };
        let mut draft = self.let_out(now, passage, &bill);
        let waits = hand.state == PassageState::Waiting;
        draft.also = waits.then_some(Also { passage: hand.id, since: now });
        Ok(Some(draft))
    }

    /// The car in hand has gone one way or the other: the one that also waits is in hand again.
    pub(super) fn next_in_line(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let Some(waiting) = self.also_waiting(records)? else { return Ok(()) };
        draft.also = None;
        self.show(draft, now, &waiting);
        draft.then.push(look_at_bill_later(&waiting, now));
        draft.next = Some(waiting);
        Ok(())
    }

    /// The car that also waited is gone: its stay runs on.
    pub(super) fn lapse_also(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        draft.also = None;
        let Some(waiting) = self.also_waiting(records)? else { return Ok(()) };
        if let Some(plate) = &waiting.plate {
            draft.change.personal(plate.as_str());
        }
        let gone = self.lapsed(draft, now, waiting, EndedBy::NextCar, records)?;
        draft.change.put(&gone);
        Ok(())
    }

    fn also_waiting(&self, records: &impl Records) -> Result<Option<Passage>, LaneFault> {
        let Some(also) = self.also else { return Ok(None) };
        let kept = records.get::<Passage>(&also.passage.to_string())?;
        Ok(kept.map(|kept| kept.record).filter(|passage| passage.state == PassageState::Waiting))
    }
}
