//! Owns waiting: for something that comes from another thread, and for a condition that only asking can tell.
//! Every wait has a deadline, and says what it waited for when that passes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a test waits for what must come; far above what a busy machine needs, so that only a fault reaches it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Between two askings; the condition is outside this process, so nothing can wake us.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// Asks until there is an answer.
///
/// # Panics
/// When `patience` passes without one, naming `what` was awaited.
#[track_caller]
pub fn eventually<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {patience:?} in vain for: {what}");
        std::thread::park_timeout(ASK_AGAIN);
    }
}

/// What another thread gathers, and whoever waits for it is woken.
#[derive(Debug)]
pub struct Gathered<T> {
    items: Mutex<Vec<T>>,
    more: Condvar,
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Self { items: Mutex::new(Vec::new()), more: Condvar::new() }
    }
}

impl<T> Gathered<T> {
    /// Adds one and wakes all who wait.
    pub fn push(&self, item: T) {
        self.lock().push(item);
        self.more.notify_all();
    }

    /// Looks at all that has been gathered so far.
    pub fn look<R>(&self, look: impl FnOnce(&[T]) -> R) -> R {
        look(&self.lock())
    }

    /// Waits until `find` finds something; nothing when `patience` passes.
    pub fn wait<R>(&self, patience: Duration, mut find: impl FnMut(&[T]) -> Option<R>) -> Option<R> {
        let deadline = Instant::now() + patience;
        let mut items = self.lock();
        loop {
            if let Some(found) = find(&items) {
                return Some(found);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            items = self.more.wait_timeout(items, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
