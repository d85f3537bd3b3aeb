//! The live page's JSON and its stream of server-sent events. Shows what it is told, owns nothing.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use chrono_tz::Tz;
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tollhouse_core::money::Money;
use tollhouse_core::user::Permission;
use tollhouse_core::words::Words;
use utoipa::ToSchema;

use super::api::{Caller, Problems};
use super::doors::Doors;
use super::problem::{Problem, ProblemDocument};
use super::{plate_look, wire};
use crate::live::{Happening, LaneView, LotView, News};

/// Screens that watch at once, for each of the two workers.
const MAX_WATCHERS: usize = 64;
/// A comment so often keeps proxies from cutting the stream.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A screen that cannot follow gets the whole picture, and no more often than this.
const CATCH_UP: Duration = Duration::from_millis(500);

/// A sentence in both languages.
#[derive(Debug, Serialize, ToSchema)]
struct WordsAnswer {
    /// 简体中文
    zh: String,
    /// English
    en: String,
}

impl From<Words> for WordsAnswer {
    fn from(words: Words) -> Self {
        Self { zh: words.zh, en: words.en }
    }
}

/// A plate, and how it looks on a screen.
#[derive(Debug, Serialize, ToSchema)]
struct PlateAnswer {
    /// The text.
    #[schema(examples("粤C12345"))]
    text: String,
    /// With its dot: `粤C·12345`.
    shown: String,
    /// `blue`, `green`, `yellow`, `white`, `black`: guessed from the text, for the eye only.
    style: &'static str,
}

impl From<String> for PlateAnswer {
    fn from(text: String) -> Self {
        Self { shown: plate_look::shown(&text), style: plate_look::style(&text), text }
    }
}

/// A lane as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LaneAnswer {
    lane: String,
    /// `entry` or `exit`.
    direction: String,
    /// `free`, `waiting`, `opening`, `refused`, `down`.
    state: String,
    plate: Option<PlateAnswer>,
    /// What its display says.
    words: Option<WordsAnswer>,
    /// What is due there.
    due: Option<String>,
    currency: Option<&'static str>,
    /// Devices that are not there.
    degraded: Vec<String>,
    since: String,
}

/// Something that has just happened.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HappeningAnswer {
    /// Its journal position.
    id: u64,
    at: String,
    lane: Option<String>,
    plate: Option<PlateAnswer>,
    /// The machine code of what was decided.
    code: String,
    /// `open`, `wait`, `refuse`, `money`, `quiet`, `alarm`.
    #[schema(value_type = String)]
    tone: crate::live::Tone,
    words: WordsAnswer,
    money: Option<String>,
    currency: Option<&'static str>,
}

/// Cars and money.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TotalsAnswer {
    inside: i64,
    capacity: i64,
    /// Taken since the lot's midnight.
    taken_today: Option<String>,
    currency: Option<&'static str>,
}

/// The lot as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LotAnswer {
    lot: String,
    name: String,
    totals: TotalsAnswer,
    lanes: Vec<LaneAnswer>,
    /// What happened last, newest first, at most 100.
    recent: Vec<HappeningAnswer>,
}

fn amount(money: Option<Money>) -> (Option<String>, Option<&'static str>) {
    (money.map(Money::amount), money.map(|money| money.currency().code()))
}

fn lane_answer(lane: LaneView, zone: Tz) -> LaneAnswer {
    let (due, currency) = amount(lane.due);
    LaneAnswer {
        lane: lane.lane.to_string(),
        direction: lane.direction.to_owned(),
        state: lane.state.to_owned(),
        plate: lane.plate.map(PlateAnswer::from),
        words: lane.words.map(WordsAnswer::from),
        due,
        currency,
        degraded: lane.degraded,
        since: wire::time(lane.since, zone),
    }
}

fn happening_answer(happening: Happening, zone: Tz) -> HappeningAnswer {
    let (money, currency) = amount(happening.money);
    HappeningAnswer {
        id: happening.id,
        at: wire::time(happening.at, zone),
        lane: happening.lane.map(|lane| lane.to_string()),
        plate: happening.plate.map(PlateAnswer::from),
        code: happening.code,
        tone: happening.tone,
        words: happening.words.into(),
        money,
        currency,
    }
}

fn totals_answer(inside: i64, capacity: i64, taken: Option<Money>) -> TotalsAnswer {
    let (taken_today, currency) = amount(taken);
    TotalsAnswer { inside, capacity, taken_today, currency }
}

fn lot_answer(doors: &Doors) -> LotAnswer {
    let LotView { lot, inside, capacity, taken_today, lanes, recent } = doors.live.view();
    LotAnswer {
        lot,
        name: doors.lot_name.clone(),
        totals: totals_answer(inside, capacity, taken_today),
        lanes: lanes.into_iter().map(|lane| lane_answer(lane, doors.zone)).collect(),
        recent: recent.into_iter().map(|happening| happening_answer(happening, doors.zone)).collect(),
    }
}

/// The lot as it stands, for the live page to begin with.
pub(super) fn picture(doors: &Doors) -> String {
    serde_json::to_string(&lot_answer(doors)).expect("an answer is plain JSON")
}

/// The lot as it stands: lanes, totals and what happened last. Signed in, or to everybody where the live page is open.
#[utoipa::path(get, path = "/api/v1/lanes", tag = "live", security((), ("bearer" = []), ("session" = []), ("basic" = [])),
    responses((status = 200, body = LotAnswer), Problems))]
pub(super) async fn lanes(doors: Data<Arc<Doors>>) -> HttpResponse {
    HttpResponse::Ok().json(lot_answer(&doors))
}

/// The same for those alone who may see the gate, where the live page is off.
pub(super) async fn lanes_to_callers(doors: Data<Arc<Doors>>, caller: Caller) -> Result<HttpResponse, Problem> {
    caller.may(Permission::GateRead)?;
    Ok(lanes(doors).await)
}

/// The same for those alone who may see the gate, where the live page is off.
pub(super) async fn stream_to_callers(
    doors: Data<Arc<Doors>>,
    watchers: Data<Arc<Watchers>>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    caller.may(Permission::GateRead)?;
    stream(doors, watchers).await
}

/// How many screens watch.
#[derive(Default)]
pub(super) struct Watchers(AtomicUsize);

/// One of them, until it is dropped.
pub(super) struct Seat(Arc<Watchers>);

impl Seat {
    pub(super) fn take(watchers: &Arc<Watchers>) -> Option<Self> {
        let more = |count: usize| (count < MAX_WATCHERS).then_some(count + 1);
        watchers.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).ok()?;
        Some(Self(Arc::clone(watchers)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What changes from now on, as server-sent events: first `lot` with all of it, then `happening`, `lane`, `totals`, and
/// `lot` again when the watcher was too slow.
#[utoipa::path(
    get, path = "/api/v1/live", tag = "live",
    responses((status = 200, description = "Events `lot` (LotAnswer), `happening` (HappeningAnswer), `lane` (LaneAnswer), `totals` (TotalsAnswer)", body = String, content_type = "text/event-stream"),
              (status = 503, description = "Too many screens watch", body = ProblemDocument, content_type = "application/problem+json"))
)]
pub(super) async fn stream(doors: Data<Arc<Doors>>, watchers: Data<Arc<Watchers>>) -> Result<HttpResponse, Problem> {
    let seat = Seat::take(&watchers).ok_or_else(|| Problem::full("too many screens watch"))?;
    // Watching begins before the picture is taken: nothing falls between them.
    let news = doors.live.watch();
    let doors = Arc::clone(doors.get_ref());
    let whole = event("lot", None, &lot_answer(&doors));
    let watch = Watch { doors, news, ready: VecDeque::from([whole]), _seat: seat };
    let stream = futures_util::stream::unfold(watch, |mut watch| async move {
        let bytes = watch.next().await?;
        Some((Ok::<_, Infallible>(bytes), watch))
    });
    Ok(streamed(stream))
}

/// Events as an answer.
pub(super) fn streamed(events: impl futures_util::Stream<Item = Result<Bytes, Infallible>> + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/event-stream")
        // nginx in front must not gather the events.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(events)
}

struct Watch {
    doors: Arc<Doors>,
    news: Receiver<News>,
    ready: VecDeque<Bytes>,
    _seat: Seat,
}

impl Watch {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(bytes) = self.ready.pop_front() {
            return Some(bytes);
        }
        match tokio::time::timeout(KEEP_ALIVE, self.news.recv()).await {
            Err(_) => Some(Bytes::from_static(b": still here\n\n")),
            Ok(Ok(news)) => Some(self.tell(news)),
            Ok(Err(RecvError::Closed)) => None,
            Ok(Err(RecvError::Lagged(_))) => Some(self.catch_up().await),
        }
    }

    fn tell(&self, news: News) -> Bytes {
        let zone = self.doors.zone;
        match news {
            News::Happening(happening) => {
                let id = happening.id;
                event("happening", Some(id), &happening_answer(happening, zone))
            }
            News::Lane(lane) => event("lane", None, &lane_answer(lane, zone)),
            News::Totals { inside, capacity, taken_today } => {
                event("totals", None, &totals_answer(inside, capacity, taken_today))
            }
        }
    }

    /// Under full load more happens than a screen can show: wait a little, forget what is old, show all.
    async fn catch_up(&mut self) -> Bytes {
        tokio::time::sleep(CATCH_UP).await;
        self.news = self.doors.live.watch();
        event("lot", None, &lot_answer(&self.doors))
    }
}

/// One event as it is sent.
pub(super) fn event(name: &str, id: Option<u64>, body: &impl Serialize) -> Bytes {
    let body = serde_json::to_string(body).expect("an answer is plain JSON");
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    // JSON on one line holds no line break, which would end the event.
    Bytes::from(format!("event: {name}\n{id}data: {body}\n\n"))
}
