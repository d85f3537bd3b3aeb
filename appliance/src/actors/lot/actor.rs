//! The actor: a lane's actor that is gone is started again from the store, with a limit on the rate.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, ArbiterHandle, AsyncContext, Context, Handler, ResponseFuture};
use tokio::sync::oneshot;
use tollhouse_core::id::LaneId;
use tollhouse_core::lane::{Direction, Input, OrderStanding, Person, Role};
use tollhouse_drivers::Receipt;
use tollhouse_drivers::event::Outcome;

use super::messages::{BillMoved, FinishLanes, NotOpened, OpenLane, PanicLane, PassesMoved};
use super::rounds::Rounds;
use super::routes::{Completeness, Routes};
use crate::actors::lane::messages::{Finish, Gone, Order, Panic, Take};
use crate::actors::lane::{LaneActor, LaneParts};
use crate::readiness::{Part, Readiness, Standing};

/// More restarts than this within [`RESTART_WINDOW`] and the lane rests for [`REST`].
const MOST_RESTARTS: usize = 10;
const RESTART_WINDOW: Duration = Duration::from_secs(60);
const REST: Duration = Duration::from_secs(10);
/// Longer than a commit ever takes while the box is well.
const ORDER_TAKES: Duration = Duration::from_secs(5);
/// How often the lot makes its rounds.
const ROUND_EVERY: Duration = Duration::from_secs(1);

/// What the lot's actor works with.
pub struct LotParts {
    /// Its lanes.
    pub lanes: Vec<LaneParts>,
    /// Where links find the lanes' actors.
    pub routes: Arc<Routes>,
    /// Threads on which lanes run.
    pub arbiters: Vec<ArbiterHandle>,
    /// Whether the box is ready.
    pub readiness: Arc<Readiness>,
    /// What is done every second.
    pub rounds: Rounds,
}

/// The lot's actor.
pub struct LotActor {
    parts: LotParts,
    by_id: HashMap<LaneId, usize>,
    runs: HashMap<LaneId, u64>,
    restarts: HashMap<LaneId, VecDeque<Instant>>,
    phase: Phase,
}

/// Whether lanes that end are started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Ending,
}

impl LotActor {
    /// The parent of these lanes.
    pub fn new(parts: LotParts) -> Self {
        let by_id = parts.lanes.iter().enumerate().map(|(place, lane)| (lane.rules.lane.clone(), place)).collect();
        Self { parts, by_id, runs: HashMap::new(), restarts: HashMap::new(), phase: Phase::Running }
    }

    fn start_lane(&mut self, lane: &LaneId, ctx: &mut Context<Self>) {
        let Some(place) = self.by_id.get(lane).copied() else { return };
        let run = self.runs.entry(lane.clone()).or_insert(0);
        *run += 1;
        let parts = self.parts.lanes[place].clone();
        match LaneActor::new(parts, *run, ctx.address().recipient()) {
            Ok(actor) => {
                let arbiter = &self.parts.arbiters[place % self.parts.arbiters.len()];
                let addr = LaneActor::start_in_arbiter(arbiter, move |_| actor);
                self.parts.routes.set(lane, Some(addr));
                self.report();
            }
            // Dropped unstarted, the actor has said farewell already, and is tried again with the limit on the rate.
            Err(fault) => tracing::error!(%lane, %fault, "the lane cannot be loaded"),
        }
    }

    fn report(&self) {
        let standing = match self.parts.routes.complete() {
            Completeness::AllThere => Standing::Up,
            Completeness::SomeMissing => Standing::Down,
        };
        self.parts.readiness.part(Part::Lanes, standing);
    }
}

impl Actor for LotActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let lanes: Vec<LaneId> = self.parts.lanes.iter().map(|lane| lane.rules.lane.clone()).collect();
        for lane in lanes {
            self.start_lane(&lane, ctx);
        }
        ctx.run_interval(ROUND_EVERY, |lot, _| lot.parts.rounds.go());
    }
}

impl Handler<Gone> for LotActor {
    type Result = ();

    fn handle(&mut self, gone: Gone, ctx: &mut Self::Context) {
        if self.phase == Phase::Ending || self.runs.get(&gone.lane) != Some(&gone.run) {
            return;
        }
        let Some(place) = self.by_id.get(&gone.lane) else { return };
        tracing::error!(lane = %gone.lane, "the lane's actor is gone and is started again from the store");
        self.parts.lanes[*place].metrics.lane_restarted(&gone.lane);
        self.parts.routes.set(&gone.lane, None);
        self.report();
        let recent = self.restarts.entry(gone.lane.clone()).or_default();
        let now = Instant::now();
        recent.retain(|then| now.duration_since(*then) < RESTART_WINDOW);
        recent.push_back(now);
        if recent.len() > MOST_RESTARTS {
            tracing::error!(lane = %gone.lane, "too many restarts: the lane rests");
            ctx.run_later(REST, move |lot, ctx| lot.start_lane(&gone.lane, ctx));
        } else {
            self.start_lane(&gone.lane, ctx);
        }
    }
}

impl Handler<BillMoved> for LotActor {
    type Result = ();

    /// Every exit looks at the bill that it waits for. The message may get lost: a waiting lane looks by itself as well.
    fn handle(&mut self, _: BillMoved, _: &mut Self::Context) {
        for lane in self.parts.lanes.iter().filter(|lane| lane.rules.direction == Direction::Exit) {
            if let Some(actor) = self.parts.routes.actor(&lane.rules.lane) {
                actor.do_send(Take(Input::LookAtBill));
            }
        }
    }
}

impl Handler<PassesMoved> for LotActor {
    type Result = ();

    /// Every lane to or from the street looks at the car that waits there, or was refused.
    fn handle(&mut self, _: PassesMoved, _: &mut Self::Context) {
        for lane in self.parts.lanes.iter().filter(|lane| lane.rules.role() != Role::Moves) {
            if let Some(actor) = self.parts.routes.actor(&lane.rules.lane) {
                actor.do_send(Take(Input::LookAtPass));
            }
        }
    }
}

impl Handler<OpenLane> for LotActor {
    type Result = ResponseFuture<Result<(), NotOpened>>;

    fn handle(&mut self, open: OpenLane, _: &mut Self::Context) -> Self::Result {
        let OpenLane { lane, name, reason, request } = open;
        let Some(place) = self.by_id.get(&lane) else {
            return Box::pin(std::future::ready(Err(NotOpened::NoSuchLane(lane))));
        };
        let store = self.parts.lanes[*place].store.clone();
        let actor = self.parts.routes.actor(&lane);
        Box::pin(async move {
            let busy = || NotOpened::Busy(lane.clone());
            let person = Person { name, reason, request };
            let (tell, told) = oneshot::channel();
            // Nobody listens any more when the asker has gone; the order stands all the same.
            let receipt = Receipt::new(move |outcome| {
                let _ = tell.send(outcome);
            });
            let order = Order { person: person.clone(), receipt };
            actor.ok_or_else(busy)?.try_send(order).map_err(|_| busy())?;
            match tokio::time::timeout(ORDER_TAKES, told).await {
                Ok(Ok(Outcome::Done)) => {}
                _ => return Err(busy()),
            }
            match person.standing(&lane, &store.snapshot()) {
                Ok(OrderStanding::Taken) => Ok(()),
                Ok(OrderStanding::Another) => Err(NotOpened::AnotherOrder),
                Ok(OrderStanding::New) | Err(_) => Err(busy()),
            }
        })
    }
}

impl Handler<PanicLane> for LotActor {
    type Result = ();

    fn handle(&mut self, panic: PanicLane, _: &mut Self::Context) {
        if let Some(actor) = self.parts.routes.actor(&panic.0) {
            actor.do_send(Panic);
        }
    }
}

impl Handler<FinishLanes> for LotActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: FinishLanes, _: &mut Self::Context) -> Self::Result {
        self.phase = Phase::Ending;
        self.parts.routes.stop_taking();
        let actors = self.parts.routes.all();
        Box::pin(async move {
            for actor in actors {
                // A lane that is gone has nothing to finish.
                let _ = actor.send(Finish).await;
            }
        })
    }
}
