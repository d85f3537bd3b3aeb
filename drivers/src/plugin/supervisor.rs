//! The host's one task for a driver instance: starts the child, passes commands in and events out, notices when it dies
//! or hangs, and starts it again.
//!
//! It owns the child's life. What is remembered across lives (commands, undelivered events) is in [`Roster`] and
//! [`Delivery`]; what the child says is read in [`super::report`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tollhouse_abi::LogLevel;
use tollhouse_core::id::{BootId, DeviceId};
use tracing::{debug, error, info, warn};

use super::delivery::{Delivery, Given, GivenUp, Settlement};
use super::frame::{FromChild, ToChild};
use super::process::{Lost, Process};
use super::report::{self, Run};
use super::roster::{Admission, Answer, Roster};
use super::{PluginConfig, PluginStatus};
use crate::event::{Availability, Outcome, Presence, What};
use crate::link::{Clock, DeviceCommand, EventSink, LinkState, Observer, Refused};

/// How often expired commands are looked for.
const EXPIRY_TICK: Duration = Duration::from_millis(250);
/// At most so many events are kept while a driver starts.
const MOST_EARLY_EVENTS: usize = 16;

/// What the host was given to work with.
pub(super) struct Shell {
    pub(super) clock: Clock,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) status: Arc<Mutex<PluginStatus>>,
}

/// A life of the child.
struct Life {
    process: Process,
    stage: Stage,
    /// What the driver emitted in `start`: it is heard once the devices are there.
    early: Vec<(Box<RawValue>, Vec<u8>)>,
}

enum Stage {
    /// It loads, creates and starts, by then at the latest.
    Starting { until: Instant },
    /// The driver is at work.
    Ready { run: Run, since: Instant, ping: Ping },
}

#[derive(Clone, Copy)]
enum Ping {
    /// The next one goes out then.
    Due(Instant),
    /// This one has to be answered by then.
    Out { number: u64, until: Instant },
}

/// What the task wakes up for.
enum Happening {
    Frame(Result<(FromChild, Vec<u8>), Lost>),
    Command(DeviceCommand),
    Settled(Settlement),
    Time,
    Close,
}

/// See the module.
pub(super) struct Supervisor {
    config: PluginConfig,
    config_json: Box<RawValue>,
    shell: Shell,
    delivery: Delivery,
    roster: Roster,
    commands: mpsc::Receiver<DeviceCommand>,
    settlements: mpsc::UnboundedReceiver<Settlement>,
    life: Option<Life>,
    start_at: Instant,
    expiry_tick: Instant,
    failures: u32,
    starts: u64,
    pings: u64,
}

impl Supervisor {
    pub(super) fn new(
        config: PluginConfig,
        shell: Shell,
        sink: Arc<dyn EventSink>,
        commands: mpsc::Receiver<DeviceCommand>,
    ) -> Self {
        let (settled, settlements) = mpsc::unbounded_channel();
        let config_json = to_raw_value(&config.config).unwrap_or_default();
        let now = Instant::now();
        Self {
            config,
            config_json,
            shell,
            delivery: Delivery::new(sink, settled),
            roster: Roster::default(),
            commands,
            settlements,
            life: None,
            start_at: now,
            expiry_tick: now + EXPIRY_TICK,
            failures: 0,
            starts: 0,
            pings: 0,
        }
    }

    /// Runs until `closing` resolves, and leaves no process behind.
    pub(super) async fn run(mut self, mut closing: oneshot::Receiver<()>) {
        loop {
            match self.next(&mut closing).await {
                Happening::Frame(Ok((message, blob))) => self.heard(message, blob).await,
                Happening::Frame(Err(Lost(why))) => self.went_down(why).await,
                Happening::Command(command) => self.command(&command).await,
                Happening::Settled(settlement) => self.settle(settlement),
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
        let ready = matches!(self.life, Some(Life { stage: Stage::Ready { .. }, .. }));
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
            Some(command) = self.commands.recv(), if ready => Happening::Command(command),
            () = sleep_until(wake_at) => Happening::Time,
        }
    }

    fn wake_at(&self) -> Instant {
        let of_life = match &self.life {
            None => self.start_at,
            Some(Life { stage: Stage::Starting { until }, .. }) => *until,
            Some(Life { stage: Stage::Ready { ping: Ping::Due(at) | Ping::Out { until: at, .. }, .. }, .. }) => *at,
        };
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
        match &mut self.life {
            None if self.start_at <= now => self.begin().await,
            Some(Life { stage: Stage::Starting { until }, .. }) if *until <= now => {
                self.went_down("it was not ready in time".to_owned()).await;
            }
            Some(Life { stage: Stage::Ready { ping: Ping::Out { until, .. }, .. }, .. }) if *until <= now => {
                self.went_down("it hangs: its control thread does not answer".to_owned()).await;
            }
            Some(Life { stage: Stage::Ready { ping: Ping::Due(at), .. }, .. }) if *at <= now => self.ping(now).await,
            _ => {}
        }
    }

    async fn ping(&mut self, now: Instant) {
        let Some(Life { process, stage: Stage::Ready { ping, .. }, .. }) = &mut self.life else { return };
        self.pings += 1;
        let number = self.pings;
        *ping = Ping::Out { number, until: now + self.config.patience.ping_answer };
        if let Err(Lost(why)) = process.send(&ToChild::Ping { number }).await {
            self.went_down(why).await;
        }
    }

    async fn begin(&mut self) {
        let mut process = match Process::start(&self.config.host_executable) {
            Ok(process) => process,
            Err(fault) => return self.failed(format!("its process does not start: {fault}")),
        };
        let pid = process.pid();
        self.note(|status| status.pid = Some(pid));
        let load = ToChild::Load {
            library: self.config.library.to_string_lossy().into_owned(),
            config: self.config_json.clone(),
        };
        let sent = process.send(&load).await;
        let until = Instant::now() + self.config.patience.start;
        self.life = Some(Life { process, stage: Stage::Starting { until }, early: Vec::new() });
        if let Err(Lost(why)) = sent {
            self.went_down(why).await;
        }
    }

    async fn heard(&mut self, message: FromChild, blob: Vec<u8>) {
        match message {
            FromChild::Ready { driver_id, version } => self.ready(driver_id, version),
            FromChild::Failed { reason } => self.went_down(short(&reason, 1000)).await,
            FromChild::Pong { number } => self.pong(number),
            FromChild::Event(event) => self.event_in_turn(event, blob),
            FromChild::Completed { cmd_id, status, json } => match self.roster.complete(&cmd_id, status, &json) {
                Some(answer) => self.answer(vec![answer]),
                None => self.refuse(None, Refused::BadField, "it completes a command that is not open"),
            },
            FromChild::Log { level, message } => {
                let (driver, message) = (self.config.name.as_str(), short(&message, 2048));
                match LogLevel::from_code(level) {
                    LogLevel::Error => error!(driver, "{message}"),
                    LogLevel::Warn => warn!(driver, "{message}"),
                    LogLevel::Info => info!(driver, "{message}"),
                    LogLevel::Debug => debug!(driver, "{message}"),
                }
            }
        }
    }

    fn ready(&mut self, driver_id: String, version: String) {
        let now = Instant::now();
        let Some(life) = &mut self.life else { return };
        if !matches!(life.stage, Stage::Starting { .. }) {
            return self.refuse(None, Refused::BadField, "it says twice that it is ready");
        }
        let boot_id = boot_id((self.shell.clock)().timestamp_millis(), life.process.pid(), self.starts);
        let ping = Ping::Due(now + self.config.patience.ping_every);
        life.stage = Stage::Ready { run: Run::new(boot_id.clone()), since: now, ping };
        self.starts += 1;
        let restarts = self.starts - 1;
        info!(driver = self.config.name, id = driver_id, version, restarts, "the driver is ready");
        let seen = boot_id.clone();
        self.note(|status| {
            (status.boot_id, status.driver) = (Some(seen), Some((driver_id, version)));
            status.restarts = restarts;
        });
        if restarts > 0 {
            self.shell.observer.link(&self.config.name, LinkState::Restarted);
        }
        self.shell.observer.link(&self.config.name, LinkState::Up);
        self.announce(Presence::Online, &boot_id);
        let early = self.life.as_mut().map(|life| std::mem::take(&mut life.early)).unwrap_or_default();
        for (event, picture) in early {
            self.event(&event, &picture);
        }
    }

    fn pong(&mut self, answered: u64) {
        let Some(Life { stage: Stage::Ready { ping, since, .. }, .. }) = &mut self.life else { return };
        if matches!(ping, Ping::Out { number, .. } if *number == answered) {
            let now = Instant::now();
            *ping = Ping::Due(now + self.config.patience.ping_every);
            if now.duration_since(*since) >= self.config.patience.healthy_after {
                self.failures = 0;
            }
        }
    }

    fn event_in_turn(&mut self, event: Box<RawValue>, picture: Vec<u8>) {
        match &mut self.life {
            Some(Life { stage: Stage::Starting { .. }, early, .. }) if early.len() < MOST_EARLY_EVENTS => {
                early.push((event, picture));
            }
            Some(Life { stage: Stage::Starting { .. }, .. }) => {
                self.refuse(None, Refused::Overflow, "too many events before the driver was ready");
            }
            _ => self.event(&event, &picture),
        }
    }

    fn event(&mut self, event: &RawValue, picture: &[u8]) {
        let received_at = (self.shell.clock)();
        let Some(Life { stage: Stage::Ready { run, .. }, .. }) = &mut self.life else {
            return;
        };
        let read = match report::read(event, &self.config.devices, run, received_at) {
            Ok(read) => read,
            Err((device, (reason, detail))) => return self.refuse(device.as_ref(), reason, &detail),
        };
        if let Some(event_id) = read.event_id.as_deref().filter(|_| !picture.is_empty()) {
            self.shell.observer.picture(&read.device, event_id, picture);
        }
        match read.what {
            None => {}
            Some(What::Ack(ack)) => match self.roster.said(&read.device, &ack) {
                Some(answer) => self.answer(vec![answer]),
                None => self.refuse(Some(&read.device), Refused::BadField, "an ack of a command that it was not given"),
            },
            Some(What::Availability(availability)) => {
                self.shell.observer.presence(&read.device, availability.presence);
                self.deliver(read.device, What::Availability(availability));
            }
            Some(what) => self.deliver(read.device, what),
        }
    }

    async fn command(&mut self, command: &DeviceCommand) {
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
        if let Err(Lost(why)) = life.process.send(&message).await {
            self.went_down(why).await;
        }
    }

    /// Ends what is left of the child, tells everybody, and sets the time of the next start.
    async fn went_down(&mut self, why: String) {
        let Some(life) = self.life.take() else { return };
        let ended = life.process.end().await;
        if let Stage::Ready { run, .. } = life.stage {
            self.shell.observer.link(&self.config.name, LinkState::Down);
            let lost = self.roster.lost();
            self.answer(lost);
            self.announce(Presence::Offline, &run.boot_id);
        }
        self.failed(format!("{why} ({ended})"));
    }

    fn failed(&mut self, why: String) {
        let patience = &self.config.patience;
        let doubled = patience.first_backoff.saturating_mul(1 << self.failures.min(16));
        // Drivers that fall together, as when their device loses power, should not all come back together.
        let jitter = 75 + (u32::try_from(self.starts % 1000).unwrap_or_default() + self.failures) * 37 % 50;
        let wait = doubled.min(patience.longest_backoff) * jitter / 100;
        self.failures = self.failures.saturating_add(1);
        self.start_at = Instant::now() + wait;
        warn!(driver = self.config.name, wait_ms = wait.as_millis(), "the driver is down: {why}");
        self.note(|status| {
            (status.pid, status.boot_id) = (None, None);
            status.last_fault = Some(why);
        });
    }

    fn announce(&mut self, presence: Presence, boot_id: &BootId) {
        for device in self.config.devices.clone() {
            self.shell.observer.presence(&device, presence);
            self.deliver(device, What::Availability(Availability { presence, boot_id: Some(boot_id.clone()) }));
        }
    }

    fn answer(&mut self, answers: Vec<Answer>) {
        for (device, ack) in answers {
            self.deliver(device, What::Ack(ack));
        }
    }

    fn deliver(&mut self, device: DeviceId, what: What) {
        let received_at = (self.shell.clock)();
        let given = self.delivery.push(device, what, received_at, Instant::now());
        self.give_up(given);
    }

    fn settle(&mut self, settlement: (u64, Outcome)) {
        let given = self.delivery.settle(settlement, Instant::now());
        self.give_up(given);
    }

    fn give_up(&self, given: Option<Given>) {
        if let Some(Given { device, why }) = given {
            let (reason, words) = match why {
                GivenUp::Overflow => (Refused::Overflow, "too many events wait for the box"),
                GivenUp::Poison => (Refused::Poison, "abandoned again and again"),
            };
            self.refuse(Some(&device), reason, words);
        }
    }

    fn refuse(&self, device: Option<&DeviceId>, reason: Refused, detail: &str) {
        self.shell.observer.refused(device, reason, detail);
    }

    fn note(&self, change: impl FnOnce(&mut PluginStatus)) {
        change(&mut self.shell.status.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn short(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

/// Unlike any other run's, also across restarts of the box: no two begin in the same millisecond under one number.
fn boot_id(now_ms: i64, pid: u32, starts: u64) -> BootId {
    BootId::new(format!("{now_ms:x}-{pid}-{starts}")).expect("hexadecimal digits and dashes, at most 50")
}
