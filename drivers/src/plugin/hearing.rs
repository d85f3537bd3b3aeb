//! What the child says, and what the host makes of it. The child is taken to be hostile: what does not fit is counted and
//! changes nothing.

use serde_json::value::RawValue;
use tokio::time::Instant;
use tollhouse_core::id::{BootId, DeviceId};
use tracing::info;

use super::delivery::{Given, GivenUp, Settlement};
use super::frame::{Again, FromChild, ToChild};
use super::life::{Life, Ping, Stage, Step};
use super::process::Lost;
use super::report::{self, Run};
use super::roster::Answer;
use super::supervisor::{Begun, Supervisor};
use super::{Descriptor, Standing, short};
use crate::event::{Availability, Presence, What};
use crate::link::{LinkState, Refused};

/// At most so many events are kept while a driver starts.
const MOST_EARLY_EVENTS: usize = 16;

impl Supervisor {
    pub(super) async fn heard(&mut self, message: FromChild, blob: Vec<u8>) {
        match message {
            FromChild::Described { descriptor } => self.described(&descriptor).await,
            FromChild::Created => self.step_done(Step::Creating, Step::Starting),
            FromChild::Ready => self.ready(),
            FromChild::Failed { reason, again } => self.went_down(short(&reason, 1000), again).await,
            FromChild::Pong { number } => self.pong(number),
            FromChild::Event(event) => self.event_in_turn(event, blob),
            FromChild::Completed { cmd_id, status, json } => match self.roster.complete(&cmd_id, status, &json) {
                Some(answer) => self.answer(vec![answer]),
                None => self.refuse(None, Refused::BadField, "it completes a command that is not open"),
            },
            FromChild::Log { level, message } => self.chatter.line(&self.config.name, level, &message),
        }
    }

    /// The child says who it is: it goes on only if that is who the box took it for.
    async fn described(&mut self, descriptor: &RawValue) {
        let Some(Life { stage: Stage::Coming { step: Step::Loading, .. }, .. }) = &self.life else {
            return self.refuse(None, Refused::BadField, "it says twice who it is");
        };
        let read = Descriptor::read(descriptor);
        let agreed = read.and_then(|descriptor| {
            self.library.agree(&descriptor).map_err(|fault| fault.to_string())?;
            Ok(descriptor)
        });
        let descriptor = match agreed {
            Ok(descriptor) => descriptor,
            Err(why) => return self.went_down(why, Again::Useless).await,
        };
        self.note(|status| status.driver = Some(descriptor));
        self.step_done(Step::Loading, Step::Creating);
        let create = ToChild::Create { config: self.config_json.clone() };
        let Some(life) = &mut self.life else { return };
        if let Err(Lost(why)) = life.process.send(&create).await {
            self.went_down(why, Again::Perhaps).await;
        }
    }

    fn step_done(&mut self, done: Step, next: Step) {
        let stage = self.life.as_mut().map(|life| &mut life.stage);
        match stage {
            Some(Stage::Coming { step, until }) if *step == done => {
                (*step, *until) = (next, Instant::now() + next.time(&self.config.patience));
            }
            _ => self.refuse(None, Refused::BadField, "it is not as far as it says"),
        }
    }

    fn ready(&mut self) {
        let now = Instant::now();
        let Some(life) = &mut self.life else { return };
        if !matches!(life.stage, Stage::Coming { step: Step::Starting, .. }) {
            return self.refuse(None, Refused::BadField, "it is not as far as it says");
        }
        let boot_id = boot_id((self.shell.clock)().timestamp_millis(), life.process.pid(), self.starts);
        let ping = Ping::Due(now + self.config.patience.ping_every);
        life.stage = Stage::Ready { run: Run::new(boot_id.clone()), since: now, ping };
        self.starts += 1;
        let again = std::mem::replace(&mut self.begun, Begun::AsOrdered) == Begun::AfterAFall && self.starts > 1;
        let restarts = self.shell.status.borrow().restarts + u64::from(again);
        info!(driver = self.config.name, library = %self.library.path().display(), restarts, "the driver is ready");
        let seen = boot_id.clone();
        self.note(|status| {
            (status.boot_id, status.restarts, status.standing) = (Some(seen), restarts, Standing::Ready);
        });
        self.passed();
        if again {
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
                self.backoff.forget();
            }
        }
    }

    fn event_in_turn(&mut self, event: Box<RawValue>, picture: Vec<u8>) {
        match &mut self.life {
            Some(Life { stage: Stage::Coming { .. }, early, .. }) if early.len() < MOST_EARLY_EVENTS => {
                early.push((event, picture));
            }
            Some(Life { stage: Stage::Coming { .. }, .. }) => {
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

    pub(super) fn announce(&mut self, presence: Presence, boot_id: &BootId) {
        for device in self.config.devices.clone() {
            self.shell.observer.presence(&device, presence);
            self.deliver(device, What::Availability(Availability { presence, boot_id: Some(boot_id.clone()) }));
        }
    }

    pub(super) fn answer(&mut self, answers: Vec<Answer>) {
        for (device, ack) in answers {
            self.deliver(device, What::Ack(ack));
        }
    }

    pub(super) fn deliver(&mut self, device: DeviceId, what: What) {
        let received_at = (self.shell.clock)();
        let given = self.delivery.push(device, what, received_at, Instant::now());
        self.give_up(given);
    }

    pub(super) fn settle(&mut self, settlement: Settlement) {
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
}

/// Unlike any other run's, also across restarts of the box: no two begin in the same millisecond under one number.
fn boot_id(now_ms: i64, pid: u32, starts: u64) -> BootId {
    BootId::new(format!("{now_ms:x}-{pid}-{starts}")).expect("hexadecimal digits and dashes, at most 50")
}
