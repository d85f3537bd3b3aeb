//! What stands at the door: how often one client may fail to sign in, how many passwords are looked at at once, and which
//! `Idempotency-Key`s are in hand.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::http::problem::Problem;
use crate::http::rate::{Monotonic, Pace, Rates};

/// Ten failures, then one more every half minute.
const SIGN_IN_PACE: Pace = Pace { burst: 10, refill: Duration::from_secs(30) };
/// Each takes tens of milliseconds of a core and 19 MiB.
const PASSWORDS_AT_ONCE: usize = 2;

/// The door.
pub(in crate::http) struct Entry {
    failures: Rates,
    passwords: Semaphore,
    keys: Arc<Mutex<HashSet<String>>>,
}

impl Entry {
    /// On this clock.
    pub(in crate::http) fn new(now: Monotonic) -> Self {
        let failures = Rates::at_pace(now, SIGN_IN_PACE);
        Self { failures, passwords: Semaphore::new(PASSWORDS_AT_ONCE), keys: Arc::default() }
    }

    /// One try to sign in counts as a failure until [`Entry::succeeded`] says otherwise, so that many at once do not pass.
    pub(super) fn tried(&self, client: Option<IpAddr>) -> Result<(), Problem> {
        client.map_or(Ok(()), |client| self.failures.ask(client)).map_err(Problem::too_often)
    }

    /// It was right: nothing is held against the client.
    pub(super) fn succeeded(&self, client: Option<IpAddr>) {
        if let Some(client) = client {
            self.failures.give_back(client);
        }
    }

    /// The right to look at a password, in turn.
    pub(super) async fn turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Problem> {
        self.passwords.acquire().await.map_err(|_| Problem::full("the box is ending"))
    }

    /// Takes a key in hand, for as long as its request is; another request with it meanwhile is refused.
    pub(super) fn take(&self, key: &str) -> Result<InHand, Problem> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.insert(key.to_owned()) {
            return Ok(InHand { key: key.to_owned(), keys: Arc::clone(&self.keys) });
        }
        Err(Problem::key_in_flight())
    }
}

/// A key in hand. Dropping it lets it go.
#[derive(Debug)]
pub(super) struct InHand {
    key: String,
    keys: Arc<Mutex<HashSet<String>>>,
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
