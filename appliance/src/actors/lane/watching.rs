//! What a lane's actor watches beside its cars: whether openings are confirmed, and which camera's reads count. Both are
//! decided in `core`; here events are handed to them, and what follows is handed on.

use actix::{AsyncContext, Context, SpawnHandle};
use chrono::{DateTime, TimeDelta, Utc};
use tollhouse_core::id::{CommandId, DeviceId};
use tollhouse_core::lane::{
    Answer, Answered, Cameras, ConfirmedBy, EventSeen, Input, Lane, LastOpening, MainCameras, Mark, Openings,
    PassingIsTold, Read, Tell, Tone, UNCONFIRMED, Weight, unconfirmed_words,
};
use tollhouse_core::record::Records as _;

use super::LaneActor;
use super::messages::{Job, Take};

/// What is watched at one lane, as configured.
#[derive(Debug, Clone)]
pub struct LaneWatch {
    /// What proves an opening.
    pub confirmed_by: ConfirmedBy,
    /// Whether a device of the lane tells that a car has passed.
    pub passing: PassingIsTold,
    /// The main cameras.
    pub cameras: Vec<DeviceId>,
    /// Those that stand in.
    pub spare_cameras: Vec<DeviceId>,
    /// How long a spare's read waits for a main camera's.
    pub spare_after: TimeDelta,
}

/// What is watched, and what waits for it.
pub(super) struct Watching {
    openings: Openings,
    look_again: Option<SpawnHandle>,
    /// Only where there are spares.
    cameras: Option<Cameras>,
    held: Vec<Held>,
}

/// A spare camera's read that waits for a main camera's.
struct Held {
    job: Job,
    read: Read,
    arrived_at: DateTime<Utc>,
}

impl Watching {
    /// At the start nothing is awaited: an opening that was under way when the box went down may never have left it, and
    /// nothing that is heard again may prove it. When it goes out once more, it is awaited from then.
    pub(super) fn new(watch: &LaneWatch, lane: &Lane) -> Self {
        let openings = Openings::new(watch.confirmed_by, watch.passing);
        let cameras = (!watch.spare_cameras.is_empty())
            .then(|| Cameras::new(&watch.cameras, &watch.spare_cameras, watch.spare_after, lane.rules().stale_after));
        Self { openings, look_again: None, cameras, held: vec![] }
    }

    /// What people should know of it, in words for the lane's picture.
    pub(super) fn doubts(&self, barrier: &DeviceId) -> Vec<String> {
        let unconfirmed = self.openings.last() == LastOpening::Unconfirmed;
        let opening = unconfirmed.then(|| format!("{barrier} (not seen to open · 未见开闸)"));
        let mains = self.cameras.as_ref().map_or(MainCameras::Reading, Cameras::mains);
        let silent =
            (mains == MainCameras::Silent).then(|| "camera (silent, the spare reads · 主相机未读到)".to_owned());
        opening.into_iter().chain(silent).collect()
    }
}

impl LaneActor {
    /// Something that a device said, on its way to the lane.
    pub(super) fn heard(&mut self, mut job: Job, arrived_at: DateTime<Utc>, ctx: &mut Context<Self>) {
        let mut proved: Vec<CommandId> = vec![];
        match &mut job.input {
            Input::Read(read) if self.watching.cameras.is_some() => {
                let read = read.clone();
                return self.weigh(Held { job, read, arrived_at }, ctx);
            }
            Input::Answered(answered) => {
                self.watching.openings.answered(&answered.cmd_id, answered.answer);
                answered.answer = self.watching.openings.weigh(answered.answer);
            }
            Input::Arm(arm) => proved = self.watching.openings.arm(*arm),
            Input::ArmStood(arm) => self.watching.openings.arm_stood(*arm),
            // What has been heard before is about a car before.
            Input::Passed(passed) if !self.is_known(&passed.mark) => {
                proved.extend(self.watching.openings.passed(passed.way));
            }
            _ => {}
        }
        self.enqueue(job, ctx);
        self.confirm(&proved, ctx);
    }

    /// Whether the event has been taken before; what cannot be read is left to the lane to complain of.
    fn is_known(&self, mark: &Mark) -> bool {
        let key = EventSeen::key_of(&mark.device, &mark.event_id);
        !matches!(self.parts.store.snapshot().get::<EventSeen>(&key), Ok(None))
    }

    /// A signal proves what the barrier may not have said itself.
    fn confirm(&self, proved: &[CommandId], ctx: &mut Context<Self>) {
        for cmd_id in proved {
            let reason = Some(self.watching.openings.proof_words().to_owned());
            let answered = Answered { cmd_id: cmd_id.to_string(), answer: Answer::Confirmed, reason };
            ctx.notify(Take(Input::Answered(answered)));
        }
    }

    /// The barrier is being told to open.
    pub(super) fn opening_sent(&mut self, cmd_id: CommandId, expires_at: DateTime<Utc>, ctx: &mut Context<Self>) {
        let now = self.parts.clock.now();
        self.report_overdue(now, ctx);
        self.watching.openings.sent(now, cmd_id, expires_at);
    }

    /// A command has run out: was it confirmed?
    pub(super) fn look_at_openings(&mut self, ctx: &mut Context<Self>) {
        let now = self.parts.clock.now();
        let Some(at) = self.report_overdue(now, ctx) else { return };
        let again = ctx.run_later(self.parts.clock.until(at), LaneActor::look_at_openings);
        if let Some(older) = self.watching.look_again.replace(again) {
            ctx.cancel_future(older);
        }
    }

    fn report_overdue(&mut self, now: DateTime<Utc>, ctx: &mut Context<Self>) -> Option<DateTime<Utc>> {
        let overdue = self.watching.openings.overdue(now);
        self.confirm(&overdue.confirmed, ctx);
        let lane = &self.parts.rules.lane;
        for cmd_id in &overdue.unconfirmed {
            tracing::warn!(%lane, %cmd_id, "the barrier was told to open, and nothing shows that it did");
            self.parts.metrics.opening_unconfirmed(lane);
            self.tell(
                Tell { code: UNCONFIRMED, tone: Tone::Alarm, plate: None, words: unconfirmed_words(), money: None },
                0,
            );
        }
        if !overdue.unconfirmed.is_empty() {
            self.show();
        }
        overdue.look_at
    }

    /// A device has come or gone.
    pub(super) fn presence_changed(&mut self, device: &DeviceId, ctx: &mut Context<Self>) {
        let absent = self.absent.contains(device);
        let Some(cameras) = &mut self.watching.cameras else { return };
        if absent {
            cameras.went(device);
        } else {
            cameras.came(device);
        }
        self.parts.metrics.main_cameras(&self.parts.rules.lane, cameras.mains());
        self.look_at_held(ctx);
    }

    fn weigh(&mut self, held: Held, ctx: &mut Context<Self>) {
        let now = self.parts.clock.now();
        let Some(cameras) = &mut self.watching.cameras else { return };
        let (before, weight) = (cameras.mains(), cameras.weigh(now, &held.read, held.arrived_at));
        let mains = cameras.mains();
        let is_spare = self.parts.watch.spare_cameras.contains(&held.read.mark.device);
        let lane = self.parts.rules.lane.clone();
        self.parts.metrics.main_cameras(&lane, mains);
        if before != mains {
            tracing::warn!(%lane, mains = mains.as_str(), "the lane's main cameras");
        }
        match weight {
            Weight::Counts => {
                if is_spare {
                    self.parts.metrics.spare_read(&lane);
                }
                self.enqueue(held.job, ctx);
            }
            Weight::SameCar => {
                let Held { mut job, read, .. } = held;
                job.input = Input::Noted(read.mark);
                self.enqueue(job, ctx);
            }
            Weight::Waits(until) => {
                self.watching.held.push(held);
                ctx.run_later(self.parts.clock.until(until), LaneActor::look_at_held);
            }
        }
        if !is_spare {
            self.look_at_held(ctx);
        }
    }

    /// Weighs anew what waits: time has passed, or a main camera has read, come or gone.
    fn look_at_held(&mut self, ctx: &mut Context<Self>) {
        for held in std::mem::take(&mut self.watching.held) {
            self.weigh(held, ctx);
        }
        self.show();
    }
}
