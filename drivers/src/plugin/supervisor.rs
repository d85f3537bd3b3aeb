//! The host's one task for a driver instance: starts the child, passes commands in and events out, notices when it dies
//! or hangs, and starts it again, or leaves it alone when that is no use.
//!
//! It owns the child's life. What is remembered across lives (commands, undelivered events) is in [`Roster`] and
//! [`Delivery`]; what the child says is heard in [`super::hearing`].

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tracing::{error, info, warn};

use super::backoff::{Backoff, Next};
use super::chatter::Chatter;
use super::delivery::{Delivery, Settlement};
use super::frame::{Again, FromChild, ToChild};
use super::life::{Life, Ping, Stage, Step};
use super::process::{Lost, Process};
use super::roster::{Admission, Roster};
use super::sealed::SealedLibrary;
use super::{PluginConfig, PluginStatus, Standing};
use crate::event::{AckState, CommandAck, Presence, What};
use crate::link::{Clock, DeviceCommand, EventSink, LinkState, Observer};

/// How often expired commands are looked for.
const EXPIRY_TICK: Duration = Duration::from_millis(250);
/// A driver that was taken away is not started again while its host is still there.
const NEVER: Duration = Duration::from_secs(86_400 * 365);

/// What the host was given to work with.
pub(super) struct Shell {
    pub(super) clock: Clock,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) status: Arc<watch::Sender<PluginStatus>>,
}

/// What a person asks of an instance.
pub(super) enum Order {
    /// Try again now.
    Release,
    /// Run this library instead, and go back if it does not become ready.
    Replace { library: Box<SealedLibrary>, answer: oneshot::Sender<Result<(), String>> },
    /// Stop it for good.
    Retire { answer: oneshot::Sender<()> },
}

/// Why a child is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// Because somebody wants it to run.
    AsOrdered,
    /// Because the one before it fell.
    AfterAFall,
}

/// A library that has yet to prove itself, and the one before it.
pub(super) struct Trial {
    before: SealedLibrary,
    answer: oneshot::Sender<Result<(), String>>,
}

/// What the task wakes up for.
enum Happening {
    Frame(Result<(FromChild, Vec<u8>), Lost>),
    Command(DeviceCommand),
    Settled(Settlement),
    Order(Order),
    Time,
    Close,
}

/// The two ways by which the host's owner speaks to its task.
pub(super) struct Inbox {
    pub(super) commands: mpsc::Receiver<DeviceCommand>,
    pub(super) orders: mpsc::Receiver<Order>,
}

/// See the module.
pub(super) struct Supervisor {
    pub(super) config: PluginConfig,
    pub(super) config_json: Box<RawValue>,
    pub(super) library: SealedLibrary,
    pub(super) trial: Option<Trial>,
    pub(super) shell: Shell,
    pub(super) delivery: Delivery,
    pub(super) roster: Roster,
    pub(super) chatter: Chatter,
    inbox: Inbox,
    settlements: mpsc::UnboundedReceiver<Settlement>,
    pub(super) life: Option<Life>,
    start_at: Instant,
    expiry_tick: Instant,
    pub(super) backoff: Backoff,
    quarantined: Option<String>,
    pub(super) starts: u64,
    pub(super) begun: Begun,
    pings: u64,
}

impl Supervisor {
    pub(super) fn new(
        config: PluginConfig,
        library: SealedLibrary,
        shell: Shell,
        sink: Arc<dyn EventSink>,
        inbox: Inbox,
    ) -> Self {
        let (settled, settlements) = mpsc::unbounded_channel();
        let config_json = to_raw_value(&config.config).unwrap_or_default();
        let now = Instant::now();
        Self {
            config,
            config_json,
            library,
            trial: None,
            shell,
            delivery: Delivery::new(sink, settled),
            roster: Roster::default(),
            chatter: Chatter::new(),
            inbox,
            settlements,
            life: None,
            start_at: now,
            expiry_tick: now + EXPIRY_TICK,
            backoff: Backoff::new(),
            quarantined: None,
            starts: 0,
            begun: Begun::AsOrdered,
            pings: 0,
        }
    }

    /// Runs until `closing` resolves, and leaves no process behind.
    pub(super) async fn run(mut self, mut closing: oneshot::Receiver<()>) {
        loop {
            match self.next(&mut closing).await {
                Happening::Frame(Ok((message, blob))) => self.heard(message, blob).await,
                Happening::Frame(Err(Lost(why))) => self.went_down(why, Again::Perhaps).await,
                Happening::Command(command) => self.command(&command).await,
                Happening::Settled(settlement) => self.settle(settlement),
                Happening::Order(order) => self.order(order).await,
                Happening::Time => self.time_passed().await,
                Happening::Close => break,
            }
        }
        if let Some(mut life) = self.life.take() {
            life.process.stop(self.config.patience.stop).await;
            life.process.end().await;
            self.shell.observer.link(&self.config.name, LinkState::Down);
        }
        self.note(|status| (status.pid, status.boot_id) = (None, None));
    }

    async fn next(&mut self, closing: &mut oneshot::Receiver<()>) -> Happening {
        let wake_at = self.wake_at();
        // While the driver is on its way commands wait; in quarantine they are answered.
        let heard = self.quarantined.is_some() || self.life.as_ref().is_some_and(Life::is_ready);
        let life = &mut self.life;
        let frame = async {
            match life {
                Some(life) => life.process.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = closing => Happening::Close,
            frame = frame => Happening::Frame(frame),
            Some(settlement) = self.settlements.recv() => Happening::Settled(settlement),
            Some(order) = self.inbox.orders.recv() => Happening::Order(order),
            Some(command) = self.inbox.commands.recv(), if heard => Happening::Command(command),
            () = sleep_until(wake_at) => Happening::Time,
        }
    }

    fn wake_at(&self) -> Instant {
        let of_life = self.life.as_ref().map_or(self.start_at, Life::wake_at);
        let of_delivery = self.delivery.wake_at().unwrap_or(of_life);
        of_life.min(of_delivery).min(self.expiry_tick)
    }

    async fn time_passed(&mut self) {
        let now = Instant::now();
        self.delivery.flush(now);
        if self.expiry_tick <= now {
            self.expiry_tick = now + EXPIRY_TICK;
            let overdue = self.roster.overdue((self.shell.clock)());
            self.answer(overdue);
        }
        match &self.life {
            None if self.start_at <= now => self.begin().await,
            None => {}
            Some(life) => match life.overdue(now) {
                Some(why) => self.went_down(why.to_owned(), Again::Perhaps).await,
                None => {
                    if let Stage::Ready { ping: Ping::Due(at), .. } = &life.stage
                        && *at <= now
                    {
                        self.ping(now).await;
                    }
                }
            },
        }
    }

    /// Asks through the control thread, unless a question is out already.
    async fn ping(&mut self, now: Instant) {
        let Some(Life { process, stage: Stage::Ready { ping: ping @ Ping::Due(_), .. }, .. }) = &mut self.life else {
            return;
        };
        self.pings += 1;
        let number = self.pings;
        *ping = Ping::Out { number, until: now + self.config.patience.ping_answer };
        if let Err(Lost(why)) = process.send(&ToChild::Ping { number }).await {
            self.went_down(why, Again::Perhaps).await;
        }
    }

    async fn begin(&mut self) {
        if self.quarantined.take().is_some() {
            info!(driver = self.config.name, "the driver's quarantine is over: it is tried once");
        }
        let mut process = match Process::start(&self.config.host_executable, &self.library).await {
            Ok(process) => process,
            Err(fault) => return self.failed(format!("its process does not start: {fault}"), Again::Perhaps),
        };
        let pid = process.pid();
        self.note(|status| (status.pid, status.standing) = (Some(pid), Standing::Starting));
        let load = ToChild::Load {
            library: self.library.path().to_string_lossy().into_owned(),
            allowance: self.config.allowance.clone(),
        };
        let sent = process.send(&load).await;
        let stage = Step::Loading.begin(&self.config.patience);
        self.life = Some(Life { process, stage, early: Vec::new() });
        if let Err(Lost(why)) = sent {
            self.went_down(why, Again::Perhaps).await;
        }
    }

    async fn command(&mut self, command: &DeviceCommand) {
        if let Some(why) = &self.quarantined {
            let reason = Some(format!("the driver is out of order: {}", super::short(why, 120)));
            let cmd_id = command.cmd_id.to_string();
            let answer = CommandAck { cmd_id, state: AckState::Failed, reason };
            return self.deliver(command.device.clone(), What::Ack(answer));
        }
        let now = (self.shell.clock)();
        match self.roster.admit(command, now) {
            Admission::UnderWay => return,
            Admission::Answer(answer) => return self.answer(vec![answer]),
            Admission::Send => {}
        }
        let Some(life) = &mut self.life else { return };
        let args = serde_json::json!({"device": command.device, "args": command.args});
        let remaining = command.expires_at.signed_duration_since(now).num_milliseconds();
        let message = ToChild::Command {
            cmd_id: command.cmd_id.to_string(),
            name: command.name.to_owned(),
            args: to_raw_value(&args).unwrap_or_default(),
            remaining_ms: u64::try_from(remaining).unwrap_or_default(),
        };
        match life.process.send(&message).await {
            Err(Lost(why)) => self.went_down(why, Again::Perhaps).await,
            // Right behind the command: its answer says that the call has returned, and that is the call's deadline.
            Ok(()) => self.ping(Instant::now()).await,
        }
    }

    async fn order(&mut self, order: Order) {
        match order {
            Order::Release => {
                self.backoff.forget();
                if self.life.is_none() {
                    self.start_at = Instant::now();
                }
            }
            Order::Replace { answer, .. } if self.trial.is_some() => {
                // The one who asked has gone when this fails.
                let _ = answer.send(Err("another version is just being tried".to_owned()));
            }
            Order::Replace { library, answer } => {
                self.set_down().await;
                let before = std::mem::replace(&mut self.library, *library);
                self.trial = Some(Trial { before, answer });
                self.backoff.forget();
                (self.start_at, self.begun) = (Instant::now(), Begun::AsOrdered);
            }
            Order::Retire { answer } => {
                self.set_down().await;
                self.start_at = Instant::now() + NEVER;
                self.quarantined = Some("it was taken away".to_owned());
                // The one who asked has gone when this fails.
                let _ = answer.send(());
            }
        }
    }

    /// Ends the child in good order, because somebody wants so.
    async fn set_down(&mut self) {
        let Some(mut life) = self.life.take() else { return };
        life.process.stop(self.config.patience.stop).await;
        let ended = life.process.end().await;
        info!(driver = self.config.name, "the driver was stopped ({ended})");
        self.gone(life.stage);
        self.note(|status| (status.pid, status.boot_id, status.standing) = (None, None, Standing::Starting));
    }

    /// Ends what is left of the child, tells everybody, and sets the time of the next start.
    pub(super) async fn went_down(&mut self, why: String, again: Again) {
        let Some(life) = self.life.take() else { return };
        let ended = life.process.end().await;
        self.gone(life.stage);
        self.failed(format!("{why} ({ended})"), again);
    }

    /// Tells everybody what a child that was at work leaves open.
    fn gone(&mut self, stage: Stage) {
        if let Stage::Ready { run, .. } = stage {
            self.shell.observer.link(&self.config.name, LinkState::Down);
            let lost = self.roster.lost();
            self.answer(lost);
            self.announce(Presence::Offline, &run.boot_id);
        }
    }

    fn failed(&mut self, why: String, again: Again) {
        let driver = self.config.name.as_str();
        if let Some(Trial { before, answer }) = self.trial.take() {
            warn!(driver, "the new version does not work, the one before it comes back: {why}");
            self.library = before;
            (self.start_at, self.begun) = (Instant::now(), Begun::AsOrdered);
            self.note(|status| (status.pid, status.boot_id) = (None, None));
            // The one who asked has gone when this fails.
            let _ = answer.send(Err(why));
            return;
        }
        self.begun = Begun::AfterAFall;
        let next = self.backoff.failed(&self.config.patience, again);
        let (wait, wait_ms) = (next.wait(), next.wait().as_millis());
        self.start_at = Instant::now() + wait;
        let standing = match next {
            Next::Wait(_) => {
                warn!(driver, wait_ms, "the driver is down: {why}");
                Standing::Waiting
            }
            Next::Quarantine(_) => {
                error!(driver, wait_ms, "the driver is down and is left alone for now: {why}");
                self.quarantined = Some(why.clone());
                self.shell.observer.link(driver, LinkState::Quarantined);
                Standing::Quarantined
            }
        };
        self.note(|status| {
            (status.pid, status.boot_id, status.standing) = (None, None, standing);
            status.failures += 1;
            status.last_fault = Some(why);
            status.last_wait = Some(wait);
        });
    }

    /// The driver is at work: a trial has been passed.
    pub(super) fn passed(&mut self) {
        if let Some(Trial { answer, .. }) = self.trial.take() {
            // The one who asked has gone when this fails.
            let _ = answer.send(Ok(()));
        }
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut PluginStatus)) {
        self.shell.status.send_modify(change);
    }
}
