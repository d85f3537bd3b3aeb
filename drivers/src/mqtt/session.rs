//! The link's one task: connects, polls, acknowledges, publishes, and connects again for ever.
//!
//! It drives rumqttc's event loop by hand and never uses its request channel: acknowledgements and commands are written
//! to the connection by the task itself, in batches, so nothing can be cleared behind our back (rumqttc drops what is
//! queued when the broker answers without a session), every packet id is known, and nothing waits for a channel that only
//! this task drains. Each connection gets a fresh event loop, so no state of a broken one lives on.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rumqttc::{
    Event, EventLoop, MqttOptions, NetworkOptions, Packet, PingReq, PubAck, Publish, QoS, Request, Subscribe,
    SubscribeFilter, SubscribeReasonCode,
};
use tokio::time::timeout;

use super::MqttConfig;
use super::directory::Directory;
use super::mail::{Mail, Phase};
use super::outbox::{GivenUp, MAX_IN_FLIGHT, Outbox};
use super::receive::{Overflow, Receiver, Settling};
use super::topic::{self, Delivery};
use crate::link::{Clock, EventSink, LinkState, Observer};

/// The name under which observers hear of this link.
const LINK_NAME: &str = "mqtt";
/// Above the broker's 2.25 MiB: a client limit below the broker's is an endless reconnect.
const MAX_INCOMING_BYTES: usize = 2_560 * 1024;
const MAX_OUTGOING_BYTES: usize = 256 * 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(10);
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// After a stranger's command the box looks for a retained one; several within this time are looked for at once.
const LOOK_AFTER: Duration = Duration::from_millis(300);
/// The packet id of every subscription: commands never use it.
const SUBSCRIPTION_PACKET: u16 = 1;
const RETRY_TICK: Duration = Duration::from_millis(25);
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);
/// A connection that lasted so long was a good one: the next attempt starts without delay again.
const GOOD_CONNECTION: Duration = Duration::from_secs(2);
/// How long a closing link waits for what is under way.
const CLOSING: Duration = Duration::from_secs(1);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{0}")]
    Connection(#[from] Box<rumqttc::ConnectionError>),
    #[error("{0}")]
    State(#[from] Box<rumqttc::StateError>),
    #[error("the broker does not read")]
    Stuck,
    #[error("too many events are in hand; the broker keeps the rest")]
    Overflow,
    #[error("the link is being shut down")]
    Closed,
}

impl From<Overflow> for Ended {
    fn from(Overflow: Overflow) -> Self {
        Self::Overflow
    }
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Subscription sent.
    Subscribing,
    /// Subscribed; a ping asks for the end of what the broker sends by itself (retained messages, above all the boot
    /// ids that tell whether a command may go out again).
    Settling,
    /// Commands may go out.
    Up,
}

/// See the module.
pub(super) struct Session {
    config: MqttConfig,
    root: String,
    clock: Clock,
    observer: Arc<dyn Observer>,
    mail: Arc<Mail>,
    directory: Arc<Mutex<Directory>>,
    receiver: Receiver,
    outbox: Outbox,
    phase: Phase,
    reported: Option<LinkState>,
}

impl Session {
    pub(super) fn new(
        config: MqttConfig,
        clock: Clock,
        sink: Arc<dyn EventSink>,
        observer: Arc<dyn Observer>,
        mail: Arc<Mail>,
        directory: Arc<Mutex<Directory>>,
    ) -> Self {
        let root = topic::root(&config.lot);
        let receiver = Receiver::new(
            root.clone(),
            config.devices.clone(),
            config.capacity,
            (sink, Arc::clone(&observer)),
            Arc::clone(&mail),
            Arc::clone(&directory),
        );
        let (outbox, phase) = (Outbox::default(), Phase::Open);
        Self { config, root, clock, observer, mail, directory, receiver, outbox, phase, reported: None }
    }

    /// Runs until the link is closed.
    pub(super) async fn run(mut self) {
        let mut backoff = FIRST_BACKOFF;
        loop {
            let began = Instant::now();
            let ended = self.connection().await.expect_err("a connection only ever ends");
            if matches!(ended, Ended::Closed) || self.phase == Phase::Closing {
                self.observer.link(LINK_NAME, LinkState::Down);
                let commands = self.outbox.len();
                if commands > 0 {
                    tracing::warn!(commands, "the link closes with commands that the broker never had");
                }
                return;
            }
            self.report(LinkState::Down, &ended.to_string());
            if began.elapsed() >= GOOD_CONNECTION {
                backoff = FIRST_BACKOFF;
            }
            self.rest(jittered(backoff)).await;
            backoff = (backoff * 2).min(MAX_BACKOFF);
        }
    }

    /// Between two connections: letters are read, and what waits for the sink is still offered.
    async fn rest(&mut self, pause: Duration) {
        let until = tokio::time::Instant::now() + pause;
        loop {
            self.read_letters();
            self.receiver.offer_waiting();
            let tick = (tokio::time::Instant::now() + RETRY_TICK).min(until);
            tokio::time::sleep_until(tick).await;
            if self.phase == Phase::Closing || tokio::time::Instant::now() >= until {
                return;
            }
        }
    }

    /// One connection, from its beginning to its end.
    async fn connection(&mut self) -> Result<std::convert::Infallible, Ended> {
        let mut events = self.event_loop();
        self.connect(&mut events).await?;
        self.receiver.reconnected();
        let served = self.serve(&mut events).await;
        self.outbox.disconnected();
        served
    }

    fn event_loop(&self) -> EventLoop {
        let config = &self.config;
        let mut options = MqttOptions::new(&config.client_id, &config.host, config.port);
        options
            .set_clean_session(false)
            .set_manual_acks(true)
            .set_keep_alive(KEEP_ALIVE)
            .set_max_packet_size(MAX_INCOMING_BYTES, MAX_OUTGOING_BYTES)
            .set_inflight(MAX_IN_FLIGHT);
        if let Some(username) = &config.username {
            options.set_credentials(username, config.password.as_deref().unwrap_or_default());
        }
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(WRITE_TIMEOUT.as_secs());
        let mut events = EventLoop::new(options, 1);
        events.set_network_options(network);
        events
    }

    async fn connect(&mut self, events: &mut EventLoop) -> Result<(), Ended> {
        self.await_connection(events).await?;
        let filters = topic::filters(&self.root).into_iter().map(|(path, delivery)| {
            let qos = match delivery {
                Delivery::Once => QoS::AtMostOnce,
                Delivery::UntilAcknowledged => QoS::AtLeastOnce,
            };
            SubscribeFilter { path, qos }
        });
        request(events, Request::Subscribe(Subscribe::new_many(filters))).await?;
        flush(events).await
    }

    /// The first poll connects; it must not be cut short, or it would begin anew each time.
    async fn await_connection(&mut self, events: &mut EventLoop) -> Result<(), Ended> {
        let mut connecting = std::pin::pin!(events.poll());
        loop {
            tokio::select! {
                event = &mut connecting => {
                    event.map_err(Box::new)?;
                    return Ok(());
                }
                () = self.mail.wake.notified() => {
                    self.read_letters();
                    if self.phase == Phase::Closing {
                        return Err(Ended::Closed);
                    }
                }
            }
        }
    }

    /// Polls until the connection breaks or the link is closed.
    async fn serve(&mut self, events: &mut EventLoop) -> Result<std::convert::Infallible, Ended> {
        let mut stage = Stage::Subscribing;
        let mut closing_until = None;
        loop {
            let looks = self.receiver.strange_command.is_some() && stage == Stage::Up;
            let waits = self.receiver.inbox.waiting() > 0 || looks || self.phase == Phase::Closing;
            tokio::select! {
                event = events.poll() => self.handle(event.map_err(Box::new)?, events, &mut stage).await?,
                () = self.mail.wake.notified() => {}
                () = tokio::time::sleep(RETRY_TICK), if waits => {
                    if self.phase == Phase::Open {
                        self.receiver.offer_waiting();
                    }
                }
            }
            // What has been read already is handled first, so that a burst is answered by one write.
            if !events.state.events.is_empty() {
                continue;
            }
            self.read_letters();
            self.acknowledge(events).await?;
            if stage == Stage::Up {
                self.publish(events).await?;
            }
            flush(events).await?;
            if self.phase == Phase::Closing {
                let until = *closing_until.get_or_insert_with(|| Instant::now() + CLOSING);
                let idle = self.outbox.len() == 0 && self.receiver.inbox.with_sink() == 0;
                if idle || Instant::now() >= until {
                    return sign_off(events).await;
                }
            }
        }
    }

    async fn handle(&mut self, event: Event, events: &mut EventLoop, stage: &mut Stage) -> Result<(), Ended> {
        let Event::Incoming(packet) = event else { return Ok(()) };
        match packet {
            // What arrives while closing stays with the broker.
            Packet::Publish(publish) if self.phase == Phase::Open => {
                self.receiver.receive(&publish, (self.clock)())?;
            }
            Packet::PubAck(ack) => self.outbox.acknowledged(ack.pkid),
            Packet::SubAck(suback) if *stage == Stage::Subscribing => {
                if suback.return_codes.contains(&SubscribeReasonCode::Failure) {
                    tracing::error!("the broker refuses a subscription: check its access rules for this client");
                }
                *stage = Stage::Settling;
                request(events, Request::PingReq(PingReq)).await?;
                flush(events).await?;
            }
            Packet::PingResp if *stage == Stage::Settling => {
                *stage = Stage::Up;
                self.receiver.settled = Settling::Over;
                self.report(LinkState::Up, "subscribed");
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes what other threads have left.
    fn read_letters(&mut self) {
        let mut letters = self.mail.letters();
        let commands = std::mem::take(&mut letters.commands);
        let outcomes = std::mem::take(&mut letters.outcomes);
        self.phase = letters.phase;
        for command in commands {
            self.outbox.push(command);
        }
        let full = self.outbox.len() >= self.config.capacity;
        letters.held = self.outbox.len();
        drop(letters);
        self.receiver.settle(outcomes);
        if full {
            let mut given_up = GivenUp::default();
            self.outbox.prune((self.clock)(), &mut given_up);
            log_given_up(given_up);
            self.mail.letters().held = self.outbox.len();
        }
    }

    async fn acknowledge(&mut self, events: &mut EventLoop) -> Result<(), Ended> {
        for packet in self.receiver.inbox.ready() {
            write(events, Packet::PubAck(PubAck::new(packet))).await?;
        }
        Ok(())
    }

    async fn publish(&mut self, events: &mut EventLoop) -> Result<(), Ended> {
        for topic in std::mem::take(&mut self.receiver.clearings) {
            let mut clearing = Publish::new(topic, QoS::AtMostOnce, []);
            clearing.retain = true;
            request(events, Request::Publish(clearing)).await?;
        }
        self.look_for_retained(events).await?;
        if self.outbox.len() == 0 {
            return Ok(());
        }
        let mut given_up = GivenUp::default();
        let now = (self.clock)();
        let directory = Arc::clone(&self.directory);
        let boot_of = |device| directory.lock().unwrap_or_else(PoisonError::into_inner).boot(device);
        while let Some((packet, command)) = self.outbox.next(now, boot_of, &mut given_up) {
            let mut publish = Publish::new(&command.topic, QoS::AtLeastOnce, command.body.clone());
            publish.pkid = packet;
            self.receiver.own.sent(&command.topic, &command.body);
            request(events, Request::Publish(publish)).await?;
        }
        log_given_up(given_up);
        Ok(())
    }

    /// A command that is not ours may have been retained, which the broker tells only who subscribes. At most one look in
    /// [`LOOK_AFTER`]: a stranger who sends commands all the time costs one subscription a second.
    async fn look_for_retained(&mut self, events: &mut EventLoop) -> Result<(), Ended> {
        if self.receiver.strange_command.is_none_or(|since| since.elapsed() < LOOK_AFTER) {
            return Ok(());
        }
        self.receiver.strange_command = None;
        let filter = SubscribeFilter { path: topic::commands(&self.root), qos: QoS::AtMostOnce };
        let mut again = Subscribe::new_many([filter]);
        again.pkid = SUBSCRIPTION_PACKET;
        write(events, Packet::Subscribe(again)).await
    }

    fn report(&mut self, state: LinkState, why: &str) {
        if self.reported.replace(state) == Some(state) {
            tracing::debug!(broker = ?self.config, why, "still no connection to the broker");
            return;
        }
        match state {
            LinkState::Up => tracing::info!(broker = ?self.config, "connected to the broker"),
            LinkState::Down | LinkState::Restarted | LinkState::Quarantined => {
                tracing::warn!(broker = ?self.config, why, "no connection to the broker");
            }
        }
        self.observer.link(LINK_NAME, state);
    }
}

/// DISCONNECT, and then read on until the broker hangs up: were the socket closed with messages unread, the reset that follows
/// would take our last acknowledgements with it.
async fn sign_off(events: &mut EventLoop) -> Result<std::convert::Infallible, Ended> {
    request(events, Request::Disconnect(rumqttc::Disconnect)).await?;
    flush(events).await?;
    let hung_up = async { while events.poll().await.is_ok() {} };
    // A broker that does not hang up is left.
    let _ = timeout(CLOSING, hung_up).await;
    Err(Ended::Closed)
}

/// Passes a request through rumqttc's state, which keeps account of it, to the connection's buffer.
async fn request(events: &mut EventLoop, request: Request) -> Result<(), Ended> {
    match events.state.handle_outgoing_packet(request).map_err(Box::new)? {
        Some(packet) => write(events, packet).await,
        None => Ok(()),
    }
}

async fn write(events: &mut EventLoop, packet: Packet) -> Result<(), Ended> {
    let Some(network) = events.network.as_mut() else { return Err(Ended::Stuck) };
    let written = timeout(WRITE_TIMEOUT, network.write(packet)).await.map_err(|_| Ended::Stuck)?;
    Ok(written.map_err(Box::new)?)
}

async fn flush(events: &mut EventLoop) -> Result<(), Ended> {
    let Some(network) = events.network.as_mut() else { return Err(Ended::Stuck) };
    let flushed = timeout(WRITE_TIMEOUT, network.flush()).await.map_err(|_| Ended::Stuck)?;
    Ok(flushed.map_err(Box::new)?)
}

fn log_given_up(given_up: GivenUp) {
    if given_up != GivenUp::default() {
        let GivenUp { expired, restarted } = given_up;
        tracing::warn!(expired, restarted, "commands were given up before the broker had them");
    }
}

/// Between half and all of `pause`, so that many boxes do not come back at the same moment.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 1000;
    pause / 2 + pause.mul_f64(f64::from(u32::try_from(random).unwrap_or(0)) / 2000.0)
}
