//! The actor: one input at a time; while a commit is open, input queues, bounded, and effects wait.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Recipient, SpawnHandle};
use arc_swap::ArcSwapOption;
use chrono::{DateTime, Utc};
use tokio::sync::oneshot;
use tollhouse_core::id::{BootId, DeviceId, PassageId};
use tollhouse_core::lane::{DecisionCode, Effect, Input, Lane, LaneFault, LaneRules, Standing, Step, Tell, TimerKind};
use tollhouse_core::record::{Change, Revision};
use tollhouse_drivers::event::{Availability, Presence};
use tollhouse_drivers::{Receipt, Refused, What};

use super::messages::{Finish, Gone, Heard, Job, Order, Panic, StoreTold, Take};
use super::translate::{self, Fresh};
use super::watching::{LaneWatch, Watching};
use crate::actors::lot::Outbox;
use crate::actors::payment::codes::Codes;
use crate::clock::BoxClock;
use crate::devices::Devices;
use crate::live::{Happening, LaneView, Live};
use crate::metrics::Metrics;
use crate::store::{Store, Told};

/// The actor's mailbox; a link that finds it full keeps its events.
const MAILBOX: usize = 128;
/// When the store's queue is full, the commit is handed in again after this.
const SUBMIT_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// What a lane's actor works with.
#[derive(Clone)]
pub struct LaneParts {
    /// The lane's rules.
    pub rules: LaneRules,
    /// The lane's devices.
    pub own_devices: Vec<DeviceId>,
    /// Where it reads and commits.
    pub store: Store,
    /// Where its commands go.
    pub devices: Arc<Devices>,
    /// Whom it tells.
    pub live: Arc<Live>,
    /// What it counts.
    pub metrics: Arc<Metrics>,
    /// What time it is.
    pub clock: BoxClock,
    /// Which commands wait for an answer.
    pub outbox: Arc<Outbox>,
    /// With which run the barrier signed in last: it does not sign in again because the lane's actor was started again.
    pub barrier_run: Arc<ArcSwapOption<BootId>>,
    /// What is watched beside the cars.
    pub watch: LaneWatch,
    /// Where payment codes go that a scanner has read.
    pub codes: Arc<Codes>,
}

/// Tells the parent that the actor is gone, however it went.
struct Farewell {
    parent: Recipient<Gone>,
    gone: Option<Gone>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        if let Some(gone) = self.gone.take() {
            // A parent that is gone itself needs no news.
            self.parent.do_send(gone);
        }
    }
}

/// What of a lane is shown: told anew when it differs.
#[derive(PartialEq, Eq)]
struct Looks {
    state: &'static str,
    passage: Option<PassageId>,
    absent: BTreeSet<DeviceId>,
    doubts: Vec<String>,
}

/// One lane's actor.
pub struct LaneActor {
    pub(super) lane: Lane,
    pub(super) parts: LaneParts,
    pub(super) watching: Watching,
    waiting: VecDeque<Job>,
    current: Option<Job>,
    finishing: Vec<oneshot::Sender<()>>,
    timers: HashMap<TimerKind, SpawnHandle>,
    pub(super) absent: BTreeSet<DeviceId>,
    since: DateTime<Utc>,
    shown: Option<Looks>,
    unanswered_since: Option<DateTime<Utc>>,
    _farewell: Farewell,
}

impl LaneActor {
    /// Loads the lane from the store.
    pub fn new(parts: LaneParts, run: u64, parent: Recipient<Gone>) -> Result<Self, LaneFault> {
        let lane = Lane::load(parts.rules.clone(), &parts.store.snapshot())?;
        let gone = Gone { lane: parts.rules.lane.clone(), run };
        let since = parts.clock.now();
        // A device is absent until it says something.
        let absent = parts.own_devices.iter().cloned().collect();
        let watching = Watching::new(&parts.watch, &lane);
        Ok(Self {
            lane,
            parts,
            watching,
            waiting: VecDeque::new(),
            current: None,
            finishing: vec![],
            timers: HashMap::new(),
            absent,
            since,
            shown: None,
            unanswered_since: None,
            _farewell: Farewell { parent, gone: Some(gone) },
        })
    }

    pub(super) fn enqueue(&mut self, job: Job, ctx: &mut Context<Self>) {
        self.waiting.push_back(job);
        self.work(ctx);
    }

    /// Takes what waits, as long as no commit is open.
    fn work(&mut self, ctx: &mut Context<Self>) {
        while !self.lane.waits_for_commit() {
            let Some(job) = self.waiting.pop_front() else { break };
            let input = job.input.clone();
            self.current = Some(job);
            let stepped = self.lane.step(self.parts.clock.now(), input, &self.parts.store.snapshot());
            self.carry_out(stepped, 0, ctx);
        }
        if !self.lane.waits_for_commit() {
            for waiter in self.finishing.drain(..) {
                let _ = waiter.send(());
            }
        }
        self.show();
    }

    fn carry_out(&mut self, stepped: Result<Step, LaneFault>, position: Revision, ctx: &mut Context<Self>) {
        let step = match stepped {
            Ok(step) => step,
            Err(fault) => {
                // The receipt is dropped undone, so the event comes again, to an actor that starts from the store.
                tracing::error!(lane = %self.parts.rules.lane, %fault, "the lane cannot go on and is started again");
                // What waits goes back to its links as well.
                self.waiting.clear();
                ctx.terminate();
                return;
            }
        };
        for effect in step.effects {
            self.effect(effect, position, ctx);
        }
        match step.commit {
            Some(change) => self.submit(Arc::new(change), ctx),
            None => {
                if let Some(job) = self.current.take() {
                    job.receipt.done();
                }
            }
        }
    }

    fn submit(&mut self, change: Arc<Change>, ctx: &mut Context<Self>) {
        let me = ctx.address();
        // At most one commit of a lane is open, so the answer may pass the mailbox's bound: it must not be lost.
        let told = move |told| me.do_send(StoreTold(told));
        if self.parts.store.submit(Arc::clone(&change), told).is_err() {
            ctx.run_later(SUBMIT_AGAIN_AFTER, move |actor, ctx| actor.submit(change, ctx));
        }
    }

    fn effect(&mut self, effect: Effect, position: Revision, ctx: &mut Context<Self>) {
        match effect {
            Effect::Command(command) => {
                let opens = command.name == "open";
                if opens {
                    self.opening_sent(command.cmd_id, command.expires_at, ctx);
                }
                if let Err(fault) = self.parts.devices.send(command) {
                    tracing::warn!(lane = %self.parts.rules.lane, %fault, "a command could not be handed over");
                }
                if opens && let Some(arrived) = self.current.as_mut().and_then(|job| job.arrived.take()) {
                    self.parts.metrics.event_to_command(arrived.elapsed());
                }
            }
            Effect::Arm(timer, at) => {
                let handle = ctx.notify_later(Take(Input::Timer(timer)), self.parts.clock.until(at));
                // The lane heeds the newest timer of a kind alone, and actix looks at every timer that it holds with
                // every message that comes.
                if let Some(older) = self.timers.insert(timer.kind, handle) {
                    ctx.cancel_future(older);
                }
            }
            Effect::Tell(tell) => self.tell(tell, position),
            Effect::CountConflict(device) => {
                tracing::warn!(%device, "an event id came again with another content");
                self.parts.metrics.event_refused(Some(&device), Refused::Conflict);
            }
        }
    }

    pub(super) fn tell(&self, tell: Tell, position: Revision) {
        let lane = &self.parts.rules.lane;
        // What follows on a decision (`passed`, `lapsed`) is the same car once more.
        if DecisionCode::ALL.iter().any(|code| code.as_str() == tell.code) {
            self.parts.metrics.passage(lane, tell.code);
        }
        // One line per car holds its plate and costs as much as the decision, so only who looks for a fault asks for it.
        tracing::debug!(%lane, code = tell.code, plate = tell.plate.as_ref().map(tracing::field::display), due = tell.money.map(tracing::field::display), "{}", tell.words.en);
        self.parts.live.happened(Happening {
            id: position,
            at: self.parts.clock.now(),
            lane: Some(lane.clone()),
            plate: tell.plate.map(|plate| plate.to_string()),
            code: tell.code.to_owned(),
            tone: tell.tone,
            words: tell.words,
            money: tell.money,
        });
    }

    /// Tells how the lane stands, when that has changed.
    pub(super) fn show(&mut self) {
        let rules = &self.parts.rules;
        let (state, passage) = match self.lane.standing() {
            Standing::Free => ("free", None),
            Standing::Waiting(passage) => ("waiting", Some(passage)),
            Standing::Opening(passage) => ("opening", Some(passage)),
            Standing::Refused(passage) => ("refused", Some(passage)),
        };
        let unanswered_since = self.lane.unanswered_since();
        if self.unanswered_since != unanswered_since {
            self.parts.outbox.lane(&rules.lane, unanswered_since);
            self.unanswered_since = unanswered_since;
        }
        let (passage_id, absent) = (passage.map(|passage| passage.id), &self.absent);
        let doubts = self.watching.doubts(&rules.barrier);
        let same = |shown: &Looks| {
            shown.state == state && shown.passage == passage_id && shown.absent == *absent && shown.doubts == doubts
        };
        if self.shown.as_ref().is_some_and(same) {
            return;
        }
        let looks = Looks { state, passage: passage_id, absent: absent.clone(), doubts: doubts.clone() };
        self.since = self.parts.clock.now();
        self.parts.live.lane(LaneView {
            lane: rules.lane.clone(),
            direction: rules.direction.as_str(),
            state,
            plate: passage.and_then(|passage| passage.plate.as_ref()).map(ToString::to_string),
            words: passage.map(|passage| passage.code.words(passage.due)),
            due: passage.and_then(|passage| passage.due).filter(|_| state == "waiting"),
            degraded: self.absent.iter().map(ToString::to_string).chain(doubts).collect(),
            since: self.since,
        });
        self.shown = Some(looks);
    }
}

impl Actor for LaneActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        for effect in self.lane.resume(self.parts.clock.now()) {
            self.effect(effect, 0, ctx);
        }
        if let Some(boot) = self.parts.barrier_run.load_full() {
            let input = Input::BarrierOnline(Some(BootId::clone(&boot)));
            self.enqueue(Job { input, receipt: Receipt::none(), arrived: None, _place: None }, ctx);
        }
        self.show();
    }
}

impl Handler<Heard> for LaneActor {
    type Result = ();

    fn handle(&mut self, heard: Heard, ctx: &mut Self::Context) {
        let Heard { event, arrived, place } = heard;
        let changed = match &event.what {
            What::Availability(Availability { presence: Presence::Offline, .. }) => {
                self.absent.insert(event.device.clone())
            }
            // Whoever says something is there, also without having signed in by the book.
            _ => self.absent.remove(&event.device),
        };
        if changed {
            self.presence_changed(&event.device, ctx);
            self.show();
        }
        if let What::Availability(Availability { presence: Presence::Online, boot_id }) = &event.what
            && event.device == self.parts.rules.barrier
        {
            self.parts.barrier_run.store(boot_id.clone().map(Arc::new));
        }
        if let What::Notice(notice) = &event.what
            && translate::is_fresh(&self.parts.rules, &notice.head) == Fresh::Yes
        {
            self.parts.codes.scanned(&self.parts.rules.lane, &event.device, notice);
        }
        let received_at = event.received_at;
        let Some(input) = translate::input(&self.parts.rules, &event.device, event.what) else {
            event.receipt.done();
            return;
        };
        let job = Job { input, receipt: event.receipt, arrived: Some(arrived), _place: Some(place) };
        self.heard(job, received_at, ctx);
    }
}

impl Handler<Take> for LaneActor {
    type Result = ();

    fn handle(&mut self, take: Take, ctx: &mut Self::Context) {
        let expired = matches!(&take.0, Input::Timer(timer) if timer.kind == TimerKind::CommandExpiry);
        self.enqueue(Job { input: take.0, receipt: Receipt::none(), arrived: None, _place: None }, ctx);
        if expired {
            self.look_at_openings(ctx);
        }
    }
}

impl Handler<Order> for LaneActor {
    type Result = ();

    fn handle(&mut self, order: Order, ctx: &mut Self::Context) {
        let Order { person, receipt } = order;
        self.enqueue(Job { input: Input::OpenedBy(person), receipt, arrived: None, _place: None }, ctx);
    }
}

impl Handler<StoreTold> for LaneActor {
    type Result = ();

    fn handle(&mut self, told: StoreTold, ctx: &mut Self::Context) {
        let (answer, position) = match told.0 {
            Told::Durable { position } => (Input::Durable(position), position),
            Told::Refused(refusal) => (Input::Refused(refusal), 0),
        };
        let stepped = self.lane.step(self.parts.clock.now(), answer, &self.parts.store.snapshot());
        self.carry_out(stepped, position, ctx);
        self.work(ctx);
    }
}

impl Handler<Finish> for LaneActor {
    type Result = actix::ResponseFuture<()>;

    fn handle(&mut self, _: Finish, _: &mut Self::Context) -> Self::Result {
        let (done, wait) = oneshot::channel();
        if self.lane.waits_for_commit() {
            self.finishing.push(done);
        } else {
            let _ = done.send(());
        }
        Box::pin(async move {
            // An actor that is gone has nothing to finish.
            let _ = wait.await;
        })
    }
}

impl Handler<Panic> for LaneActor {
    type Result = ();

    fn handle(&mut self, _: Panic, _: &mut Self::Context) {
        panic!("provoked by a test in lane {}", self.parts.rules.lane);
    }
}
