//! Owns the generator's connection: MQTT 3.1.1 packets straight on a socket, many in one write. A full client costs as much
//! for a car as the box does, and on few cores what the generator takes the box cannot have.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use rumqttc::QoS;
use rumqttc::mqttbytes::Error;
use rumqttc::mqttbytes::v4::{ConnAck, Connect, Packet, PubAck, Publish, Subscribe};

const PACKET_BYTES: usize = 1 << 20;
const READ_BYTES: usize = 64 << 10;

/// What is to be written, whole packets only.
#[derive(Default)]
pub(crate) struct Letters {
    bytes: BytesMut,
}

/// The half that sends; several threads may share it.
#[derive(Clone)]
pub(crate) struct Sender {
    stream: Arc<Mutex<Outgoing>>,
}

struct Outgoing {
    stream: TcpStream,
    last_id: u16,
}

/// The half that receives.
pub(crate) struct Receiver {
    stream: TcpStream,
    chunk: Vec<u8>,
    bytes: BytesMut,
}

impl Letters {
    /// One message, QoS 1. Its packet id is given when it is sent.
    pub(crate) fn publish(&mut self, outgoing: &Sender, topic: String, retained: Retained, body: String) {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, body);
        publish.retain = retained == Retained::Yes;
        publish.pkid = outgoing.next_id();
        publish.write(&mut self.bytes).expect("a small packet can be written");
    }

    fn acknowledge(&mut self, packet_id: u16) {
        PubAck::new(packet_id).write(&mut self.bytes).expect("a small packet can be written");
    }
}

/// Whether the broker keeps it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retained {
    Yes,
    No,
}

impl Sender {
    fn next_id(&self) -> u16 {
        let mut outgoing = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        // Far fewer than 65,535 are under way at once.
        outgoing.last_id = outgoing.last_id % u16::MAX + 1;
        outgoing.last_id
    }

    /// Writes all in one go.
    pub(crate) fn send(&self, letters: &mut Letters) {
        if letters.bytes.is_empty() {
            return;
        }
        let mut outgoing = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        outgoing.stream.write_all(&letters.bytes).expect("the connection to the broker lives");
        letters.bytes.clear();
    }
}

impl Receiver {
    /// Waits for messages, and takes all that have come: their acknowledgements are put to `answers`, for the caller to
    /// send with what it has to say. `None` when the connection has ended.
    pub(crate) fn receive(&mut self, answers: &mut Letters) -> Option<Vec<Publish>> {
        let mut messages = vec![];
        while messages.is_empty() {
            self.fill()?;
            while let Some(packet) = self.next() {
                if let Packet::Publish(publish) = packet {
                    answers.acknowledge(publish.pkid);
                    messages.push(publish);
                }
            }
        }
        Some(messages)
    }

    fn fill(&mut self) -> Option<()> {
        let read = self.stream.read(&mut self.chunk).ok().filter(|read| *read > 0)?;
        self.bytes.extend_from_slice(&self.chunk[..read]);
        Some(())
    }

    fn next(&mut self) -> Option<Packet> {
        match Packet::read(&mut self.bytes, PACKET_BYTES) {
            Ok(packet) => Some(packet),
            Err(Error::InsufficientBytes(_)) => None,
            Err(fault) => panic!("the broker sends no MQTT: {fault}"),
        }
    }

    fn await_packet(&mut self, mut wanted: impl FnMut(&Packet) -> bool) {
        loop {
            while let Some(packet) = self.next() {
                if wanted(&packet) {
                    return;
                }
            }
            self.fill().expect("the broker answers");
        }
    }
}

/// Signs in and subscribes.
pub(crate) fn connect(broker: SocketAddr, id: &str, topic: String) -> (Sender, Receiver) {
    let mut stream = TcpStream::connect(broker).expect("the broker listens");
    stream.set_nodelay(true).expect("a socket takes its options");
    let mut hello = BytesMut::new();
    let mut connect = Connect::new(id);
    // It speaks often enough, and a run ends by itself.
    connect.keep_alive = 0;
    connect.write(&mut hello).expect("a small packet can be written");
    let mut subscribe = Subscribe::new(topic, QoS::AtLeastOnce);
    subscribe.pkid = 1;
    subscribe.write(&mut hello).expect("a small packet can be written");
    stream.write_all(&hello).expect("the broker takes it");
    let mut receiver = Receiver {
        stream: stream.try_clone().expect("a socket has two ends"),
        chunk: vec![0; READ_BYTES],
        bytes: BytesMut::new(),
    };
    receiver.await_packet(|packet| matches!(packet, Packet::ConnAck(ConnAck { .. })));
    receiver.await_packet(|packet| matches!(packet, Packet::SubAck(_)));
    let sender = Sender { stream: Arc::new(Mutex::new(Outgoing { stream, last_id: 1 })) };
    (sender, receiver)
}
