//! What people watch: the lot as it stands and what has just happened, for the live page and the terminal.
//!
//! Owns no truth: it is told after the fact, holds the last hundred happenings in memory, and drops what a slow
//! watcher does not fetch. Nothing here ever makes a lane wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::broadcast;
use tollhouse_core::id::LaneId;
pub use tollhouse_core::lane::Tone;
use tollhouse_core::money::Money;
use tollhouse_core::words::Words;

/// How many happenings are kept for a page that is opened later.
const KEPT: usize = 100;

/// Something that people would like to see.
#[derive(Debug, Clone, Serialize)]
pub struct Happening {
    /// Its journal position.
    pub id: u64,
    /// When, by the box's clock.
    pub at: DateTime<Utc>,
    /// At which lane, if at one.
    pub lane: Option<LaneId>,
    /// Which car, if one.
    pub plate: Option<String>,
    /// The machine code of what was decided.
    pub code: String,
    /// How it should be shown.
    pub tone: Tone,
    /// The sentence for people.
    pub words: Words,
    /// Money that it is about.
    pub money: Option<Money>,
}

/// A lane as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct LaneView {
    /// Which lane.
    pub lane: LaneId,
    /// `entry` or `exit`.
    pub direction: &'static str,
    /// `free`, `waiting` (the car has to pay or to be let in), `opening`, `refused`, `down` (its actor is being restarted).
    pub state: &'static str,
    /// The car in the lane.
    pub plate: Option<String>,
    /// What its display says.
    pub words: Option<Words>,
    /// What is due there.
    pub due: Option<Money>,
    /// Devices that are not there, by name.
    pub degraded: Vec<String>,
    /// Since when it stands so.
    pub since: DateTime<Utc>,
}

/// The lot as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct LotView {
    /// Its name.
    pub lot: String,
    /// Cars inside.
    pub inside: i64,
    /// Places.
    pub capacity: i64,
    /// Money taken since the lot's midnight.
    pub taken_today: Option<Money>,
    /// Lanes by name.
    pub lanes: Vec<LaneView>,
    /// What happened last, newest first.
    pub recent: Vec<Happening>,
}

/// A change that watchers are told of.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum News {
    /// Something happened.
    Happening(Happening),
    /// A lane looks different.
    Lane(LaneView),
    /// Totals moved.
    Totals {
        /// Cars inside.
        inside: i64,
        /// Places.
        capacity: i64,
        /// Money taken since the lot's midnight.
        taken_today: Option<Money>,
    },
}

/// The picture that watchers share.
pub struct Live {
    lot: String,
    seen: Mutex<Seen>,
    news: broadcast::Sender<News>,
}

struct Seen {
    inside: i64,
    capacity: i64,
    taken_today: Option<Money>,
    lanes: BTreeMap<LaneId, LaneView>,
    recent: VecDeque<Happening>,
}

impl Live {
    /// An empty picture of this lot.
    pub fn new(lot: impl Into<String>, capacity: i64) -> Self {
        let seen = Seen { inside: 0, capacity, taken_today: None, lanes: BTreeMap::new(), recent: VecDeque::new() };
        Self { lot: lot.into(), seen: Mutex::new(seen), news: broadcast::channel(256).0 }
    }

    /// The picture now.
    pub fn view(&self) -> LotView {
        let seen = self.seen();
        LotView {
            lot: self.lot.clone(),
            inside: seen.inside,
            capacity: seen.capacity,
            taken_today: seen.taken_today,
            lanes: seen.lanes.values().cloned().collect(),
            recent: seen.recent.iter().cloned().collect(),
        }
    }

    /// What changes from now on. A watcher that is too slow misses some and should take a new view.
    pub fn watch(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// Tells that something happened.
    pub fn happened(&self, happening: Happening) {
        let mut seen = self.seen();
        let news = self.is_watched().then(|| News::Happening(happening.clone()));
        seen.recent.push_front(happening);
        seen.recent.truncate(KEPT);
        drop(seen);
        self.tell(news);
    }

    /// Tells how a lane stands.
    pub fn lane(&self, lane: LaneView) {
        let mut seen = self.seen();
        let news = self.is_watched().then(|| News::Lane(lane.clone()));
        seen.lanes.insert(lane.lane.clone(), lane);
        drop(seen);
        self.tell(news);
    }

    /// Tells the totals.
    pub fn totals(&self, inside: i64, taken_today: Option<Money>) {
        let mut seen = self.seen();
        seen.inside = inside;
        seen.taken_today = taken_today;
        let news = News::Totals { inside, capacity: seen.capacity, taken_today };
        drop(seen);
        self.tell(Some(news));
    }

    /// Asked while the picture is locked: who begins to watch later takes a view that holds the news already.
    fn is_watched(&self) -> bool {
        self.news.receiver_count() > 0
    }

    fn tell(&self, news: Option<News>) {
        if let Some(news) = news {
            // The last watcher may just have gone, which is no fault.
            let _ = self.news.send(news);
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        // A watcher that panicked left at worst an old picture: it is told anew with the next happening.
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
