//! The healthy driver beside the hostile ones: it opens again and again, and its answers are timed.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use serde_json::json;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tollhouse_core::id::CommandId;
use tollhouse_drivers::link::{DeviceCommand, DeviceLink};
use tollhouse_drivers::plugin::Standing;

use crate::rig::{DEADLINE, Rig, device};

/// It is told to open so often.
const EVERY: Duration = Duration::from_millis(10);
/// So many answers are timed alone, for comparison.
const ALONE: usize = 150;

/// Times of answers.
#[derive(Debug, Clone)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn at(&self, percent: usize) -> Duration {
        self.0[(self.0.len() - 1) * percent / 100]
    }

    pub(crate) fn longest(&self) -> Duration {
        self.at(100)
    }
}

#[derive(Default)]
struct Book {
    times: Mutex<Vec<Duration>>,
    more: Notify,
}

/// See the module.
pub(crate) struct Neighbour {
    book: Arc<Book>,
    stop: mpsc::Sender<()>,
    task: JoinHandle<Standing>,
    undisturbed: Arc<Mutex<Result<(), String>>>,
}

impl Neighbour {
    pub(crate) async fn start(library: &Path) -> Self {
        let mut rig = Rig::start(library, json!({"device": "gate-good"}), &["gate-good"]);
        assert_eq!(rig.take(2).await, ["gate-good Online", "gate-good down"]);
        let (book, undisturbed) = (Arc::<Book>::default(), Arc::new(Mutex::new(Ok(()))));
        let (stop, mut stopped) = mpsc::channel(1);
        let (kept, told) = (Arc::clone(&book), Arc::clone(&undisturbed));
        let task = tokio::spawn(async move {
            let mut tick = tokio::time::interval(EVERY);
            for number in 0_u64.. {
                tokio::select! {
                    _ = stopped.recv() => break,
                    _ = tick.tick() => {}
                }
                let took = open(&mut rig, number).await;
                kept.times.lock().expect("not poisoned").push(took);
                kept.more.notify_waiters();
                let status = rig.host.status();
                if (status.failures, status.standing) != (0, Standing::Ready) {
                    *told.lock().expect("not poisoned") = Err(format!("{status:?}"));
                }
            }
            let standing = rig.host.status().standing;
            rig.host.shutdown().await;
            standing
        });
        Self { book, stop, task, undisturbed }
    }

    /// How long its answers take while nobody is beside it.
    pub(crate) async fn times(&self) -> Times {
        Watched { book: Arc::clone(&self.book), from: 0, least: ALONE }.times().await
    }

    /// Begins to look at it.
    pub(crate) fn watch(&self) -> Watched {
        let from = self.book.times.lock().expect("not poisoned").len();
        Watched { book: Arc::clone(&self.book), from, least: 1 }
    }

    pub(crate) fn was_never_disturbed(&self) -> bool {
        self.undisturbed.lock().expect("not poisoned").is_ok()
    }

    pub(crate) async fn end(self) {
        drop(self.stop);
        assert_eq!(self.task.await.expect("no panic"), Standing::Ready);
    }
}

/// A span of the healthy driver's life.
pub(crate) struct Watched {
    book: Arc<Book>,
    from: usize,
    least: usize,
}

impl Watched {
    /// The times since the beginning of the span, in order of length; it waits for the answer that is under way.
    pub(crate) async fn times(self) -> Times {
        let wanted = self.book.times.lock().expect("not poisoned").len().max(self.from + self.least - 1) + 1;
        let all = async {
            loop {
                let more = self.book.more.notified();
                let times = self.book.times.lock().expect("not poisoned").clone();
                if times.len() >= wanted {
                    return times;
                }
                more.await;
            }
        };
        let mut times = tokio::time::timeout(DEADLINE, all).await.expect("the neighbour answers").split_off(self.from);
        times.sort_unstable();
        Times(times)
    }
}

async fn open(rig: &mut Rig, number: u64) -> Duration {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_le_bytes());
    let command = DeviceCommand {
        device: device("gate-good"),
        cmd_id: CommandId::from_bytes(id),
        name: "open",
        args: json!({}),
        expires_at: Utc::now() + TimeDelta::seconds(20),
    };
    let begun = Instant::now();
    rig.host.send(command).expect("queued");
    assert_eq!(rig.take(2).await, ["gate-good up", "gate-good Confirmed"]);
    begun.elapsed()
}
