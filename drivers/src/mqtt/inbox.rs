//! What the broker has handed over and nobody has finished: the order of acknowledgement, and what is offered again.
//! Pure: no socket, no clock, no task.
//!
//! Acknowledgements go out in the order of receipt (MQTT 3.1.1, 4.6; some brokers drop a client that does otherwise), so
//! an event that is finished early waits for the ones before it. An acknowledgement belongs to the connection that brought the
//! message: when that ends, the order is forgotten, while the copies stay until somebody has finished them.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use rumqttc::Publish;

use super::directory::DeviceIndex;
use crate::event::{DeviceEvent, Outcome};
use crate::link::EventSink;

/// Names one message in hand; never used twice.
pub(super) type Token = u64;

/// After so many abandonments an event is refused as poison.
pub(super) const MAX_ABANDONED: u32 = 5;

/// How long an event waits after it was given back.
const PAUSE: Duration = Duration::from_millis(50);
/// How long it waits after its first abandonment; doubled each time, so that an actor has time to come back.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A message in hand.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) device: DeviceIndex,
    /// The message as it came, to make the event anew from.
    pub(super) copy: Publish,
    pub(super) received_at: DateTime<Utc>,
    /// How long it lay at the broker, if that makes it older than its device says.
    pub(super) lain: TimeDelta,
    abandoned: u32,
    not_before: Option<Instant>,
    given_back: Option<DeviceEvent>,
}

/// What became of an abandoned or finished event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// Finished, or not known any more.
    Forgotten,
    /// It will be offered again.
    Again,
    /// Abandoned too often: refuse it.
    Poison(DeviceIndex),
}

/// Whether a new event may go to the sink at once.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Offer it.
    Now(Token),
    /// Earlier events of its device wait, and it has been queued behind them.
    Queued,
    /// Too much is in hand already.
    Overflow,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Inbox {
    entries: BTreeMap<Token, Entry>,
    /// Packet ids of this connection in the order of receipt. One whose token has no entry is ready.
    order: VecDeque<(u16, Token)>,
    waiting: VecDeque<Token>,
    waiting_of: Vec<u32>,
    next: Token,
    /// Tokens below this one came over an earlier connection.
    this_connection: Token,
    capacity: usize,
}

impl Inbox {
    pub(super) fn new(devices: usize, capacity: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            order: VecDeque::new(),
            waiting: VecDeque::new(),
            waiting_of: vec![0; devices],
            next: 0,
            this_connection: 0,
            capacity,
        }
    }

    /// Takes an event in hand. The broker hears of it once it is settled.
    pub(super) fn admit(
        &mut self,
        device: DeviceIndex,
        copy: &Publish,
        received_at: DateTime<Utc>,
        lain: TimeDelta,
    ) -> Turn {
        if self.entries.len() >= self.capacity && !self.evict_detached() {
            return Turn::Overflow;
        }
        let token = self.enter(copy.pkid);
        let copy = copy.clone();
        let entry = Entry { device, copy, received_at, lain, abandoned: 0, not_before: None, given_back: None };
        self.entries.insert(token, entry);
        if self.waiting_of[device] > 0 {
            self.wait(token, device);
            return Turn::Queued;
        }
        Turn::Now(token)
    }

    /// A message that needs nobody: it is acknowledged as soon as those before it are.
    pub(super) fn junk(&mut self, packet: u16) {
        self.enter(packet);
    }

    fn enter(&mut self, packet: u16) -> Token {
        let token = self.next;
        self.next += 1;
        // QoS 0 has no packet id and wants no acknowledgement.
        if packet != 0 {
            self.order.push_back((packet, token));
        }
        token
    }

    /// The broker delivers a message of an earlier connection again by itself, so the oldest copy of one makes room.
    fn evict_detached(&mut self) -> bool {
        let Some((&token, _)) = self.entries.first_key_value() else { return false };
        if token >= self.this_connection {
            return false;
        }
        self.forget(token);
        true
    }

    fn forget(&mut self, token: Token) {
        if let Some(entry) = self.entries.remove(&token)
            && let Some(place) = self.waiting.iter().position(|waiting| *waiting == token)
        {
            self.waiting.remove(place);
            self.waiting_of[entry.device] -= 1;
        }
    }

    fn wait(&mut self, token: Token, device: DeviceIndex) {
        self.waiting.push_back(token);
        self.waiting_of[device] += 1;
    }

    /// The sink gave the event back: it is offered again, the same event with the same receipt.
    pub(super) fn give_back(&mut self, token: Token, event: DeviceEvent, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&token) {
            entry.given_back = Some(event);
            entry.not_before = Some(now + PAUSE);
            let device = entry.device;
            self.wait(token, device);
        }
    }

    /// A receipt has spoken.
    pub(super) fn settle(&mut self, token: Token, outcome: Outcome, now: Instant) -> Settled {
        let Some(entry) = self.entries.get(&token) else { return Settled::Forgotten };
        let device = entry.device;
        if outcome == Outcome::Done {
            self.forget(token);
            return Settled::Forgotten;
        }
        // What stood behind the one that nobody could finish is innocent: only a device's oldest is counted.
        let oldest = !self.entries.range(..token).any(|(_, earlier)| earlier.device == device);
        let Some(entry) = self.entries.get_mut(&token) else { return Settled::Forgotten };
        entry.abandoned += u32::from(oldest);
        if entry.abandoned >= MAX_ABANDONED {
            self.forget(token);
            return Settled::Poison(device);
        }
        entry.not_before = Some(now + FIRST_PAUSE * 2u32.pow(entry.abandoned.saturating_sub(1)));
        self.wait(token, device);
        Settled::Again
    }

    /// Offers what waits and is due, in order within each device. `renew` makes the event anew from its copy.
    pub(super) fn offer_waiting(
        &mut self,
        now: Instant,
        sink: &dyn EventSink,
        mut renew: impl FnMut(Token, &Entry) -> Option<DeviceEvent>,
    ) {
        let mut held_back: HashSet<DeviceIndex> = HashSet::new();
        for _ in 0..self.waiting.len() {
            let Some(token) = self.waiting.pop_front() else { break };
            let Some(entry) = self.entries.get_mut(&token) else { continue };
            if held_back.contains(&entry.device) || entry.not_before.is_some_and(|due| due > now) {
                held_back.insert(entry.device);
                self.waiting.push_back(token);
                continue;
            }
            let device = entry.device;
            let Some(event) = entry.given_back.take().or_else(|| renew(token, entry)) else {
                // It was understood once, so this does not happen; were it kept, everything behind it would wait for ever.
                self.waiting_of[device] -= 1;
                self.entries.remove(&token);
                continue;
            };
            match sink.offer(event) {
                Ok(()) => self.waiting_of[device] -= 1,
                Err(event) => {
                    entry.given_back = Some(event);
                    entry.not_before = Some(now + PAUSE);
                    held_back.insert(device);
                    self.waiting.push_back(token);
                }
            }
        }
    }

    /// Packet ids that may be acknowledged now, in order.
    pub(super) fn ready(&mut self) -> impl Iterator<Item = u16> + '_ {
        std::iter::from_fn(move || {
            let (packet, token) = *self.order.front()?;
            if self.entries.contains_key(&token) {
                return None;
            }
            self.order.pop_front();
            Some(packet)
        })
    }

    /// A new connection: nothing that came over an older one may be acknowledged any more. The broker delivers it again.
    pub(super) fn reconnected(&mut self) {
        self.order.clear();
        self.this_connection = self.next;
    }

    /// How many events wait to be offered again.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many events the sink has taken and nobody has finished.
    pub(super) fn with_sink(&self) -> usize {
        self.entries.len() - self.waiting.len()
    }
}

#[cfg(test)]
#[path = "inbox_tests.rs"]
mod tests;
