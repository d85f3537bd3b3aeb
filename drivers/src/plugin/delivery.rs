//! Events on their way to the box: kept until somebody has finished them, offered again when nobody did, bounded.
//!
//! A child has no broker behind it, so this is the only copy. It outlives the child's restarts. It must not know where
//! events come from.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tollhouse_core::id::DeviceId;

use crate::event::{DeviceEvent, Outcome, Receipt, What};
use crate::link::EventSink;

/// At most so many events are held.
pub(super) const MOST_HELD: usize = 1024;
/// After so many abandonments an event is poison.
const MOST_ABANDONED: u32 = 5;
/// How long the sink gets before it is asked again.
const SINK_PAUSE: Duration = Duration::from_millis(20);
/// How long an event waits after its first abandonment; doubled each time, so that an actor has time to come back.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// What became of an event that was offered.
pub(super) type Settlement = (u64, Outcome);

/// An event that will not be delivered any more.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) device: DeviceId,
    pub(super) why: GivenUp,
}

/// Why it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// Too many are held.
    Overflow,
    /// Abandoned too often.
    Poison,
}

#[derive(Debug)]
struct Held {
    token: u64,
    device: DeviceId,
    what: What,
    received_at: DateTime<Utc>,
    abandoned: u32,
    not_before: Option<Instant>,
}

/// See the module.
pub(super) struct Delivery {
    sink: Arc<dyn EventSink>,
    /// Unbounded because a receipt must not block; it carries at most one settlement for each event offered.
    settlements: UnboundedSender<Settlement>,
    waiting: VecDeque<Held>,
    offered: BTreeMap<u64, Held>,
    given_back: Option<DeviceEvent>,
    sink_pause_until: Option<Instant>,
    next_token: u64,
}

impl Delivery {
    pub(super) fn new(sink: Arc<dyn EventSink>, settlements: UnboundedSender<Settlement>) -> Self {
        Self {
            sink,
            settlements,
            waiting: VecDeque::new(),
            offered: BTreeMap::new(),
            given_back: None,
            sink_pause_until: None,
            next_token: 0,
        }
    }

    /// Takes an event in hand and offers it, behind those that wait. What had to make room comes back.
    pub(super) fn push(
        &mut self,
        device: DeviceId,
        what: What,
        received_at: DateTime<Utc>,
        now: Instant,
    ) -> Option<Given> {
        let evicted = if self.waiting.len() + self.offered.len() >= MOST_HELD { self.evict() } else { None };
        let token = self.next_token;
        self.next_token += 1;
        self.waiting.push_back(Held { token, device, what, received_at, abandoned: 0, not_before: None });
        self.flush(now);
        evicted
    }

    /// What a lane can do without goes first; a plate last.
    fn evict(&mut self) -> Option<Given> {
        let place = self
            .waiting
            .iter()
            .position(|held| !matches!(held.what, What::Plate(_) | What::Passed(_)))
            .or_else(|| self.waiting.iter().position(|held| !matches!(held.what, What::Plate(_))))
            .or(if self.waiting.is_empty() { None } else { Some(0) });
        if let Some(held) = place.and_then(|place| self.waiting.remove(place)) {
            return Some(Given { device: held.device, why: GivenUp::Overflow });
        }
        // All are with the box already: only the copy for a second offer is lost, not the event.
        self.offered.pop_first();
        None
    }

    /// Offers what may be offered now, in order.
    pub(super) fn flush(&mut self, now: Instant) {
        if self.sink_pause_until.is_some_and(|until| until > now) {
            return;
        }
        self.sink_pause_until = None;
        while let Some(event) = self.given_back.take().or_else(|| self.next(now)) {
            if let Err(event) = self.sink.offer(event) {
                self.given_back = Some(event);
                self.sink_pause_until = Some(now + SINK_PAUSE);
                return;
            }
        }
    }

    fn next(&mut self, now: Instant) -> Option<DeviceEvent> {
        self.waiting.front().filter(|held| held.not_before.is_none_or(|at| at <= now))?;
        let held = self.waiting.pop_front()?;
        let (device, what, received_at) = (held.device.clone(), held.what.clone(), held.received_at);
        let receipt = match held.what {
            What::Plate(_) | What::Passed(_) | What::Notice(_) => {
                let (token, settlements) = (held.token, self.settlements.clone());
                self.offered.insert(token, held);
                Receipt::new(move |outcome| {
                    // Nobody listens only when the host is being closed.
                    let _ = settlements.send((token, outcome));
                })
            }
            What::State(_) | What::Stood(_) | What::Ack(_) | What::Availability(_) => Receipt::none(),
        };
        Some(DeviceEvent { device, received_at, what, receipt })
    }

    /// Hears what became of an event.
    pub(super) fn settle(&mut self, (token, outcome): Settlement, now: Instant) -> Option<Given> {
        let mut held = self.offered.remove(&token)?;
        if outcome == Outcome::Done {
            return None;
        }
        held.abandoned += 1;
        if held.abandoned >= MOST_ABANDONED {
            return Some(Given { device: held.device, why: GivenUp::Poison });
        }
        held.not_before = Some(now + FIRST_PAUSE * 2_u32.pow(held.abandoned - 1));
        self.waiting.push_front(held);
        self.flush(now);
        None
    }

    /// When [`Self::flush`] next has something to do.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.sink_pause_until.or_else(|| self.waiting.front().and_then(|held| held.not_before))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;
    use crate::event::{ChannelState, Position};
    use crate::wire::{EventKind, parse_event};

    /// A box that takes at most so many events.
    struct Room {
        most: Mutex<usize>,
        taken: Mutex<Vec<DeviceEvent>>,
    }

    impl EventSink for Room {
        fn offer(&self, event: DeviceEvent) -> Result<(), DeviceEvent> {
            let mut taken = self.taken.lock().expect("not poisoned");
            if taken.len() >= *self.most.lock().expect("not poisoned") {
                return Err(event);
            }
            taken.push(event);
            Ok(())
        }
    }

    fn device() -> DeviceId {
        DeviceId::new("cam-in-2").expect("a device")
    }

    fn plate(number: usize) -> What {
        let body = format!(r#"{{"event_id":"e{number}","plate":"粤C12345"}}"#);
        parse_event(EventKind::Plate, body.as_bytes(), DateTime::UNIX_EPOCH).expect("a plate")
    }

    fn set_up(most: usize) -> (Arc<Room>, Delivery, UnboundedReceiver<Settlement>) {
        let room = Arc::new(Room { most: Mutex::new(most), taken: Mutex::default() });
        let (sender, settlements) = unbounded_channel();
        (Arc::clone(&room), Delivery::new(room, sender), settlements)
    }

    #[tokio::test]
    async fn a_full_sink_gets_the_same_events_in_order_once_there_is_room() {
        let (room, mut delivery, mut settlements) = set_up(0);
        let now = Instant::now();
        for number in 0..3 {
            assert!(delivery.push(device(), plate(number), DateTime::UNIX_EPOCH, now).is_none());
        }
        *room.most.lock().expect("not poisoned") = 10;
        delivery.flush(now);
        assert!(room.taken.lock().expect("not poisoned").is_empty(), "the sink gets its pause");
        delivery.flush(delivery.wake_at().expect("a pause"));
        let whats: Vec<What> =
            room.taken.lock().expect("not poisoned").iter().map(|event| event.what.clone()).collect();
        assert_eq!(whats, [plate(0), plate(1), plate(2)]);
        assert!(settlements.try_recv().is_err(), "being given back is no abandonment");
    }

    #[tokio::test]
    async fn an_abandoned_event_comes_again_and_is_poison_the_fifth_time() {
        let (room, mut delivery, mut settlements) = set_up(1);
        let mut now = Instant::now();
        delivery.push(device(), plate(0), DateTime::UNIX_EPOCH, now);
        for time in 1..=MOST_ABANDONED {
            assert!(room.taken.lock().expect("not poisoned").pop().is_some(), "offered for the {time}. time");
            let settlement = settlements.try_recv().expect("abandoned by dropping it");
            let given = delivery.settle(settlement, now);
            assert_eq!(given.map(|given| given.why), (time == MOST_ABANDONED).then_some(GivenUp::Poison));
            now = delivery.wake_at().unwrap_or(now);
            delivery.flush(now);
        }
        assert!(room.taken.lock().expect("not poisoned").is_empty());
    }

    #[tokio::test]
    async fn a_finished_event_is_forgotten() {
        let (room, mut delivery, mut settlements) = set_up(1);
        let now = Instant::now();
        delivery.push(device(), plate(0), DateTime::UNIX_EPOCH, now);
        room.taken.lock().expect("not poisoned").pop().expect("offered").receipt.done();
        assert!(delivery.settle(settlements.try_recv().expect("done"), now).is_none());
        assert!(delivery.offered.is_empty() && delivery.waiting.is_empty());
    }

    #[tokio::test]
    async fn what_is_not_a_plate_makes_room_first() {
        let (_, mut delivery, _settlements) = set_up(0);
        let now = Instant::now();
        delivery.push(device(), plate(0), DateTime::UNIX_EPOCH, now);
        delivery.push(device(), plate(1), DateTime::UNIX_EPOCH, now);
        delivery.push(device(), What::State(ChannelState::Barrier(Position::Up)), DateTime::UNIX_EPOCH, now);
        for number in 3..MOST_HELD {
            assert!(delivery.push(device(), plate(number), DateTime::UNIX_EPOCH, now).is_none());
        }
        let evicted = delivery.push(device(), plate(MOST_HELD), DateTime::UNIX_EPOCH, now).expect("one too many");
        assert_eq!(evicted.why, GivenUp::Overflow);
        assert!(delivery.waiting.iter().all(|held| matches!(held.what, What::Plate(_))), "the state went");
        assert_eq!(delivery.waiting.len() + delivery.offered.len(), MOST_HELD);
    }
}
