//! Drafting a commit: the change, what the lane will have in hand when it is durable, and the effects that wait for it.

use chrono::{DateTime, Utc};

use super::covering::Covers;
use super::{
    Also, Case, CaseKind, Effect, EventSeen, Input, Lane, LaneFault, LaneHand, Mark, OpenCommit, OrderStanding,
    Passage, Passing, Person, Step,
};
use crate::id::{DeviceId, LaneId, StayId};
use crate::record::{Cause, Change, ChangeKind, ReadError, Records, Relied, Table};
use crate::stay::Stay;

/// Under which device's name the orders of people are marked as taken.
const PERSON_DEVICE: &str = "person";

/// A commit in the making.
pub(super) struct Draft {
    pub(super) change: Change,
    pub(super) next: Option<Passage>,
    pub(super) passing: Option<Passing>,
    pub(super) also: Option<Also>,
    pub(super) then: Vec<Effect>,
    /// A stay that this very change voids: whoever reads the records still sees it.
    pub(super) voided: Option<StayId>,
    /// A stay whose last move this very change takes back, as it leaves it.
    pub(super) taken_back: Option<Box<Stay>>,
    /// The cards whose cars it has looked at, as it leaves them.
    pub(super) covers: Covers,
}

impl Draft {
    /// Marks the event as taken, so that it is taken once.
    pub(super) fn take_event(&mut self, mark: &Mark, now: DateTime<Utc>) {
        let seen = EventSeen {
            device: mark.device.clone(),
            event_id: mark.event_id.clone(),
            fingerprint: mark.fingerprint.clone(),
            at: now,
        };
        self.change.rely_on::<EventSeen>(&EventSeen::key_of(&mark.device, &mark.event_id), None);
        self.change.put(&seen);
    }

    /// Notes a case for a human.
    pub(super) fn case(&mut self, kind: CaseKind, passage: &Passage, stay: Option<StayId>, now: DateTime<Utc>) {
        let id = format!("{}-{}", kind.as_str(), passage.id);
        self.change.put(&Case { id, kind, at: now, passage: passage.id, stay, words: kind.words() });
    }

    /// Writes the passage and has it in hand from then on.
    pub(super) fn keep(&mut self, passage: Passage) {
        self.change.put(&passage);
        if let Some(plate) = &passage.plate {
            self.change.personal(plate.as_str());
        }
        self.next = Some(passage);
    }
}

/// Whether an event has been taken before.
#[allow(clippy::large_enum_variant)] // lives for one call
pub(super) enum Seen {
    New,
    Before(Step),
}

impl Lane {
    pub(super) fn draft(&self, kind: ChangeKind, now: DateTime<Utc>, cause: Cause) -> Draft {
        let change = Change::new(kind, now, cause).at_lane(&self.rules.lane);
        Draft {
            change,
            next: self.hand.clone(),
            passing: self.passing,
            also: self.also,
            then: vec![],
            voided: None,
            taken_back: None,
            covers: Covers::default(),
        }
    }

    /// Hands the draft out. Every commit of the lane writes its hand and relies on the revision that it knows.
    pub(super) fn commit(&mut self, mut draft: Draft, input: Input) -> Step {
        let hand = LaneHand {
            lane: self.rules.lane.clone(),
            passage: draft.next.as_ref().map(|passage| passage.id),
            passing: draft.passing,
            also: draft.also,
        };
        let relied = Relied { table: Table::Lanes, key: self.rules.lane.to_string(), revision: self.hand_revision };
        draft.change.relied.push(relied);
        draft.change.put(&hand);
        std::mem::take(&mut draft.covers).write(&mut draft.change);
        let Draft { change, next, passing, also, then, voided: _, taken_back: _, covers: _ } = draft;
        self.open = Some(OpenCommit { input, next, passing, also, then });
        Step { effects: vec![], commit: Some(change) }
    }

    /// What the records say that the lane has in hand.
    pub(super) fn reload(&mut self, records: &impl Records) -> Result<(), LaneFault> {
        let hand = records.get::<LaneHand>(self.rules.lane.as_str())?;
        self.hand_revision = hand.as_ref().map(|kept| kept.revision);
        self.passing = hand.as_ref().and_then(|kept| kept.record.passing);
        self.also = hand.as_ref().and_then(|kept| kept.record.also);
        self.hand = match hand.and_then(|kept| kept.record.passage) {
            Some(id) => records.get::<Passage>(&id.to_string())?.map(|kept| kept.record),
            None => None,
        };
        Ok(())
    }

    /// The same id with the same content is the same event; with another content it is an error.
    pub(super) fn mark(mark: &Mark, records: &impl Records) -> Result<Seen, LaneFault> {
        let seen = records.get::<EventSeen>(&EventSeen::key_of(&mark.device, &mark.event_id))?;
        Ok(match seen {
            None => Seen::New,
            Some(kept) if kept.record.fingerprint == mark.fingerprint => Seen::Before(Step::nothing()),
            Some(_) => Seen::Before(Step::effects(vec![Effect::CountConflict(mark.device.clone())])),
        })
    }

    /// An order of a person is taken once per request id.
    pub(super) fn request(&self, person: &Person, records: &impl Records) -> Result<Seen, LaneFault> {
        Self::mark(&person.mark(&self.rules.lane), records)
    }
}

impl Person {
    /// How the order stands in the records of a lane.
    pub fn standing(&self, lane: &LaneId, records: &impl Records) -> Result<OrderStanding, ReadError> {
        let mark = self.mark(lane);
        let seen = records.get::<EventSeen>(&EventSeen::key_of(&mark.device, &mark.event_id))?;
        Ok(match seen {
            None => OrderStanding::New,
            Some(kept) if kept.record.fingerprint == mark.fingerprint => OrderStanding::Taken,
            Some(_) => OrderStanding::Another,
        })
    }

    /// The mark under which a person's order at a lane is kept.
    pub(super) fn mark(&self, lane: &LaneId) -> Mark {
        let lane = DeviceId::new(format!("{PERSON_DEVICE}-{lane}"));
        // The longest lane names leave no room: their orders share one name.
        let device = lane.unwrap_or_else(|_| DeviceId::new(PERSON_DEVICE).expect("a plain name"));
        Mark {
            device,
            event_id: self.request.clone(),
            fingerprint: format!("{}/{}", self.name, self.reason),
            captured_at: DateTime::UNIX_EPOCH,
            age: chrono::TimeDelta::zero(),
        }
    }
}
