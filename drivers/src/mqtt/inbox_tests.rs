//! The order of acknowledgement and of offering, without a broker.

use std::sync::Mutex;

use rumqttc::QoS;
use tollhouse_core::id::DeviceId;

use super::*;
use crate::event::{Availability, Presence, Receipt, What};

/// Takes events while it is open, and remembers from which device.
#[derive(Default)]
struct Gate {
    closed_for: Mutex<Option<DeviceId>>,
    taken: Mutex<Vec<String>>,
}

impl EventSink for Gate {
    fn offer(&self, event: DeviceEvent) -> Result<(), DeviceEvent> {
        if self.closed_for.lock().expect("no panic").as_ref() == Some(&event.device) {
            return Err(event);
        }
        let What::Availability(what) = &event.what else { panic!("only availabilities are offered here") };
        let name = what.boot_id.as_ref().expect("a name").to_string();
        self.taken.lock().expect("no panic").push(name);
        Ok(())
    }
}

impl Gate {
    fn taken(&self) -> Vec<String> {
        self.taken.lock().expect("no panic").clone()
    }
}

fn device(index: DeviceIndex) -> DeviceId {
    DeviceId::new(format!("d{index}")).expect("a name")
}

fn event(index: DeviceIndex, name: &str) -> DeviceEvent {
    DeviceEvent {
        device: device(index),
        received_at: DateTime::UNIX_EPOCH,
        what: What::Availability(Availability { presence: Presence::Online, boot_id: name.parse().ok() }),
        receipt: Receipt::none(),
    }
}

fn message(packet: u16, name: &str) -> Publish {
    let qos = if packet == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
    let mut publish = Publish::new("t", qos, name);
    publish.pkid = packet;
    publish
}

fn renew(_: Token, entry: &Entry) -> Option<DeviceEvent> {
    std::str::from_utf8(&entry.copy.payload).ok().map(|name| event(entry.device, name))
}

fn admit(inbox: &mut Inbox, index: DeviceIndex, packet: u16) -> Token {
    match inbox.admit(index, &message(packet, "e"), DateTime::UNIX_EPOCH, TimeDelta::zero()) {
        Turn::Now(token) => token,
        other => panic!("not at once: {other:?}"),
    }
}

fn ready(inbox: &mut Inbox) -> Vec<u16> {
    inbox.ready().collect()
}

#[test]
fn acknowledgements_go_out_in_the_order_of_receipt() {
    let (mut inbox, now) = (Inbox::new(1, 100), Instant::now());
    let first = admit(&mut inbox, 0, 11);
    inbox.junk(12);
    let third = admit(&mut inbox, 0, 13);
    inbox.settle(third, Outcome::Done, now);
    assert_eq!(ready(&mut inbox), [] as [u16; 0], "the head is not finished");
    inbox.settle(first, Outcome::Done, now);
    assert_eq!(ready(&mut inbox), [11, 12, 13]);
    assert_eq!(ready(&mut inbox), [] as [u16; 0]);
}

#[test]
fn a_message_without_packet_id_is_never_acknowledged() {
    let mut inbox = Inbox::new(1, 100);
    let token = admit(&mut inbox, 0, 0);
    inbox.junk(0);
    inbox.settle(token, Outcome::Done, Instant::now());
    assert_eq!(ready(&mut inbox), [] as [u16; 0]);
}

#[test]
fn an_acknowledgement_of_an_older_connection_is_dropped() {
    let (mut inbox, now) = (Inbox::new(1, 100), Instant::now());
    let old = admit(&mut inbox, 0, 1);
    inbox.reconnected();
    let new = admit(&mut inbox, 0, 1);
    inbox.settle(old, Outcome::Done, now);
    assert_eq!(ready(&mut inbox), [] as [u16; 0]);
    inbox.settle(new, Outcome::Done, now);
    assert_eq!(ready(&mut inbox), [1]);
}

#[test]
fn an_abandoned_event_is_offered_again_and_at_last_refused_as_poison() {
    let (mut inbox, gate, mut now) = (Inbox::new(1, 100), Gate::default(), Instant::now());
    let token = admit(&mut inbox, 0, 1);
    for _ in 1..MAX_ABANDONED {
        assert_eq!(inbox.settle(token, Outcome::Abandoned, now), Settled::Again);
        inbox.offer_waiting(now, &gate, renew);
        assert_eq!(inbox.waiting(), 1, "not before the pause is over");
        now += Duration::from_secs(2);
        inbox.offer_waiting(now, &gate, renew);
        assert_eq!(inbox.waiting(), 0);
    }
    assert_eq!(inbox.settle(token, Outcome::Abandoned, now), Settled::Poison(0));
    assert_eq!(gate.taken().len(), MAX_ABANDONED as usize - 1);
    assert_eq!(ready(&mut inbox), [1], "and the broker may forget it");
}

#[test]
fn events_of_one_device_keep_their_order_and_others_do_not_wait_for_it() {
    let (mut inbox, gate, now) = (Inbox::new(2, 100), Gate::default(), Instant::now());
    *gate.closed_for.lock().expect("no panic") = Some(device(0));
    let first = admit(&mut inbox, 0, 1);
    let given_back = gate.offer(event(0, "first")).expect_err("closed");
    inbox.give_back(first, given_back, now);
    assert_eq!(inbox.admit(0, &message(2, "second"), DateTime::UNIX_EPOCH, TimeDelta::zero()), Turn::Queued);
    assert!(matches!(inbox.admit(1, &message(3, "other"), DateTime::UNIX_EPOCH, TimeDelta::zero()), Turn::Now(_)));

    let later = now + Duration::from_secs(1);
    inbox.offer_waiting(later, &gate, renew);
    assert_eq!((gate.taken().len(), inbox.waiting()), (0, 2), "still closed");
    *gate.closed_for.lock().expect("no panic") = None;
    inbox.offer_waiting(later + Duration::from_secs(1), &gate, renew);
    assert_eq!(gate.taken(), ["first", "second"]);
    assert_eq!((inbox.waiting(), inbox.with_sink()), (0, 3));
    assert!(matches!(inbox.admit(0, &message(4, "third"), DateTime::UNIX_EPOCH, TimeDelta::zero()), Turn::Now(_)));
}

#[test]
fn beyond_its_capacity_the_oldest_copy_that_the_broker_repeats_makes_room() {
    let mut inbox = Inbox::new(1, 2);
    admit(&mut inbox, 0, 1);
    admit(&mut inbox, 0, 2);
    assert_eq!(inbox.admit(0, &message(3, "e"), DateTime::UNIX_EPOCH, TimeDelta::zero()), Turn::Overflow);
    inbox.reconnected();
    admit(&mut inbox, 0, 1);
    admit(&mut inbox, 0, 2);
    assert_eq!(
        inbox.admit(0, &message(3, "e"), DateTime::UNIX_EPOCH, TimeDelta::zero()),
        Turn::Overflow,
        "these are of this connection"
    );
}

#[test]
fn what_stands_behind_a_poisonous_event_of_its_device_is_innocent() {
    let (mut inbox, gate, mut now) = (Inbox::new(1, 100), Gate::default(), Instant::now());
    let (poison, innocent) = (admit(&mut inbox, 0, 1), admit(&mut inbox, 0, 2));
    for _ in 1..MAX_ABANDONED {
        assert_eq!(inbox.settle(poison, Outcome::Abandoned, now), Settled::Again);
        assert_eq!(inbox.settle(innocent, Outcome::Abandoned, now), Settled::Again);
        now += Duration::from_secs(2);
        inbox.offer_waiting(now, &gate, renew);
    }
    assert_eq!(inbox.settle(poison, Outcome::Abandoned, now), Settled::Poison(0));
    assert_eq!(inbox.settle(innocent, Outcome::Abandoned, now), Settled::Again);
}
