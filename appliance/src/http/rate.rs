//! How often one client may ask: a token bucket for each address.
//!
//! Holds at most so many addresses; a flood of new ones shares a single bucket, so memory is bounded and those that are
//! known already are not pushed out. Time is handed in, monotonic.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Questions of a phone: thirty at once, and one more every two seconds.
const QUESTIONS: Pace = Pace { burst: 30, refill: Duration::from_secs(2) };
const MAX_CLIENTS: usize = 10_000;

/// Time since some start, never backwards.
pub type Monotonic = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The machine's monotonic clock, from now.
pub(super) fn since_start() -> Monotonic {
    let start = Instant::now();
    Arc::new(move || start.elapsed())
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// At once.
    pub(super) burst: u32,
    /// And one more whenever this has passed.
    pub(super) refill: Duration,
}

/// The buckets of all clients.
pub struct Rates {
    now: Monotonic,
    pace: Pace,
    buckets: Mutex<HashMap<Client, Bucket>>,
}

/// Who asks: an IPv4 address, the half of an IPv6 address that a household has, or one of too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    V4([u8; 4]),
    V6([u8; 8]),
    Crowd,
}

impl Client {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let mut household = [0; 8];
                household.copy_from_slice(&address.octets()[..8]);
                Self::V6(household)
            }
        }
    }
}

/// Counts the time at which it will be full again: one number says both fill and age.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    full_at: Duration,
}

impl Rates {
    /// Empty, on this clock: for a phone's questions.
    pub fn new(now: Monotonic) -> Self {
        Self::at_pace(now, QUESTIONS)
    }

    /// Empty, at this pace.
    pub(super) fn at_pace(now: Monotonic, pace: Pace) -> Self {
        Self { now, pace, buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes the last question of this client back.
    pub(super) fn give_back(&self, address: IpAddr) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(&Client::of(address)) {
            bucket.full_at = bucket.full_at.saturating_sub(self.pace.refill);
        }
    }

    /// One question of this client; `Err` says how many seconds to wait.
    pub(super) fn ask(&self, address: IpAddr) -> Result<(), u64> {
        let now = (self.now)();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_CLIENTS {
            buckets.retain(|_, bucket| bucket.full_at > now);
        }
        let mut client = Client::of(address);
        if buckets.len() >= MAX_CLIENTS && !buckets.contains_key(&client) {
            client = Client::Crowd;
        }
        let bucket = buckets.entry(client).or_insert(Bucket { full_at: now });
        let full_at = bucket.full_at.max(now) + self.pace.refill;
        let over = full_at.saturating_sub(now + self.pace.refill * self.pace.burst);
        if over.is_zero() {
            bucket.full_at = full_at;
            return Ok(());
        }
        Err(over.as_secs() + u64::from(over.subsec_nanos() > 0))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn rates() -> (Rates, Arc<AtomicU64>) {
        let seconds = Arc::new(AtomicU64::new(0));
        let hand = Arc::clone(&seconds);
        (Rates::new(Arc::new(move || Duration::from_secs(hand.load(Ordering::SeqCst)))), seconds)
    }

    #[test]
    fn thirty_questions_are_answered_and_then_one_every_two_seconds() {
        let (rates, seconds) = rates();
        let phone = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let other = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
        assert!((0..30).all(|_| rates.ask(phone).is_ok()));
        assert_eq!(rates.ask(phone), Err(2));
        assert_eq!(rates.ask(other), Ok(()));
        seconds.store(1, Ordering::SeqCst);
        assert_eq!(rates.ask(phone), Err(1));
        seconds.store(2, Ordering::SeqCst);
        assert_eq!(rates.ask(phone), Ok(()));
        assert_eq!(rates.ask(phone), Err(2));
        seconds.store(3_600, Ordering::SeqCst);
        assert!((0..30).all(|_| rates.ask(phone).is_ok()));
        assert_eq!(rates.ask(phone), Err(2));
    }

    #[test]
    fn a_household_with_many_ipv6_addresses_is_one_client() {
        let (rates, _) = rates();
        let phone = |n| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, n));
        assert!((0..30).all(|n| rates.ask(phone(n)).is_ok()));
        assert!(rates.ask(phone(99)).is_err());
    }

    #[test]
    fn a_flood_of_addresses_shares_one_bucket_and_takes_no_more_memory() {
        let (rates, _) = rates();
        let bot = |n: u32| IpAddr::V4(Ipv4Addr::from(n));
        let answered = (0..20_000).filter(|n| rates.ask(bot(*n)).is_ok()).count();
        assert_eq!(answered, MAX_CLIENTS + QUESTIONS.burst as usize);
        assert_eq!(rates.buckets.lock().expect("no panic").len(), MAX_CLIENTS + 1);
    }
}
