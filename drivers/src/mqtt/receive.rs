//! What one incoming message means: who speaks, of what, within which limit, and who is to hear of it.
//! It knows no socket; the session acts on what it leaves behind.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use rumqttc::Publish;
use tollhouse_core::id::{DeviceId, EventId};

use super::directory::{DeviceIndex, Directory, Sign};
use super::inbox::{Entry, Inbox, Settled, Token, Turn};
use super::mail::Mail;
use super::own::{OwnCommands, Whose};
use super::topic::{self, Subject};
use crate::event::{DeviceEvent, Outcome, Receipt, What};
use crate::link::{EventSink, Observer, Refused};
use crate::wire::{self, Heard, MAX_AGE_DAYS, MAX_BODY_BYTES, MAX_PICTURE_BYTES, Refusal};

/// So many retained messages are cleared in one go; the rest shows at the next subscription.
const MAX_CLEARINGS: usize = 1024;

/// For so long after a connection the broker may still hand over what it kept while the box was away.
const CATCHING_UP: Duration = Duration::from_secs(3);
/// An event that lay at the broker for longer than this is older than its device says.
const LAIN_AT_BROKER: TimeDelta = TimeDelta::seconds(30);

/// Too much is in hand: the connection has to end, so that the broker keeps what it has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow;

/// Whether the broker is still handing over what it kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settling {
    /// Its first answer to a ping has not come yet.
    UnderWay,
    /// It has.
    Over,
}

/// The incoming half of the link.
pub(super) struct Receiver {
    root: String,
    devices: Vec<DeviceId>,
    sink: Arc<dyn EventSink>,
    observer: Arc<dyn Observer>,
    mail: Arc<Mail>,
    directory: Arc<Mutex<Directory>>,
    pub(super) inbox: Inbox,
    /// Topics whose retained message is to be cleared.
    pub(super) clearings: Vec<String>,
    /// Topics that were cleared over this connection: an empty message there is our own.
    cleared: HashSet<String>,
    connected_at: Option<Instant>,
    /// Whether the broker is still handing over what it kept.
    pub(super) settled: Settling,
    /// Commands that come back to us.
    pub(super) own: OwnCommands,
    /// A command that is not ours has been seen: perhaps somebody retained it.
    pub(super) strange_command: Option<Instant>,
}

impl Receiver {
    pub(super) fn new(
        root: String,
        devices: Vec<DeviceId>,
        capacity: usize,
        (sink, observer): (Arc<dyn EventSink>, Arc<dyn Observer>),
        mail: Arc<Mail>,
        directory: Arc<Mutex<Directory>>,
    ) -> Self {
        let inbox = Inbox::new(devices.len(), capacity);
        let (clearings, cleared) = (Vec::new(), HashSet::new());
        Self {
            root,
            devices,
            sink,
            observer,
            mail,
            directory,
            inbox,
            clearings,
            cleared,
            connected_at: None,
            settled: Settling::UnderWay,
            own: OwnCommands::default(),
            strange_command: None,
        }
    }

    pub(super) fn reconnected(&mut self) {
        self.inbox.reconnected();
        self.connected_at = Some(Instant::now());
        self.settled = Settling::UnderWay;
        self.clearings.clear();
        self.cleared.clear();
    }

    /// Takes one message as it arrives.
    pub(super) fn receive(&mut self, publish: &Publish, now: DateTime<Utc>) -> Result<(), Overflow> {
        let root = std::mem::take(&mut self.root);
        let read = topic::split(&root, &publish.topic);
        let taken = match read {
            None => {
                self.refuse(None, Refused::UnknownTopic, &publish.topic);
                self.junk(publish);
                Ok(())
            }
            Some((device, subject)) => self.receive_from(device, subject, publish, now),
        };
        self.root = root;
        taken
    }

    fn receive_from(
        &mut self,
        device: &str,
        subject: Subject<'_>,
        publish: &Publish,
        now: DateTime<Utc>,
    ) -> Result<(), Overflow> {
        // Our own commands and clearings come back on these topics.
        let clearing = publish.payload.is_empty() && self.cleared.contains(&publish.topic);
        if subject == Subject::Command && !publish.retain {
            if !clearing && self.own.whose(&publish.topic, &publish.payload) == Whose::Strange {
                self.strange_command.get_or_insert_with(Instant::now);
            }
            self.junk(publish);
            return Ok(());
        }
        if clearing {
            self.junk(publish);
            return Ok(());
        }
        let index = self.directory().find(device);
        let outcome = match (index, subject) {
            (_, Subject::Command) => self.clear(publish, "a command"),
            (None, _) => Err((Refused::UnknownDevice, device.chars().take(64).collect())),
            (Some(_), Subject::Event(_) | Subject::Ack(_)) if publish.retain => self.clear(publish, "an event"),
            (Some(index), Subject::Picture(event_id)) => self.picture(index, event_id, publish),
            (Some(_), _) if publish.payload.len() > MAX_BODY_BYTES => {
                Err((Refused::TooLarge, format!("{} bytes", publish.payload.len())))
            }
            (Some(_), Subject::Meta | Subject::State(_) | Subject::Availability)
                if publish.retain && publish.payload.is_empty() =>
            {
                Ok(())
            }
            (Some(index), Subject::Meta) => {
                wire::parse_meta(&publish.payload).map(|meta| self.directory().describe(index, meta))
            }
            (Some(index), _) => match interpret(subject, publish, now) {
                Ok(heard) => return self.hear(index, subject, heard, publish, now),
                Err(refusal) => Err(refusal),
            },
        };
        if let Err((reason, detail)) = outcome {
            self.refuse(index, reason, &detail);
        }
        self.junk(publish);
        Ok(())
    }

    /// A well-formed event: noted in the directory, then offered.
    fn hear(
        &mut self,
        index: DeviceIndex,
        subject: Subject<'_>,
        mut heard: Heard,
        publish: &Publish,
        now: DateTime<Utc>,
    ) -> Result<(), Overflow> {
        let lain = self.time_at_broker(index, &heard, publish, now);
        if !lain.is_zero() {
            // Its way tells nothing about the device's clock.
            heard.sent_at = None;
            make_older(&mut heard.what, lain);
        }
        match &heard.what {
            What::Availability(said) => {
                let sign = self.directory().available(index, said);
                // After each subscription the broker repeats what is known.
                if sign == Sign::OlderBoot || sign == Sign::Known && publish.retain {
                    self.junk(publish);
                    return Ok(());
                }
                if sign == Sign::News {
                    self.observer.presence(&self.devices[index], said.presence);
                }
            }
            What::State(state) | What::Stood(state) => {
                if let Subject::State(channel) = subject {
                    self.directory().state(index, channel, state);
                }
            }
            What::Plate(read) => self.note(index, &read.head, heard.sent_at, publish, now),
            What::Passed(passed) => self.note(index, &passed.head, heard.sent_at, publish, now),
            What::Notice(notice) => self.note(index, &notice.head, heard.sent_at, publish, now),
            What::Ack(_) => {}
        }
        match self.inbox.admit(index, publish, now, lain) {
            Turn::Queued => Ok(()),
            Turn::Overflow => Err(Overflow),
            Turn::Now(token) => {
                let event = self.event(index, heard.what, token, now);
                if let Err(event) = self.sink.offer(event) {
                    self.inbox.give_back(token, event, Instant::now());
                }
                Ok(())
            }
        }
    }

    /// By the contract an event's age is what its device says. What the broker kept while the box was away is older by
    /// the time that it lay there: without this a lane would open for cars that are long gone. Only just after a
    /// connection, so that a device whose clock is set never becomes backlog for good. A state carries no time that counts:
    /// one that the broker kept lay there for nobody knows how long.
    fn time_at_broker(&self, index: DeviceIndex, heard: &Heard, publish: &Publish, now: DateTime<Utc>) -> TimeDelta {
        if matches!(heard.what, What::State(_)) {
            let kept = publish.retain || self.settled == Settling::UnderWay;
            return if kept { TimeDelta::MAX } else { TimeDelta::zero() };
        }
        let catching_up = self.connected_at.is_some_and(|since| since.elapsed() < CATCHING_UP);
        let Some(sent_at) = heard.sent_at.filter(|_| catching_up) else { return TimeDelta::zero() };
        let offset = self.directory().clock_offset(index);
        // Once all that was kept has come, only a device whose clock is known can be judged.
        if offset.is_none() && self.settled == Settling::Over {
            return TimeDelta::zero();
        }
        let lain = time_at_broker(sent_at, now, offset);
        let believable = LAIN_AT_BROKER..TimeDelta::days(MAX_AGE_DAYS);
        if believable.contains(&lain) { lain } else { TimeDelta::zero() }
    }

    fn note(
        &self,
        index: DeviceIndex,
        head: &crate::event::EventHead,
        sent_at: Option<DateTime<Utc>>,
        publish: &Publish,
        now: DateTime<Utc>,
    ) {
        let mut directory = self.directory();
        let missing = directory.number(index, head);
        // A repetition was sent long before it arrives, and tells nothing about the clock.
        let offset = sent_at.filter(|_| !publish.dup).and_then(|sent_at| directory.clock(index, sent_at, now));
        drop(directory);
        let device = &self.devices[index];
        if missing > 0 {
            self.observer.gap(device, missing);
        }
        if let Some(offset_ms) = offset {
            self.observer.clock_offset(device, offset_ms);
        }
    }

    fn event(&self, index: DeviceIndex, what: What, token: Token, received_at: DateTime<Utc>) -> DeviceEvent {
        let mail = Arc::clone(&self.mail);
        let receipt = Receipt::new(move |outcome| mail.outcome(token, outcome));
        DeviceEvent { device: self.devices[index].clone(), received_at, what, receipt }
    }

    /// Receipts have spoken.
    pub(super) fn settle(&mut self, outcomes: Vec<(Token, Outcome)>) {
        if outcomes.is_empty() {
            return;
        }
        let now = Instant::now();
        for (token, outcome) in outcomes {
            if let Settled::Poison(index) = self.inbox.settle(token, outcome, now) {
                self.refuse(Some(index), Refused::Poison, "abandoned again and again");
            }
        }
    }

    /// Offers again what was given back or abandoned.
    pub(super) fn offer_waiting(&mut self) {
        let mut inbox = std::mem::replace(&mut self.inbox, Inbox::new(0, 0));
        inbox.offer_waiting(Instant::now(), self.sink.as_ref(), |token, entry| self.renew(token, entry));
        self.inbox = inbox;
    }

    fn renew(&self, token: Token, entry: &Entry) -> Option<DeviceEvent> {
        let (_, subject) = topic::split(&self.root, &entry.copy.topic)?;
        let mut heard = interpret(subject, &entry.copy, entry.received_at).ok()?;
        make_older(&mut heard.what, entry.lain);
        Some(self.event(entry.device, heard.what, token, entry.received_at))
    }

    fn picture(&self, index: DeviceIndex, event_id: &str, publish: &Publish) -> Result<(), Refusal> {
        if publish.payload.len() > MAX_PICTURE_BYTES {
            return Err((Refused::TooLarge, format!("a picture of {} bytes", publish.payload.len())));
        }
        let event_id = EventId::new(event_id).map_err(|error| (Refused::BadField, error.to_string()))?;
        self.observer.picture(&self.devices[index], event_id.as_str(), &publish.payload);
        Ok(())
    }

    /// Nobody may retain commands and events: a device that starts would take yesterday's for today's.
    fn clear(&mut self, publish: &Publish, what: &str) -> Result<(), Refusal> {
        if self.cleared.len() < MAX_CLEARINGS && !self.clearings.contains(&publish.topic) {
            self.cleared.insert(publish.topic.clone());
            self.clearings.push(publish.topic.clone());
        }
        Err((Refused::Retained, format!("{what} was retained")))
    }

    /// Nobody needs it: the broker may forget it.
    fn junk(&mut self, publish: &Publish) {
        self.inbox.junk(publish.pkid);
    }

    fn refuse(&self, index: Option<DeviceIndex>, reason: Refused, detail: &str) {
        self.observer.refused(index.map(|index| &self.devices[index]), reason, detail);
    }

    fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The typed meaning of a message, from topic and body alone, so that it can be made again from a copy.
fn interpret(subject: Subject<'_>, publish: &Publish, received_at: DateTime<Utc>) -> Result<Heard, Refusal> {
    let body = &publish.payload[..];
    let untimed = |what| Heard { what, sent_at: None };
    match subject {
        Subject::Event(kind) => wire::parse_event_heard(kind, body, received_at),
        Subject::State(_) => wire::parse_state(body).map(What::State).map(untimed),
        Subject::Ack(cmd_id) => wire::parse_ack(cmd_id, body).map(What::Ack).map(untimed),
        Subject::Availability => wire::parse_availability(body).map(What::Availability).map(untimed),
        Subject::Meta | Subject::Command | Subject::Picture(_) => {
            Err((Refused::UnknownTopic, "not an event".to_owned()))
        }
    }
}

fn make_older(what: &mut What, by: TimeDelta) {
    let head = match what {
        What::Plate(read) => &mut read.head,
        What::Passed(passed) => &mut passed.head,
        What::Notice(notice) => &mut notice.head,
        What::State(state) => {
            *what = What::Stood(state.clone());
            return;
        }
        What::Stood(_) | What::Ack(_) | What::Availability(_) => return,
    };
    head.age += by;
    head.captured_at -= by;
}

/// How long an event was under way: by the device's clock, corrected as far as its offset is known.
fn time_at_broker(sent_at: DateTime<Utc>, now: DateTime<Utc>, offset_ms: Option<i64>) -> TimeDelta {
    now - sent_at + TimeDelta::milliseconds(offset_ms.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_at_the_broker_is_told_by_a_wrong_clock_too() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let minutes = TimeDelta::minutes;
        let cases = [
            ("a right clock, just sent", now, None, minutes(0)),
            ("a right clock, sent ten minutes ago", now - minutes(10), Some(0), minutes(10)),
            ("an hour slow, just sent", now - minutes(60), Some(-3_600_000), minutes(0)),
            ("an hour slow, sent ten minutes ago", now - minutes(70), Some(-3_600_000), minutes(10)),
            ("an hour fast, sent ten minutes ago", now + minutes(50), Some(3_600_000), minutes(10)),
        ];
        for (story, sent_at, offset_ms, lain) in cases {
            assert_eq!(time_at_broker(sent_at, now, offset_ms), lain, "{story}");
        }
    }
}
