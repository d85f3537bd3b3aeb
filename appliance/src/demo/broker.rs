//! The embedded broker of the demo: rumqttd on loopback, so that a first try on a fresh machine installs nothing.
//!
//! It owns the choice of the port and the proof that the broker answers there. It is not for an installed box, and knows nothing
//! of lots, devices or lanes. What to know of rumqttd 0.20, from its source:
//!
//! - `Broker::start` joins its server threads for ever, reports neither port nor failed bind (it logs and returns `Ok`),
//!   and cannot be stopped: the broker ends with the process. So the port is tried first, and then proved by signing in.
//! - At most 100 messages are in flight to one client, whatever is configured, with packet ids 1 to 100. An acknowledgement
//!   out of order ends the connection. Retained messages past the free places at the time of subscribing are lost.
//! - A message goes out with the subscription's QoS, not the lower of the two: QoS 0 becomes QoS 1 on the way.
//! - Renewing a subscription within a session brings no retained messages; only a new session's first one does. After a reconnect
//!   the link therefore knows of devices what it knew before.
//! - An empty message clears what is retained on its topic even when it is not marked retained itself.
//! - Messages live in memory, by filter, in segments; a client that falls behind by all of them skips the oldest.
//! - It sets no TCP_NODELAY, has no access control, and a keep-alive of zero is refused.
//! - Should a client vanish between its CONNECT and the answer, its next CONNECT panics a task of rumqttd that holds a
//!   lock, after which nobody can sign in: restart the demo.
//! - It logs every client that goes as an error: `rumqttd=off` belongs in the log filter.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

/// Above the 2.25 MiB of the contract, below the 2.5 MiB that the box's own client accepts.
const MAX_PAYLOAD_BYTES: usize = 2_480 * 1024;
const MAX_CONNECTIONS: usize = 4096;
/// By filter: 4 segments of 8 MiB.
const SEGMENT_BYTES: usize = 8 * 1024 * 1024;
const SEGMENTS: usize = 4;
const START_TIMEOUT: Duration = Duration::from_secs(3);
/// A port found free may be taken before rumqttd binds it.
const ATTEMPTS: usize = 5;

/// Why there is no embedded broker, in words for whoever started the demo.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// It has no access control, so nobody outside may reach it.
    #[error("the demo's broker listens on this machine only: {0} is not a loopback address; use 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// Something listens there already.
    #[error(
        "port {} is in use: another broker may be running on this machine. Pass --mqtt {}:0 to let the demo choose a port",
        .0.port(), .0.ip()
    )]
    InUse(SocketAddr),
    /// Another reason of the operating system.
    #[error("cannot listen on {0}: {1}. Pass --mqtt 127.0.0.1:0 to let the demo choose a port")]
    CannotListen(SocketAddr, io::Error),
    /// Bound perhaps, but it does not answer.
    #[error("the demo's broker does not answer on {0}")]
    Silent(SocketAddr),
}

/// A broker that answers. It runs until the process ends.
#[derive(Debug)]
pub struct EmbeddedBroker {
    /// Where it listens, with the port that was chosen.
    pub addr: SocketAddr,
}

impl EmbeddedBroker {
    /// Starts a broker and returns once a client has signed in there. Port 0 lets it choose a free one.
    pub fn start(addr: SocketAddr) -> Result<Self, BrokerError> {
        if !addr.ip().is_loopback() {
            return Err(BrokerError::NotLoopback(addr));
        }
        let mut outcome = Err(BrokerError::Silent(addr));
        let attempts = if addr.port() == 0 { ATTEMPTS } else { 1 };
        for _ in 0..attempts {
            outcome = launch(addr);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

fn launch(addr: SocketAddr) -> Result<EmbeddedBroker, BrokerError> {
    // rumqttd keeps a failed bind to itself, so the port is tried beforehand, where the reason can be heard.
    let chosen =
        TcpListener::bind(addr).and_then(|listener| listener.local_addr()).map_err(|error| refused(addr, error))?;
    let thread = std::thread::Builder::new()
        .name("demo-broker".to_owned())
        .spawn(move || {
            if let Err(error) = Broker::new(settings(chosen)).start() {
                tracing::error!(%error, "the demo's broker cannot start");
            }
        })
        .map_err(|error| BrokerError::CannotListen(chosen, error))?;
    prove(chosen, &thread)?;
    Ok(EmbeddedBroker { addr: chosen })
}

fn refused(addr: SocketAddr, error: io::Error) -> BrokerError {
    match error.kind() {
        io::ErrorKind::AddrInUse => BrokerError::InUse(addr),
        _ => BrokerError::CannotListen(addr, error),
    }
}

/// Signs in until that works. The thread ends only when the port could not be bound after all; whoever answers then is
/// not our broker.
fn prove(addr: SocketAddr, thread: &JoinHandle<()>) -> Result<(), BrokerError> {
    let deadline = Instant::now() + START_TIMEOUT;
    while Instant::now() < deadline {
        if thread.is_finished() {
            return Err(BrokerError::InUse(addr));
        }
        if sign_in(addr).is_ok() {
            return if thread.is_finished() { Err(BrokerError::InUse(addr)) } else { Ok(()) };
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Err(BrokerError::Silent(addr))
}

/// CONNECT as `demo-probe` with a clean session, wait for the CONNACK, DISCONNECT (MQTT 3.1.1, 3.1, 3.2, 3.14).
fn sign_in(addr: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&addr, START_TIMEOUT)?;
    stream.set_read_timeout(Some(START_TIMEOUT))?;
    stream.write_all(b"\x10\x16\x00\x04MQTT\x04\x02\x00\x3c\x00\x0ademo-probe")?;
    let mut connack = [0; 4];
    stream.read_exact(&mut connack)?;
    if connack != [0x20, 2, 0, 0] {
        return Err(io::Error::other("not the answer of an MQTT broker"));
    }
    stream.write_all(&[0xe0, 0])
}

fn settings(listen: SocketAddr) -> Config {
    let connections = ConnectionSettings {
        connection_timeout_ms: 5_000,
        max_payload_size: MAX_PAYLOAD_BYTES,
        max_inflight_count: 1_000,
        auth: None,
        external_auth: None,
        dynamic_filters: false,
    };
    let server =
        ServerSettings { name: "demo-mqtt".to_owned(), listen, tls: None, next_connection_delay_ms: 0, connections };
    let router = RouterConfig {
        max_connections: MAX_CONNECTIONS,
        max_outgoing_packet_count: 200,
        max_segment_size: SEGMENT_BYTES,
        max_segment_count: SEGMENTS,
        ..RouterConfig::default()
    };
    Config { router, v4: Some(HashMap::from([("demo".to_owned(), server)])), ..Config::default() }
}

#[cfg(test)]
mod tests;
