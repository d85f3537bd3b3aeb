//! Commands on their way to the broker. Pure: no socket, no clock, no task.
//!
//! The broker's acknowledgement ends a command here; whether the device did it is another matter. After a lost connection, what the
//! broker has not acknowledged goes out again under the same command id, unless it has expired, or its device has started anew
//! since it first went out: then nobody knows whether the older run did it, and only the lane may ask again.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use tollhouse_core::id::BootId;

use super::directory::DeviceIndex;

/// So many commands may be with the broker at once. Packet id 1 is left to the subscription.
pub(super) const MAX_IN_FLIGHT: u16 = 256;

/// A command, ready to be published.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) device: DeviceIndex,
    pub(super) topic: String,
    pub(super) body: Vec<u8>,
    pub(super) expires_at: DateTime<Utc>,
}

#[derive(Debug)]
struct Waiting {
    command: Outgoing,
    exposed: Exposed,
    place: u64,
}

/// To which run of its device a command has gone out.
#[derive(Debug)]
enum Exposed {
    No,
    To(Option<BootId>),
}

/// Commands that were given up.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct GivenUp {
    pub(super) expired: u64,
    pub(super) restarted: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<Waiting>,
    in_flight: BTreeMap<u16, Waiting>,
    last_packet: u16,
    next_place: u64,
}

impl Outbox {
    pub(super) fn push(&mut self, command: Outgoing) {
        let place = self.next_place;
        self.next_place += 1;
        self.queue.push_back(Waiting { command, exposed: Exposed::No, place });
    }

    /// The next command to publish, with its packet id, while the broker may be given more.
    pub(super) fn next(
        &mut self,
        now: DateTime<Utc>,
        boot_of: impl Fn(DeviceIndex) -> Option<BootId>,
        given_up: &mut GivenUp,
    ) -> Option<(u16, &Outgoing)> {
        let packet = self.free_packet()?;
        loop {
            let mut waiting = self.queue.pop_front()?;
            if waiting.command.expires_at <= now {
                given_up.expired += 1;
                continue;
            }
            let boot = boot_of(waiting.command.device);
            match &waiting.exposed {
                Exposed::To(Some(first)) if boot.as_ref().is_some_and(|boot| boot != first) => {
                    given_up.restarted += 1;
                    continue;
                }
                Exposed::To(Some(_)) => {}
                Exposed::To(None) | Exposed::No => waiting.exposed = Exposed::To(boot),
            }
            self.last_packet = packet;
            return Some((packet, &self.in_flight.entry(packet).or_insert(waiting).command));
        }
    }

    fn free_packet(&self) -> Option<u16> {
        let after = self.last_packet.max(1);
        (after + 1..=MAX_IN_FLIGHT).chain(2..=after).find(|packet| !self.in_flight.contains_key(packet))
    }

    /// The broker has it.
    pub(super) fn acknowledged(&mut self, packet: u16) {
        self.in_flight.remove(&packet);
    }

    /// The connection is gone: what was in flight goes out again, before the rest and in the old order.
    pub(super) fn disconnected(&mut self) {
        self.queue.extend(std::mem::take(&mut self.in_flight).into_values());
        self.queue.make_contiguous().sort_by_key(|waiting| waiting.place);
    }

    /// Drops what has expired, so that a long outage does not fill the queue with it.
    pub(super) fn prune(&mut self, now: DateTime<Utc>, given_up: &mut GivenUp) {
        let before = self.queue.len();
        self.queue.retain(|waiting| waiting.command.expires_at > now);
        given_up.expired += (before - self.queue.len()) as u64;
    }

    /// Queued and in flight together.
    pub(super) fn len(&self) -> usize {
        self.queue.len() + self.in_flight.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u32) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + i64::from(second), 0).expect("a time")
    }

    fn boot(name: &str) -> Option<BootId> {
        BootId::new(name).ok()
    }

    fn command(name: &str, expires: u32) -> Outgoing {
        Outgoing { device: 0, topic: name.to_owned(), body: Vec::new(), expires_at: at(expires) }
    }

    fn drain(outbox: &mut Outbox, now: u32, boot_id: &str) -> (Vec<String>, GivenUp) {
        let mut given_up = GivenUp::default();
        let mut sent = Vec::new();
        while let Some((_, command)) = outbox.next(at(now), |_| boot(boot_id), &mut given_up) {
            sent.push(command.topic.clone());
        }
        (sent, given_up)
    }

    #[test]
    fn what_the_broker_has_not_acknowledged_goes_out_again_in_the_old_order() {
        let mut outbox = Outbox::default();
        for name in ["a", "b", "c"] {
            outbox.push(command(name, 60));
        }
        drain(&mut outbox, 0, "boot");
        outbox.acknowledged(3);
        outbox.push(command("d", 60));
        outbox.disconnected();
        assert_eq!(drain(&mut outbox, 1, "boot").0, ["a", "c", "d"]);
    }

    #[test]
    fn an_expired_command_never_goes_out() {
        let mut outbox = Outbox::default();
        outbox.push(command("late", 5));
        outbox.push(command("good", 60));
        let (sent, given_up) = drain(&mut outbox, 5, "boot");
        assert_eq!((sent, given_up.expired), (vec!["good".to_owned()], 1));
    }

    #[test]
    fn a_command_does_not_go_out_again_to_a_device_that_has_started_anew() {
        let mut outbox = Outbox::default();
        outbox.push(command("exposed", 60));
        drain(&mut outbox, 0, "first");
        outbox.push(command("fresh", 60));
        outbox.disconnected();
        let (sent, given_up) = drain(&mut outbox, 1, "second");
        assert_eq!((sent, given_up.restarted), (vec!["fresh".to_owned()], 1));
    }

    #[test]
    fn the_broker_gets_no_more_than_it_may_have_and_no_packet_id_twice() {
        let mut outbox = Outbox::default();
        for _ in 0..600 {
            outbox.push(command("x", 60));
        }
        let (sent, _) = drain(&mut outbox, 0, "boot");
        assert_eq!(sent.len(), usize::from(MAX_IN_FLIGHT) - 1, "packet id 1 is left out");
        outbox.acknowledged(100);
        outbox.acknowledged(7);
        let mut given_up = GivenUp::default();
        let packets: Vec<u16> =
            std::iter::from_fn(|| outbox.next(at(0), |_| None, &mut given_up).map(|(packet, _)| packet)).collect();
        assert_eq!(packets, [7, 100]);
    }

    #[test]
    fn a_long_outage_leaves_no_expired_commands_behind() {
        let mut outbox = Outbox::default();
        (0..10).for_each(|second| outbox.push(command("x", second)));
        let mut given_up = GivenUp::default();
        outbox.prune(at(7), &mut given_up);
        assert_eq!((outbox.len(), given_up.expired), (2, 8));
    }
}
